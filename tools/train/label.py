"""The teacher's word on the songs of DATA/songs.tsv, or with --played of DATA/played.tsv: soft activations at every frame
from the full pipeline.

Writes DATA/teacher/ID.npz: beat, downbeat, segment [frames], label [10][frames], float16, and
DATA/teacher/ID.shares.npy: the drums' and the voice's shares of the mix's power. A song that is labelled is skipped.
With --weak the teacher works without its separator (--demix none), ten times as fast, on the training songs that have
no label yet, into DATA/weak; its activations are averaged with those of the student that the program has, which hears
the functions better: those are the student's alone. With --own all is the student's, of the training songs that
student_songs.tsv lists, which it learnt from the full pipeline when that could be asked; --weak then leaves them alone."""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import time

import numpy as np

from songs import read_table


def shares(folder):
    """How much of the stems' power in each frame and band is the drums', and the voice's: [2][frames][81], in 255ths."""
    [path] = folder.rglob("*.npy")
    power = np.square(np.expm1(np.load(path) * np.float32(np.log(10))))  # bass, drums, other, vocals
    return np.round(255 * power[[1, 3]] / np.maximum(power.sum(axis=0), 1e-12)).astype(np.uint8)


def listen(options, song, out, *arguments):
    """The folder of the program's result and activations of a song, or None, when the reason is told."""
    run = subprocess.run([options.program, "-q", "-a", "-o", out, "--threads", str(options.threads), *arguments, song],
                         capture_output=True, text=True)
    if run.returncode:
        print("cannot label", song.resolve(), run.stderr.strip()[-300:], file=sys.stderr, flush=True)
        return None
    return out


def activations(folder):
    [arrays] = folder.rglob("*.npz")
    with np.load(arrays) as values:
        return {name: values[name].astype(np.float32) for name in ("beat", "downbeat", "segment", "label")}


def label(options, row, target):
    work = target.parent / f".{row['id']}.{os.getpid()}"
    work.mkdir(parents=True, exist_ok=True)
    try:
        song = work / ("song" + pathlib.Path(row["path"]).suffix)
        song.symlink_to((options.music / row["path"]).resolve())
        full = ("-m", "harmonix-all", "-k", "--spec-dir", work / "spec")
        if options.own:
            how = ("-m", "student")
        elif options.weak:
            how = (*full, "--demix", "none")
        else:
            how = (*full, "--precision", options.precision, "--demix-dir", work / "demix")
        out = listen(options, song, work / "out", *how)
        if out is None:
            return
        soft = activations(out)
        if options.weak:
            student = listen(options, song, work / "student", "-m", "student")
            if student is None:
                return
            for name, values in activations(student).items():
                mine = 1 if name == "label" else 1 / 2
                soft[name] = (1 - mine) * soft[name] + mine * values
        np.savez(work / "done.npz", **{name: values.astype(np.float16) for name, values in soft.items()})
        if not options.own:
            np.save(work / "shares.npy", shares(work / "spec"))
            (work / "shares.npy").rename(target.with_suffix(".shares.npy"))
        [result] = out.rglob("*.json")
        result.rename(target.with_suffix(".json"))
        (work / "done.npz").rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--music", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--program", type=os.path.abspath, required=True, help="build/allin1")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--per-package", type=int, default=24)
    parser.add_argument("--first", help="the part to begin with: train, valid or test")
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--played", action="store_true", help="the pieces that played.py made")
    other.add_argument("--weak", action="store_true")
    other.add_argument("--own", action="store_true")
    parser.add_argument("--step", type=int, default=1, help="several runs: every STEP-th song,")
    parser.add_argument("--offset", type=int, default=0, help="beginning with this one")
    options = parser.parse_args()
    weak = options.weak or options.own
    folder = options.data / ("weak" if weak else "teacher")
    folder.mkdir(parents=True, exist_ok=True)
    rows = [r for r in read_table(options.data / ("played.tsv" if options.played else "songs.tsv"))
            if int(r["rank"]) < options.per_package]
    if options.own:
        learnt = {r["id"] for r in read_table(pathlib.Path(__file__).with_name("student_songs.tsv"))}
        rows = [r for r in rows if r["id"] in learnt]
    if options.first:
        rows.sort(key=lambda r: r["part"] != options.first)
    for row in rows[options.offset::options.step]:
        target = folder / f"{row['id']}.npz"
        if weak and (row["part"] != "train" or (options.data / "teacher" / target.name).exists()):
            continue
        if not target.exists():
            start = time.time()
            label(options, row, target)
            print(f"{time.time() - start:.0f} s for {row['seconds']} s of {row['path']}", flush=True)


if __name__ == "__main__":
    main()
