"""Trains the student. Resumable: RUN/last.pt holds everything, so the same command goes on where it ended.

RUN/log.tsv has a line each validation; RUN/best.pt is the model with the best validation measure."""
import argparse
import collections
import concurrent.futures
import math
import pathlib
import time
import warnings

import numpy as np
import torch
import torch.nn.functional as F

from data import GROUPS, MULTIPLE, NAMES, READINGS, STEM_STEP, STEMS, STEP, batch, load, only, same_function
from export import weights_of
from layers import Layers
from measure import f_measure, peaks
from model import WIDTH, Student, begin_with, parameters

OF_BEATS = torch.tensor([1.0, 1.5])  # weights of beats and downbeats in the loss
OF_FUNCTIONS = 0.08  # 0.05 until the eighth run
OF_READINGS = 0.004  # a misread beat then counts about three times as much as a frame that is wrong
OF_STEMS = 0.1       # whose the sound is has to be heard on the way; on its own it is not asked for
MARGIN = 2.0         # by which the true reading should lead


def misreading(odds, readings, widths):
    """[batch]: how far log-odds [batch][frames] are from telling the true reading, the first, from the others by their sum
    over the frames that the decoder would take for beats, each beat at its best place within 20 ms. The cross entropy of
    the readings, as if the true one had eight such frames in all; 0 where there is none."""
    sums = torch.stack([F.avg_pool1d(odds[:, None], w, 1, w // 2)[:, 0, :odds.shape[1]] * w
                        for w in range(1, int(widths.max()) + 1)], 1)
    sums = F.max_pool1d(sums, 5, 1, 2)
    crop, reading, frame = readings.nonzero(as_tuple=True)
    scores = torch.zeros(readings.shape[:2]).index_put(
        (crop, reading), sums[crop, widths[crop, reading] - 1, frame], accumulate=True)
    places = readings.sum(2)
    scores = scores * 8 / (places[:, :1] * widths[:, :1]).clamp(min=1)
    scores = scores.masked_fill(places == 0, -1e4) + MARGIN * (torch.arange(scores.shape[1]) > 0)
    return torch.where(places[:, 0] > 0, -F.log_softmax(scores, 1)[:, 0], torch.zeros(()))


def loss_of(model, x, targets, functions, weights, shares, readings, widths, half=False, layers=None, stems=None):
    """stems: a layer from the student's last steps to the log-odds of the drums' and the voice's shares, or None."""
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        logits, labels, steps = model(x, layers)
    beat = F.binary_cross_entropy_with_logits(logits[:, :2], targets[:, :2], reduction="none").mean(2)
    section = F.binary_cross_entropy_with_logits(logits[:, 2], targets[:, 2], reduction="none").mean(1)
    per_label = -(functions.transpose(1, 2) * F.log_softmax(labels, 1)).sum(1).mean(1)
    # Downbeats, sections and labels are rarer than beats: the factors bring the terms to the same order.
    frames = (beat * weights[:, :2] * OF_BEATS).sum(1) + section * weights[:, 2] + OF_FUNCTIONS * per_label * weights[:, 3]
    # To the decoder a frame that is no beat is fifteen times as likely as its activation tells (its observation lambda is 16).
    level = misreading(logits[:, 0] + math.log(15), readings[:, :READINGS], widths[:, :READINGS])
    phase = misreading(logits[:, 1], readings[:, READINGS:], widths[:, READINGS:])
    loss = (frames + OF_READINGS * (level + phase)).mean()
    if stems:
        told = stems(F.avg_pool2d(steps, (1, STEM_STEP // 2)))[:, :, 0]
        wrong = F.binary_cross_entropy_with_logits(told, shares.clamp(min=0), reduction="none")
        loss = loss + OF_STEMS * (wrong * (shares >= 0)).mean()
    return loss


def validate(model, songs, limit=24, longest=12800):
    """Means over the songs, by group: beats, downbeats (70 ms), boundaries (3 s), label agreement; nan where the
    truth is not known. Of noise the first three are 1 where nothing is found and 0 elsewhere."""
    model.eval()
    groups, counts = {}, {}
    with torch.no_grad():
        for song in songs:
            group = song.group if song.rendered else "teacher"
            counts[group] = counts.get(group, 0) + (song.sure > 0.3)
            if song.sure <= 0.3 or counts[group] > limit:
                continue
            x = np.asarray(np.load(song.spec, mmap_mode="r")[:longest], np.float32)
            frames = len(x)
            x = np.pad(x, ((0, -frames % STEP), (0, 0)))
            logits, labels, _ = model(torch.from_numpy(x)[None])
            p = torch.sigmoid(logits[0]).numpy()[:, :frames]
            row = np.full(4, np.nan)
            row[0] = f_measure(peaks(p[0]), song.beats[song.beats < frames], 7)
            if song.downbeats_known:
                row[1] = f_measure(peaks(p[1], 0.2, 25), song.downbeats[song.downbeats < frames], 7)
            if song.form_known:
                row[2] = f_measure(peaks(p[2], 0.1, 300), [a for a, _, _ in song.segments[1:] if a < frames], 300)
            row[3] = same_function(labels[0].argmax(0).numpy(), song.segments)
            groups.setdefault(group, []).append(row)
    model.train()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column that is nothing but nan
        return {name: np.nanmean(rows, axis=0) for name, rows in groups.items()}


def optimiser_for(trained, rate, decay):
    """AdamW, whose decay leaves biases and norms alone."""
    return torch.optim.AdamW([{"params": [p for p in trained if p.dim() > 1], "weight_decay": decay},
                              {"params": [p for p in trained if p.dim() <= 1], "weight_decay": 0}],
                             lr=rate, betas=(0.9, 0.98))


def set_rate(optimiser, rate, step, steps, warm):
    """Rises for so many steps, then falls as half a cosine does, to a fiftieth."""
    rate = rate * min(1.0, (step + 1) / warm) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))
    for group in optimiser.param_groups:
        group["lr"] = rate


def descend(loss, trained, optimiser, model, average, keep):
    """One step, and the running average of the weights, of which the share `keep` stays."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimiser.step()
    with torch.no_grad():
        for a, p in zip(average.parameters(), model.parameters()):
            a.lerp_(p, 1 - keep)


class Batches:
    """Makes the batches ahead in other processes. The step's number seeds its batch: a resumed run sees what an
    unbroken one would, whoever made it."""

    def __init__(self, songs, seed, workers, *shape):
        self.pool = concurrent.futures.ProcessPoolExecutor(workers, initializer=Batches.begin,
                                                           initargs=(songs, seed, *shape))
        self.ahead, self.next, self.depth = collections.deque(), None, 2 * workers + 1

    @staticmethod
    def begin(songs, seed, *shape):
        Batches.fixed = songs, seed, shape
        torch.set_num_threads(1)

    @staticmethod
    def make(step):
        songs, seed, shape = Batches.fixed
        return batch(np.random.default_rng([seed, step]), songs, *shape)

    def get(self, step):
        if self.next is None:
            self.next = step
        while len(self.ahead) < self.depth:
            self.ahead.append(self.pool.submit(Batches.make, self.next))
            self.next += 1
        return map(torch.from_numpy, self.ahead.popleft().result())

    def close(self):
        for future in self.ahead:
            future.cancel()
        self.pool.shutdown()


def keep_state(folder, names, model, average, stems, optimiser, step, best, spent):
    state = dict(model=model.state_dict(), average=average.state_dict(), stems=stems.state_dict(),
                 optimiser=optimiser.state_dict(), step=step, best=best, spent=spent, labels=NAMES)
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
    parser.add_argument("--longer", type=float, default=0, help="share of the batches with fewer and longer crops, or a whole song")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--every", type=int, default=250, help="steps between validations")
    parser.add_argument("--save", type=int, default=25, help="steps between saved states")
    parser.add_argument("--workers", type=int, default=1, help="processes that make batches")
    parser.add_argument("--width", type=int, default=WIDTH)
    parser.add_argument("--half", action="store_true", help="products in bfloat16: 1.7 times as fast where the processor has them")
    parser.add_argument("--layers", type=pathlib.Path, help="build/libstudent_layers.so: the wide layers in float32, for processors without bfloat16")
    parser.add_argument("--start", type=pathlib.Path, help="weights to begin with: another run's RUN/last.pt, or an .a1w file")
    options = parser.parse_args()
    if options.layers and (options.half or options.width != WIDTH or options.frames % MULTIPLE):
        parser.error(f"--layers is for float32, a width of {WIDTH} and a multiple of {MULTIPLE} frames")
    layers = Layers(options.layers.resolve()) if options.layers else None
    options.run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    model = Student(options.width).to(memory_format=torch.channels_last)
    average = Student(options.width)
    stems = torch.nn.Conv2d(options.width, STEMS * GROUPS, 1)
    trained = [*model.parameters(), *stems.parameters()]
    optimiser = optimiser_for(trained, options.rate, 0.01)
    step, best, spent = 0, -1.0, 0.0
    last = options.run / "last.pt"
    if last.exists():
        state = torch.load(last)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        stems.load_state_dict(state["stems"])
        optimiser.load_state_dict(state["optimiser"])
        step, best, spent = state["step"], state["best"], state["spent"]
    else:
        if options.start:
            begin_with(model, weights_of(options.start))
        average.load_state_dict(model.state_dict())
    songs = load(options.data, ("train", "valid"))
    # The list is frozen when the run begins: what comes into DATA later does not change it.
    frozen = options.run / "songs.txt"
    if frozen.exists():
        songs = only(songs, frozen)
    else:
        frozen.write_text("\n".join(s.name for found in songs.values() for s in found), encoding="utf-8")
    print(parameters(model), "parameters,", {k: len(v) for k, v in songs.items()}, flush=True)
    batches = Batches(songs["train"], options.seed, options.workers, options.batch, options.frames, options.longer)
    total, begun = [], time.time()
    while step < options.steps:
        made = batches.get(step)
        set_rate(optimiser, options.rate, step, options.steps, 200)
        loss = loss_of(model, *made, options.half, layers, stems)
        descend(loss, trained, optimiser, model, average, min(0.998, (step + 1) / (step + 10)))
        total.append(float(loss.detach()))
        step += 1
        if step % options.save == 0 and step % options.every and step != options.steps:
            keep_state(options.run, ["last.pt"], model, average, stems, optimiser, step, best,
                       spent + time.time() - begun)
        if step % options.every == 0 or step == options.steps:
            figures = validate(average, songs["valid"])
            score = float(np.mean([np.nansum(f * (1, 0.7, 0.2, 0.1)) for f in figures.values()])) if figures else 0
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
            keep_state(options.run, ["last.pt"] + (["best.pt"] if better else []), model, average, stems, optimiser,
                       step, best, spent)


if __name__ == "__main__":
    main()
