"""The beat decoder's two constants for a student's weights file: how steady the tempo is (the transition lambda), and
below which activation there is no music (the threshold).

  tune_decoder.py RUN.pt --data DATA --build BUILD

The decoder looks for beats between the first and the last frame that reach the threshold. Each value is tried on the
songs of the valid part, from their kept spectrograms (tools/hear_spectrogram.c): F of beats and of downbeats (70 ms),
against the full pipeline or the truth, all songs alike; noise counts 1 when nothing is heard in it, else 0. Prints a
line each, first for the lambdas, then, with the chosen one, for the thresholds. What is within 0.003 of the best, by the
mean of beats and downbeats, counts as equal (150 songs do not tell it apart), and the nearest to the reference's 100 and
0.24 is taken: other music may be freer than this. The last two lines are options of export.py."""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from measure import f_measure
from songs import read_table

LAMBDAS = [50, 100, 150, 200, 300, 400]
THRESHOLDS = [0.15, 0.2, 0.24, 0.3, 0.35, 0.4, 0.5, 0.6]


def load(path):
    return json.loads(path.read_text())


def references(data):
    """{name: result or truth} of the valid part."""
    ids = [r["id"] for r in read_table(data / "songs.tsv") if r["part"] == "valid"]
    found = {i: load(data / "teacher" / f"{i}.json") for i in ids if (data / "teacher" / f"{i}.json").exists()}
    for path in sorted((data / "truth").glob("*.json")):
        truth = load(path)
        if truth["part"] == "valid":
            found[path.stem] = truth
    return {name: truth for name, truth in found.items() if (data / "spec" / f"{name}.npy").exists()}


def score(options, songs, threshold, steadiness):
    """Prints the figures of these constants; the mean of beats and downbeats."""
    beats, downbeats, silent = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        weights = pathlib.Path(folder) / "student.a1w"
        subprocess.run([sys.executable, pathlib.Path(__file__).with_name("export.py"), options.run, weights,
                        "--threshold", str(threshold), "--transition-lambda", str(steadiness)], check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run([os.path.join(options.build, "hear_spectrogram"), "--beats", weights, folder] +
                       [options.data / "spec" / f"{name}.npy" for name in songs], check=True)
        for name, truth in songs.items():
            heard = load(pathlib.Path(folder) / f"{name}.json")
            if not truth["beats"]:
                silent.append(float(not heard["beats"]))
                continue
            beats.append(f_measure(heard["beats"], truth["beats"], 0.07))
            if truth.get("downbeats_known", True):
                downbeats.append(f_measure(heard["downbeats"], truth["downbeats"], 0.07))
    noise = f"{int(sum(silent))} of {len(silent)}"
    print(f"{steadiness:6d} {threshold:9.2f}  {np.mean(beats):.3f}     {np.mean(downbeats):.3f}  {noise:>15s}", flush=True)
    return (np.mean(beats + silent) + np.mean(downbeats + silent)) / 2


def choose(scores, reference):
    good = [value for value in scores if scores[value] >= max(scores.values()) - 0.003]
    return min(good, key=lambda value: abs(np.log(value / reference)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--build", type=os.path.abspath, required=True, help="with hear_spectrogram")
    options = parser.parse_args()
    songs = references(options.data)
    print(f"{len(songs)} songs\nlambda threshold  beats downbeats  silent on noise")
    steadiness = choose({value: score(options, songs, 0.24, value) for value in LAMBDAS}, 100)
    threshold = choose({value: score(options, songs, value, steadiness) for value in THRESHOLDS}, 0.24)
    print("--transition-lambda", steadiness)
    print("--threshold", threshold)


if __name__ == "__main__":
    main()
