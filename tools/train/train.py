"""Trains the student. Resumable: RUN/last.pt holds everything, so the same command goes on where it ended.

RUN/log.tsv has a line each validation; RUN/best.pt is the model with the best validation measure."""
import argparse
import math
import pathlib
import time

import numpy as np
import torch
import torch.nn.functional as F

from data import NAMES, STEP, batch, load
from measure import f_measure, peaks
from model import Student, parameters


def loss_of(model, x, targets, functions, weights):
    logits, labels = model(x)
    beat = F.binary_cross_entropy_with_logits(logits[:, :2], targets[:, :2], reduction="none").mean(2)
    section = F.binary_cross_entropy_with_logits(logits[:, 2], targets[:, 2], reduction="none").mean(1)
    per_label = -(functions.transpose(1, 2) * F.log_softmax(labels, 1)).sum(1).mean(1)
    sure = weights[:, :1]
    # Sections and labels are rarer than beats: the factors bring the terms to the same order.
    return ((beat * sure).sum(1) + 1.0 * section * weights[:, 1] + 0.05 * per_label * weights[:, 2]).mean()


def validate(model, songs, limit=24, longest=12800):
    """Means over the songs, by kind: beats, downbeats (70 ms), boundaries (3 s), label agreement."""
    model.eval()
    groups = {}
    chosen = []
    for rendered in (False, True):
        chosen += [s for s in songs if s.rendered == rendered and s.sure > 0.3][:limit]
    with torch.no_grad():
        for song in chosen:
            x = np.asarray(np.load(song.spec, mmap_mode="r")[:longest], np.float32)
            frames = len(x)
            x = np.pad(x, ((0, -frames % STEP), (0, 0)))
            logits, labels = model(torch.from_numpy(x)[None])
            p = torch.sigmoid(logits[0]).numpy()[:, :frames]
            row = [f_measure(peaks(p[0]), song.beats[song.beats < frames], 7),
                   f_measure(peaks(p[1], 0.2, 25), song.downbeats[song.downbeats < frames], 7),
                   f_measure(peaks(p[2], 0.1, 300), [a for a, _, _ in song.segments[1:] if a < frames], 300)]
            said = labels[0].argmax(0).numpy()
            middle = (np.arange(len(said)) + 0.5) * STEP
            true = np.full(len(said), -1)
            for a, b, label in song.segments:
                true[(middle >= a) & (middle < b)] = label
            row.append(float((said == true)[true >= 0].mean()))
            groups.setdefault(song.group if song.rendered else "teacher", []).append(row)
    model.train()
    return {name: np.mean(rows, axis=0) for name, rows in groups.items()}


def keep_state(folder, names, model, average, optimiser, step, best, spent):
    state = dict(model=model.state_dict(), average=average.state_dict(), optimiser=optimiser.state_dict(), step=step,
                 best=best, spent=spent, labels=NAMES)
    for name in names:
        torch.save(state, folder / (name + ".tmp"))
        (folder / (name + ".tmp")).rename(folder / name)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--run", type=pathlib.Path, required=True)
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--frames", type=int, default=6400)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--every", type=int, default=250, help="steps between validations")
    parser.add_argument("--save", type=int, default=25, help="steps between saved states")
    parser.add_argument("--rescan", action="store_true", help="look for new songs at each validation")
    parser.add_argument("--start", type=pathlib.Path, help="weights of another run to begin with")
    options = parser.parse_args()
    options.run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    model = Student().to(memory_format=torch.channels_last)
    average = Student()
    decayed = [p for p in model.parameters() if p.dim() > 1]
    plain = [p for p in model.parameters() if p.dim() <= 1]
    optimiser = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0}],
                                  lr=options.rate, betas=(0.9, 0.98))
    step, best, spent = 0, -1.0, 0.0
    last = options.run / "last.pt"
    if last.exists():
        state = torch.load(last)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        step, best, spent = state["step"], state["best"], state["spent"]
    else:
        if options.start:
            model.load_state_dict(torch.load(options.start)["average"])
        average.load_state_dict(model.state_dict())
    songs = load(options.data, ("train", "valid"))
    print(parameters(model), "parameters,", {k: len(v) for k, v in songs.items()}, flush=True)
    total, begun = [], time.time()
    while step < options.steps:
        # The step's number seeds its batch: a resumed run sees what an unbroken one would.
        rng = np.random.default_rng([options.seed, step])
        x, targets, functions, weights = map(torch.from_numpy, batch(rng, songs["train"], options.batch,
                                                                     options.frames))
        warm = min(1.0, (step + 1) / 200)
        rate = options.rate * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / options.steps)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        loss = loss_of(model, x, targets, functions, weights)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        keep = min(0.998, (step + 1) / (step + 10))
        with torch.no_grad():
            for a, p in zip(average.parameters(), model.parameters()):
                a.lerp_(p, 1 - keep)
        total.append(float(loss.detach()))
        step += 1
        if step % options.save == 0 and step % options.every:
            keep_state(options.run, ["last.pt"], model, average, optimiser, step, best, spent + time.time() - begun)
        if step % options.every == 0 or step == options.steps:
            figures = validate(average, songs["valid"])
            score = float(np.mean([f[0] + 0.7 * f[1] + 0.2 * f[2] + 0.1 * f[3] for f in figures.values()])) if figures else 0
            spent += time.time() - begun
            begun = time.time()
            line = [str(step), f"{np.mean(total):.4f}", f"{score:.4f}", f"{spent:.0f}", str(len(songs["train"]))]
            line += [f"{name}: " + " ".join(f"{v:.3f}" for v in values) for name, values in sorted(figures.items())]
            total = []
            with open(options.run / "log.tsv", "a", encoding="utf-8") as log:
                log.write("\t".join(line) + "\n")
            print("\t".join(line), flush=True)
            better = score > best
            best = max(best, score)
            keep_state(options.run, ["last.pt"] + (["best.pt"] if better else []), model, average, optimiser, step,
                       best, spent)
            if options.rescan:
                songs = load(options.data, ("train", "valid"))


if __name__ == "__main__":
    main()
