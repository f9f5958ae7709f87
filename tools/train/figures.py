"""The program with a student over whole songs, and how good it is: the tables of docs/TRAINING.md.

  figures.py --music MUSIC --data DATA --build BUILD --work WORK [--model student.a1w] [--parts test]

Real songs against the full pipeline's result (DATA/teacher), by package and by whether the full pipeline is sure;
rendered ones, from their kept spectrograms, against the truth (DATA/truth), by kind, metre and motion of the tempo; and
what is heard in silence and noise. Columns: F of beats and downbeats (70 ms), F of boundaries (3 s), share of the time
with the same label; - where the truth is not known. WORK/real and WORK/rendered keep the results, which calibrate.py
reads."""
import argparse
import json
import os
import pathlib
import subprocess
import tempfile

import numpy as np

from compare import figures, is_sure
from data import SOURCES
from songs import read_table
from sound import write_sound

RATE, SECONDS = 44100, 60


def listen(options, songs, out):
    """Runs the program over {name: sound}; results are out/NAME.json."""
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        links = []
        for name, path in sorted(songs.items()):
            links.append(pathlib.Path(folder) / (name + path.suffix))
            links[-1].symlink_to(path.resolve())
        for first in range(0, len(links), 100):
            subprocess.run([os.path.join(options.build, "allin1"), "-q", "-m", options.model, "-o", out] +
                           links[first:first + 100])


def load(path):
    return json.loads(path.read_text())


def table(title, groups):
    if groups:
        print(f"\n{title:34s} songs  beats downbeats boundaries labels")
    for name, rows in sorted(groups.items()):
        known = [column[~np.isnan(column)] for column in np.array(rows, float).T]
        means = [f"{column.mean():.3f}" if len(column) else "-" for column in known]
        print(f"{name:34s} {len(rows):5d}  {means[0]:5s}  {means[1]:9s} {means[2]:10s} {means[3]}")


def real_songs(options):
    rows = [r for r in read_table(options.data / "songs.tsv") if r["part"] in options.parts]
    rows = [r for r in rows if (options.data / "teacher" / f"{r['id']}.json").exists()]
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


def rendered_songs(options):
    """From their kept spectrograms: tools/hear_spectrogram.c runs the program's own stages on them."""
    out = options.work / "rendered"
    out.mkdir(exist_ok=True)
    truths = {p.stem: load(p) for p in sorted((options.data / "truth").glob("*.json"))}
    truths = {name: truth for name, truth in truths.items() if truth["part"] in options.parts}
    specs = [options.data / "spec" / f"{name}.npy" for name in truths]
    for first in range(0, len(specs), 100):
        subprocess.run([os.path.join(options.build, "hear_spectrogram"), options.model, out] + specs[first:first + 100])
    groups, found = {}, {}
    for name, truth in truths.items():
        if not (out / f"{name}.json").exists():
            continue
        result = load(out / f"{name}.json")
        if not truth["beats"]:
            found.setdefault(f"{truth['part']} {truth['kind']}", []).append(len(result["beats"]))
            continue
        true = dict(truth, segments=[dict(start=a, end=b, label=label) for a, b, label in truth["segments"]])
        values = np.array(figures(true, result))
        if not truth.get("downbeats_known", True):
            values[1] = np.nan
        if not truth["segments"]:
            values[2:] = np.nan
        kind = "drumless" if truth["kind"] in ("drumless", "soft", "solo") else "with drums"
        source = SOURCES[name[0]][0]
        for group in ("~ all", f"~ {kind}", f"{source}, {truth['kind']}", f"~ {kind}, {truth.get('motion', 'steady')}",
                      f"~ {kind}, {truth['beats_per_bar']} beats a bar"):
            groups.setdefault(truth["part"] + " " + group, []).append(values)
    table("against the truth", groups)
    if found:
        print(f"\n{'beats heard where there are none':34s} songs  of them with beats  beats")
    for name, counts in sorted(found.items()):
        print(f"{name:34s} {len(counts):5d}  {sum(c > 0 for c in counts):18d}  {sum(counts):5d}")


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
    parser.add_argument("--build", type=os.path.abspath, required=True, help="with allin1 and hear_spectrogram")
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--model", default="student", help="student (default), a .a1w file, or any other")
    parser.add_argument("--parts", default="test", help="test (default), or valid,test")
    options = parser.parse_args()
    options.parts = options.parts.split(",")
    options.work.mkdir(parents=True, exist_ok=True)
    real_songs(options)
    rendered_songs(options)
    nothing(options)


if __name__ == "__main__":
    main()
