"""Below which activation there is no music: the threshold for a student's weights file.

  threshold.py RUN.pt --data DATA --build BUILD

The decoder looks for beats between the first and the last frame that reach the threshold. Each is tried on the songs of
the valid part, from their kept spectrograms (tools/hear_spectrogram.c): F of beats and of downbeats (70 ms), against
the full pipeline or the truth; noise counts 1 when nothing is heard in it, else 0. Prints a line each, and the best by
the mean of beats and downbeats; a tie goes to the higher one. Then: export.py RUN.pt student.a1w --threshold BEST"""
import argparse
import csv
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from measure import f_measure

CHOICES = [0.15, 0.2, 0.24, 0.3, 0.35, 0.4, 0.5, 0.6]


def load(path):
    return json.loads(path.read_text())


def references(data):
    """{name: result or truth} of the valid part."""
    with open(data / "songs.tsv", encoding="utf-8") as lines:
        ids = [r["id"] for r in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if r["part"] == "valid"]
    found = {i: load(data / "teacher" / f"{i}.json") for i in ids if (data / "teacher" / f"{i}.json").exists()}
    for path in sorted((data / "truth").glob("*.json")):
        truth = load(path)
        if truth["part"] == "valid":
            found[path.stem] = truth
    return {name: truth for name, truth in found.items() if (data / "spec" / f"{name}.npy").exists()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="with hear_spectrogram")
    options = parser.parse_args()
    songs, scores = references(options.data), {}
    print(f"{len(songs)} songs\nthreshold  beats downbeats  silent on noise")
    with tempfile.TemporaryDirectory() as folder:
        weights = pathlib.Path(folder) / "student.a1w"
        for threshold in CHOICES:
            subprocess.run([sys.executable, pathlib.Path(__file__).with_name("export.py"), options.run, weights,
                            "--threshold", str(threshold)], check=True, stdout=subprocess.DEVNULL)
            subprocess.run([options.build / "hear_spectrogram", "--beats", weights, folder] +
                           [options.data / "spec" / f"{name}.npy" for name in songs], check=True)
            beats, downbeats, silent = [], [], []
            for name, truth in songs.items():
                heard = load(pathlib.Path(folder) / f"{name}.json")
                if not truth["beats"]:
                    silent.append(float(not heard["beats"]))
                    continue
                beats.append(f_measure(heard["beats"], truth["beats"], 0.07))
                if truth.get("downbeats_known", True):
                    downbeats.append(f_measure(heard["downbeats"], truth["downbeats"], 0.07))
            scores[threshold] = (np.mean(beats + silent) + np.mean(downbeats + silent)) / 2
            noise = f"{int(sum(silent))} of {len(silent)}"
            print(f"{threshold:9.2f}  {np.mean(beats):.3f}     {np.mean(downbeats):.3f}  {noise:>15s}", flush=True)
    print("best:", max(scores, key=lambda t: (round(scores[t], 4), t)))


if __name__ == "__main__":
    main()
