"""The program with a student over whole songs, and how good it is: the tables of docs/TRAINING.md.

  figures.py --music MUSIC --data DATA --build BUILD --work WORK [--model student.a1w] [--parts test]

Real songs against the full pipeline's result (DATA/teacher), by package and by whether the full pipeline is sure;
rendered ones, rendered again with their sound kept, against the truth (DATA/truth), by kind, metre and motion of the
tempo; and what is heard in silence and noise. Columns: F of beats and downbeats (70 ms), F of boundaries (3 s), share of
the time with the same label. WORK keeps results and sound, so that a second run makes only what has changed: WORK/real
and WORK/rendered have the results that calibrate.py reads."""
import argparse
import csv
import json
import pathlib
import shutil
import stat
import subprocess
import tempfile

import numpy as np

import render
from check import write_sound
from compare import figures

RATE, SECONDS = 44100, 60
KEEPER = """#!/bin/sh
# In the place of mix_spectrogram: keeps the sound that it is given, without loss.
set -e
case $1 in
*.mp3) cp "$1" "$KEEP.mp3" ;;
*) ffmpeg -v error -y -i "$1" -c:a flac "$KEEP.part.flac" && mv "$KEEP.part.flac" "$KEEP.flac" ;;
esac
exec {tool} "$@"
"""


def listen(options, songs, out):
    """Runs the program over {name: sound}; results are out/NAME.json."""
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        links = []
        for name, path in sorted(songs.items()):
            links.append(pathlib.Path(folder) / (name + path.suffix))
            links[-1].symlink_to(path.resolve())
        for first in range(0, len(links), 100):
            subprocess.run([options.build / "allin1", "-q", "-m", options.model, "-o", out] + links[first:first + 100])


def load(path):
    return json.loads(path.read_text())


def table(title, groups):
    if groups:
        print(f"\n{title:34s} songs  beats downbeats boundaries labels")
    for name, rows in sorted(groups.items()):
        means = np.mean(rows, axis=0)
        print(f"{name:34s} {len(rows):5d}  {means[0]:.3f}     {means[1]:.3f}      {means[2]:.3f}  {means[3]:.3f}")


def is_sure(result, arrays):
    """As compare.py has it: more than eight beats, whose mean activation is 0.4 or more."""
    with np.load(arrays) as values:
        beat = values["beat"].astype(float)
    at = np.clip(np.round(np.array(result["beats"]) * 100).astype(int), 0, len(beat) - 1)
    return len(at) > 8 and beat[at].mean() >= 0.4


def real_songs(options):
    with open(options.data / "songs.tsv", encoding="utf-8") as lines:
        rows = [r for r in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if r["part"] in options.parts]
    rows = [r for r in rows if (options.data / "teacher" / f"{r['id']}.npz").exists()]
    out = options.work / "real"
    listen(options, {r["id"]: options.music / r["path"] for r in rows}, out)
    groups = {}
    for row in rows:
        path = out / f"{row['id']}.json"
        if not path.exists():
            continue
        teacher = options.data / "teacher" / row["id"]
        result = load(teacher.with_suffix(".json"))
        values = figures(result, load(path))
        sure = "the full pipeline is sure" if is_sure(result, teacher.with_suffix(".npz")) else "it is unsure"
        for name in (row["package"], "~ " + sure, "~ all"):
            groups.setdefault(row["part"] + " " + name, []).append(values)
    table("against the full pipeline", groups)


def render_again(options, seed, families, truth):
    """The song's sound, rendered as it was; None when it does not come out the same."""
    kept = options.work / "sound" / f"r_{seed:05d}"
    for suffix in (".flac", ".mp3"):
        if kept.with_suffix(suffix).exists():
            return kept.with_suffix(suffix)
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        work = pathlib.Path(folder)
        for name in ("spec", "truth", "song"):
            (work / name).mkdir()
        keeper = work / "keeper.sh"
        keeper.write_text(KEEPER.format(tool=(options.build / "mix_spectrogram").resolve()).replace("$KEEP", str(kept)))
        keeper.chmod(keeper.stat().st_mode | stat.S_IXUSR)
        try:
            render.make(seed, families, keeper, work, work / "song")
            same = load(work / "truth" / f"r_{seed:05d}.json")["beats"] == truth["beats"]
        except (RuntimeError, subprocess.CalledProcessError, ValueError, StopIteration) as error:
            print("no song", seed, error)
            same = False
    found = [kept.with_suffix(s) for s in (".flac", ".mp3") if kept.with_suffix(s).exists()]
    if not same:
        for path in found:
            path.unlink()
        return None
    return found[0]


