"""Trains a run's coarse branch alone, which tells functions and, with the steps, sections, on whole songs.

  coarse.py RUN/last.pt OUT.pt --data DATA --features FEATURES

What the branch hears of a song, its pooled steps, is worked out once for some versions of each (FEATURES has them: what
is there is not worked out again), so that an epoch of whole songs takes a minute. It learns from the songs that the full
pipeline has labelled and from the rendered ones whose form is known. OUT.pt is as a run's, for export.py and
tune_decoder.py; its beats and downbeats are the run's."""
import argparse
import math
import pathlib
import time

import numpy as np
import torch
import torch.nn.functional as F

from data import FASTEST, MULTIPLE, NAMES, SLOWEST, STEP, augment, form_weights, load, new_mix
from export import weights_of
from model import Student, begin_with, pooled, section
from train import OF_FUNCTIONS

BRANCH = ("coarse", "coarse_norm", "context")


def version(model, song, seed):
    """Pooled steps [width][1][frames/32], the steps' own section logits [frames], and the targets. Version 0 is the song
    as it is, others are stretched, remixed and augmented as crops are."""
    rng = np.random.default_rng([seed, *song.spec.stem.encode()])
    stretch, gains = 1.0, (1, 1)
    if seed and rng.random() < 0.6:
        stretch = float(np.exp(rng.uniform(-0.25, 0.25)))
    if song.tempo and not SLOWEST <= song.tempo * stretch <= FASTEST:
        stretch = 1.0
    if seed and song.shares:
        gains = new_mix(rng)
    frames = len(np.load(song.spec, mmap_mode="r"))
    length = -(-int(frames / stretch) // MULTIPLE) * MULTIPLE
    x, _, _, sections, functions, *_ = song.crop(0, length, stretch, gains)
    if seed and rng.random() < 0.85:
        x = augment(rng, x)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        steps = model.steps(torch.from_numpy(x.astype(np.float32))[None])
        return dict(heard=pooled(steps)[0].half(), fine=model.fine_heads(steps)[0, 2].half(),
                    sections=torch.from_numpy(sections).half(), functions=torch.from_numpy(functions).half())


def versions(model, song, count, folder):
    found = []
    for seed in range(count):
        path = folder / f"{song.spec.stem}_{seed}.pt"
        if not path.exists():
            work = path.with_suffix(".tmp")
            torch.save(version(model, song, seed), work)
            work.rename(path)
        found.append(torch.load(path))
    return found


def losses(model, songs):
    """[(loss of sections, of functions)] of some songs' versions, side by side with zeros beyond their ends; and what
    the branch says of each."""
    lengths = [song["heard"].shape[2] for song in songs]
    heard = torch.zeros(len(songs), len(songs[0]["heard"]), 1, max(lengths))
    inside = torch.zeros(len(songs), 1, 1, max(lengths))
    for i, (song, n) in enumerate(zip(songs, lengths)):
        heard[i, :, :, :n], inside[i, :, :, :n] = song["heard"].float(), 1
    said = model.branch(heard, None, inside)
    out = []
    for context, song, n in zip(said, songs, lengths):
        heads = song["fine"].float().expand(1, 3, -1)
        of_sections = F.binary_cross_entropy_with_logits(section(heads, context[None, :, :n])[0], song["sections"].float())
        of_functions = -(song["functions"].float().t() * F.log_softmax(context[1:, :n], 0)).sum(0).mean()
        out.append((of_sections, of_functions))
    return out, [context[1:, :n].argmax(0).numpy() for context, n in zip(said.detach(), lengths)]


def figures(model, songs):
    """Means over songs as they are: both losses, and the share of the time with the true function."""
    rows = []
    with torch.no_grad():
        for song, found in songs:
            [(of_sections, of_functions)], [said] = losses(model, found[:1])
            middle = (np.arange(len(said)) + 0.5) * STEP
            true = np.full(len(said), -1)
            for a, b, label in song.segments:
                true[(middle >= a) & (middle < b)] = label
            rows.append((float(of_sections), float(of_functions), (said == true)[true >= 0].mean()))
    return " ".join(f"{value:.4f}" for value in np.mean(rows, axis=0))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--features", type=pathlib.Path, required=True)
    parser.add_argument("--versions", type=int, default=8, help="of each real song; a rendered one has half as many")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--every", type=int, default=50, help="steps between figures")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    model, average = (begin_with(Student(), weights_of(options.run)).eval() for _ in range(2))
    songs = load(options.data, ("train", "valid"))
    options.features.mkdir(parents=True, exist_ok=True)
    made, held = [], []
    for song in songs["train"]:
        if song.form_known and song.kind in ("grooves", "bands") or song.kind == "real" and not song.weak:
            count = options.versions // 2 if song.rendered else options.versions
            made += [(found, form_weights(song)) for found in versions(model, song, count, options.features)]
    for song in songs["valid"]:
        if song.kind == "real":
            held.append((song, versions(model, song, 1, options.features)))
    print(f"{len(made)} versions; of {len(held)} valid songs the losses and labels: {figures(model, held)}", flush=True)
    trained = [p for name, p in model.named_parameters() if name.split(".")[0] in BRANCH]
    optimiser = torch.optim.AdamW([{"params": [p for p in trained if p.dim() > 1], "weight_decay": 0.02},
                                   {"params": [p for p in trained if p.dim() <= 1], "weight_decay": 0}],
                                  lr=options.rate, betas=(0.9, 0.98))
    begun, total = time.time(), []
    for step in range(options.steps):
        for group in optimiser.param_groups:
            group["lr"] = options.rate * min(1, (step + 1) / 30) * (0.02 + 0.49 * (1 + math.cos(math.pi * step / options.steps)))
        # Of four batches' songs those of like length: little is heard of what lies beyond their ends.
        rng = np.random.default_rng([8, step])
        drawn = rng.choice(len(made), min(len(made), 4 * options.batch), replace=False)
        drawn = sorted(drawn, key=lambda i: made[i][0]["heard"].shape[2])
        first = int(rng.integers(0, max(1, len(drawn) - options.batch)))
        chosen = [made[i] for i in drawn[first:first + options.batch]]
        model.train()
        each, _ = losses(model, [found for found, _ in chosen])
        loss = sum(a * w[0] + OF_FUNCTIONS * b * w[1] for (a, b), (_, w) in zip(each, chosen)) / len(chosen)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        model.eval()
        keep = min(0.99, (step + 1) / (step + 10))
        with torch.no_grad():
            for a, p in zip(average.parameters(), model.parameters()):
                a.lerp_(p, 1 - keep)
        total.append(float(loss.detach()))
        if (step + 1) % options.every == 0 or step + 1 == options.steps:
            print(f"{step + 1}\t{np.mean(total):.4f}\t{time.time() - begun:.0f} s\t{figures(average, held)}", flush=True)
            total = []
    torch.save(dict(average=average.state_dict(), labels=NAMES), options.out)


if __name__ == "__main__":
    main()
