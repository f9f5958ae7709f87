"""Trains a run's coarse branch alone, which tells functions and, with the steps, sections, on whole songs.

  coarse.py RUN/last.pt OUT.pt --data DATA --features FEATURES

What the branch hears, the pooled steps of the other layers, is worked out once for some versions of each song (FEATURES
has them, by these layers' digest: what is there is not worked out again), so that all songs are heard in minutes. It
learns from the real songs of the run that the full pipeline has labelled, and from the grooves and bands. OUT.pt is as a
run's, for export.py and tune_decoder.py; its beats and downbeats are the run's. Its branch is the one, of all that were
looked at, whose losses on the valid part are least, which may be the run's own."""
import argparse
import copy
import math
import pathlib
import time

import numpy as np
import torch
import torch.nn.functional as F

from data import NAMES, augment, form_weights, load, new_mix, new_stretch, only, same_function, whole_length
from export import digest_of, weights_of
from layers import Layers
from model import BRANCH, begin_with, pooled, section, student_like
from train import OF_FUNCTIONS, descend, optimiser_for, set_rate


class Version:
    """A song as it is (seed 0), or stretched, remixed and augmented as crops are: what the branch hears of it, [width][1]
    [frames/32], the steps' own section logits, [frames], and the targets."""

    def __init__(self, song, seed, listen, folder):
        rng = np.random.default_rng([seed, *song.spec.stem.encode()])
        stretch = new_stretch(rng, song) if seed else 1.0
        gains = new_mix(rng) if seed and song.shares else (1, 1)
        frames = len(np.load(song.spec, mmap_mode="r"))
        length = whole_length(frames, stretch)
        x, _, _, sections, functions, *_ = song.crop(0, length, stretch, gains)
        path = folder / f"{song.spec.stem}_{seed}.pt"
        if not path.exists():
            work = path.with_suffix(".tmp")
            torch.save(listen(augment(rng, x) if seed and rng.random() < 0.85 else x), work)
            work.rename(path)
        self.heard, self.fine = torch.load(path)
        self.sections, self.functions = torch.from_numpy(sections).half(), torch.from_numpy(functions).half()
        self.weights, self.segments = form_weights(song), song.segments


def listener(model, half, layers):
    """x [frames][81] to what a Version keeps of it."""
    def listen(x):
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=half):
            steps = model.steps(torch.from_numpy(x.astype(np.float32))[None], layers)
            return pooled(steps)[0].half(), model.fine_heads(steps)[0, 2].half()
    return listen


def losses(model, versions):
    """[(loss of sections, of functions)] of some versions side by side, with nothing beyond their ends; and the functions
    that the branch says."""
    lengths = [v.heard.shape[2] for v in versions]
    heard = torch.zeros(len(versions), len(versions[0].heard), 1, max(lengths))
    inside = torch.zeros(len(versions), 1, 1, max(lengths))
    for i, (v, n) in enumerate(zip(versions, lengths)):
        heard[i, :, :, :n], inside[i, :, :, :n] = v.heard.float(), 1
    said = [context[:, :n] for context, n in zip(model.branch(heard, None, inside), lengths)]
    out = []
    for context, v in zip(said, versions):
        logits = section(v.fine.float()[None], context[None])[0]
        of_sections = F.binary_cross_entropy_with_logits(logits, v.sections.float())
        out.append((of_sections, -(v.functions.float().t() * F.log_softmax(context[1:], 0)).sum(0).mean()))
    return out, [context[1:].detach().argmax(0).numpy() for context in said]


def figures(model, versions):
    """Means over songs as they are: the loss of sections, of functions, and the share of the time with the true one."""
    rows = []
    with torch.no_grad():
        for version in versions:
            [pair], [said] = losses(model, [version])
            rows.append((*map(float, pair), same_function(said, version.segments)))
    return np.mean(rows, axis=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path, help="RUN/last.pt; with RUN/songs.txt, of these songs")
    parser.add_argument("out", type=pathlib.Path, help="for export.py and tune_decoder.py")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--features", type=pathlib.Path, required=True)
    parser.add_argument("--versions", type=int, default=8, help="of each real song; a rendered one is heard as it is")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--every", type=int, default=50, help="steps between figures")
    parser.add_argument("--half", action="store_true", help="the other layers' products in bfloat16")
    parser.add_argument("--layers", type=pathlib.Path, help="build/libstudent_layers.so: these layers in float32")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    weights = weights_of(options.run)
    model = begin_with(student_like(weights), weights).eval()
    average = copy.deepcopy(model)
    songs = load(options.data, ("train", "valid"))
    if (options.run.parent / "songs.txt").exists():
        songs = only(songs, options.run.parent / "songs.txt")
    others = [(name, value.numpy()) for name, value in weights.items() if name.split(".")[0] not in BRANCH]
    folder = options.features / digest_of(others)[:16]
    folder.mkdir(parents=True, exist_ok=True)
    listen = listener(model, options.half, Layers(options.layers.resolve()) if options.layers else None)
    count = lambda song: 1 if song.rendered else options.versions
    taught = [s for s in songs["train"] if s.form_known and s.kind in ("real", "grooves", "bands") and not s.weak]
    versions = [Version(s, seed, listen, folder) for s in taught for seed in range(count(s))]
    held = [Version(s, 0, listen, folder) for s in songs["valid"] if s.kind == "real"]
    if not taught or not held:
        raise SystemExit("no songs to learn from, or none of the valid part, are labelled")
    best, least = copy.deepcopy(average), math.inf
    trained = [p for name, p in model.named_parameters() if name.split(".")[0] in BRANCH]
    optimiser = optimiser_for(trained, options.rate, 0.02)
    begun, total = time.time(), []
    print(f"{len(versions)} versions of {len(taught)} songs; step, loss, s; of {len(held)} valid songs the losses and labels")
    model.train()
    for step in range(options.steps + 1):
        if step % options.every == 0 or step == options.steps:
            row = figures(average, held)
            loss = row[0] + OF_FUNCTIONS * row[1]
            if loss < least:
                best, least = copy.deepcopy(average), loss
            print(f"{step}\t{np.mean(total or [np.nan]):.4f}\t{time.time() - begun:.0f}\t" +
                  " ".join(f"{value:.4f}" for value in row), flush=True)
            total = []
        if step == options.steps:
            break
        set_rate(optimiser, options.rate, step, options.steps, 30)
        # One of four batches of like length: little is worked out for what lies beyond an end.
        rng = np.random.default_rng([8, step])
        drawn = rng.choice(len(versions), min(len(versions), 4 * options.batch), replace=False)
        parts = np.array_split(sorted(drawn, key=lambda i: versions[i].heard.shape[2]), 4)
        chosen = [versions[i] for i in parts[rng.integers(4)]]
        each, _ = losses(model, chosen)
        loss = sum(a * v.weights[0] + OF_FUNCTIONS * b * v.weights[1] for (a, b), v in zip(each, chosen)) / len(chosen)
        descend(loss, trained, optimiser, model, average, min(0.99, (step + 1) / (step + 10)))
        total.append(float(loss.detach()))
    work = options.out.with_suffix(".tmp")
    torch.save(dict(average=best.state_dict(), labels=NAMES), work)
    work.rename(options.out)


if __name__ == "__main__":
    main()