def rendered_songs(options):
    if not shutil.which("mma") or not shutil.which("fluidsynth"):
        print("\nrendered songs are left out: mma and fluidsynth are needed")
        return
    (options.work / "sound").mkdir(exist_ok=True)
    families, songs, truths = render.families(), {}, {}
    for path in sorted((options.data / "truth").glob("r_*.json")):
        truth = load(path)
        if truth["part"] not in options.parts:
            continue
        sound = render_again(options, int(path.stem[2:]), families, truth)
        if sound:
            songs[path.stem], truths[path.stem] = sound, truth
    out = options.work / "rendered"
    listen(options, songs, out)
    groups = {}
    for name, truth in truths.items():
        if not (out / f"{name}.json").exists():
            continue
        true = dict(truth, segments=[dict(start=a, end=b, label=label) for a, b, label in truth["segments"]])
        values = figures(true, load(out / f"{name}.json"))
        kind = "with drums" if truth["kind"] == "full" else "drumless"
        names = [kind, "~ all", f"{kind}, {truth['motion']}", f"{kind}, {truth['beats_per_bar']} beats a bar"]
        for group in names + ([f"drumless, {truth['kind']}"] if kind == "drumless" else []):
            groups.setdefault(truth["part"] + " " + group, []).append(values)
    table("against the truth", groups)


def nothing(options):
    """A minute each of what has no beat."""
    rng = np.random.default_rng(1)
    white = rng.normal(0, 1, SECONDS * RATE)
    spectrum = np.fft.rfft(white)
    frequency = np.maximum(np.arange(len(spectrum)), 20)
    pink, brown = (np.fft.irfft(spectrum / frequency ** power, len(white)) for power in (0.5, 1))
    time = np.arange(len(white)) / RATE
    swell = np.interp(time, np.arange(0, SECONDS + 2, 2), rng.uniform(0.05, 1, SECONDS // 2 + 1))
    hum = sum(np.sin(2 * np.pi * 50 * k * time) / k for k in (1, 2, 3, 5))
    kinds = {"silence": 0 * white, "quiet noise": 1e-3 * white, "white noise": white, "pink noise": pink,
             "brown noise": brown, "swelling noise": pink * swell, "hum": hum, "hum in noise": hum + 0.2 * white}
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        work, songs = pathlib.Path(folder), {}
        for name, values in kinds.items():
            songs[name] = work / (name + ".wav")
            loudest = np.abs(values).max()
            loud = 20 if name == "quiet noise" else 12000
            write_sound(songs[name], values / loudest * loud if loudest > 0 else values)
        listen(options, songs, options.work / "nothing")
    print(f"\n{'a minute of':34s} beats boundaries")
    for name in kinds:
        result = load(options.work / "nothing" / f"{name}.json")
        print(f"{name:34s} {len(result['beats']):5d} {max(0, len(result['segments']) - 1):10d}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--music", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="with allin1 and mix_spectrogram")
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--model", default="student", help="student (default), a .a1w file, or any other")
    parser.add_argument("--parts", default="test", help="test (default), or valid,test")
    parser.add_argument("--real-only", action="store_true", help="leave out the rendered songs, which take a while")
    options = parser.parse_args()
    options.parts = options.parts.split(",")
    options.work.mkdir(parents=True, exist_ok=True)
    real_songs(options)
    if not options.real_only:
        rendered_songs(options)
    nothing(options)


if __name__ == "__main__":
    main()
