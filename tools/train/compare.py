"""Results against the teacher's, by part and package: F of beats and downbeats (70 ms) and of boundaries (3 s),
share of the songs' time with the same label.

  compare.py TEACHER_DIR OTHER_DIR DATA: ID.json in both folders; parts and packages from DATA/songs.tsv.

A song counts as "unsure" where is_sure says so of the teacher's activations, if they are kept beside its result."""
import json
import pathlib
import sys

import numpy as np

from measure import f_measure
from songs import read_table


def agreement(a, b):
    n = int(max([s["end"] for s in a] + [0]) * 10)
    def line(segments):
        out = [""] * n
        for s in segments:
            for i in range(int(s["start"] * 10), min(n, int(s["end"] * 10))):
                out[i] = s["label"]
        return out
    x, y = line(a), line(b)
    return float(np.mean([p == q for p, q in zip(x, y)])) if n else 1.0


def figures(a, b):
    return [f_measure(b["beats"], a["beats"], 0.07), f_measure(b["downbeats"], a["downbeats"], 0.07),
            f_measure([s["start"] for s in b["segments"][1:]], [s["start"] for s in a["segments"][1:]], 3.0),
            agreement(a["segments"], b["segments"])]


def beat_activation(result, arrays):
    """Its mean over a teacher's beats, from its activations or from what teacher_results.py kept of them."""
    if "beat_activation" in result:
        return result["beat_activation"]
    with np.load(arrays) as values:
        beat = values["beat"].astype(float)
    at = np.clip(np.round(np.array(result["beats"]) * 100).astype(int), 0, len(beat) - 1)
    return float(beat[at].mean()) if len(at) else 0.0


def is_sure(result, arrays):
    """Of a teacher's result and activations: more than eight beats, whose mean activation is 0.4 or more."""
    return len(result["beats"]) > 8 and beat_activation(result, arrays) >= 0.4


if __name__ == "__main__":
    reference, other, data = map(pathlib.Path, sys.argv[1:4])
    rows = {r["id"]: r for r in read_table(data / "songs.tsv")}
    groups = {}
    for path in sorted(other.glob("*.json")):
        r = reference / path.name
        if not r.exists() or path.stem not in rows:
            continue
        a, b = json.loads(r.read_text()), json.loads(path.read_text())
        row = figures(a, b)
        arrays = r.with_suffix(".npz")
        sure = not (arrays.exists() or "beat_activation" in a) or is_sure(a, arrays)
        song = rows[path.stem]
        for g in [song["part"] + " " + song["package"], song["part"] + (" sure" if sure else " unsure"), song["part"] + " all"]:
            groups.setdefault(g, []).append(row)
    for name, values in sorted(groups.items()):
        print(f"{name:34s} {len(values):3d}  " + " ".join(f"{v:.3f}" for v in np.mean(values, axis=0)))
