"""The full pipeline's results on the held-out real songs, as teacher_results.tsv keeps them: a student can be measured
where asking the full pipeline again would take hours.

  teacher_results.py --data DATA           DATA/teacher/ID.json of those songs of DATA/songs.tsv that have none
  teacher_results.py --data DATA --keep    teacher_results.tsv from DATA/teacher

For figures.py, calibrate.py and tune_decoder.py; training needs the activations, which are not kept. A song is known by
the first digits of its file's SHA-256, so that another version of it is another song. Times are in hundredths of a
second: the first beat and the intervals after it; the beats' positions in the bar; the sections' starts and labels, and
the end of the last. `activation` is the mean of the beat activation over the beats (compare.py's is_sure)."""
import argparse
import csv
import json
import pathlib

from compare import beat_activation
from songs import read_table

TABLE = pathlib.Path(__file__).with_name("teacher_results.tsv")
COLUMNS = ["part", "id", "precision", "activation", "beats", "positions", "sections"]


def hundredths(seconds):
    return round(100 * seconds)


def row_of(part, name, result, activation):
    beats = [hundredths(t) for t in result["beats"]]
    segments = result["segments"]
    sections = [f"{hundredths(s['start'])} {s['label']}" for s in segments]
    return {"part": part, "id": name, "precision": result["provenance"]["stems"]["precision"],
            "activation": f"{activation:.4f}",
            "beats": " ".join(str(b - a) for a, b in zip([0] + beats, beats)),
            "positions": "".join(map(str, result["beat_positions"])),
            "sections": " ".join(sections + [str(hundredths(s["end"])) for s in segments[-1:]])}


def result_of(row):
    beats, time = [], 0
    for interval in row["beats"].split():
        time += int(interval)
        beats.append(time / 100)
    words = row["sections"].split()
    edges = [int(word) / 100 for word in words[::2]]
    return {"beats": beats, "downbeats": [t for t, position in zip(beats, row["positions"]) if position == "1"],
            "beat_positions": [int(position) for position in row["positions"]],
            "segments": [dict(start=a, end=b, label=label) for a, b, label in zip(edges, edges[1:], words[1::2])],
            "beat_activation": float(row["activation"])}


def keep(data):
    rows = []
    for song in read_table(data / "songs.tsv"):
        path = data / "teacher" / f"{song['id']}.json"
        arrays = path.with_suffix(".npz")
        if song["part"] != "train" and arrays.exists():
            result = json.loads(path.read_text())
            rows.append(row_of(song["part"], song["id"], result, beat_activation(result, arrays)))
    with TABLE.open("w", encoding="utf-8", newline="") as out:
        table = csv.DictWriter(out, COLUMNS, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE)
        table.writeheader()
        table.writerows(sorted(rows, key=lambda row: (row["part"], row["id"])))
    print(len(rows), "songs kept")


def spread(data):
    teacher = data / "teacher"
    teacher.mkdir(exist_ok=True)
    there = {song["id"] for song in read_table(data / "songs.tsv")}
    rows = [row for row in read_table(TABLE) if row["id"] in there]
    new = [row for row in rows if not (teacher / f"{row['id']}.json").exists()]
    for row in new:
        (teacher / f"{row['id']}.json").write_text(json.dumps(result_of(row)) + "\n")
    print(f"{len(new)} of {len(rows)} songs had no result of the full pipeline")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    (keep if options.keep else spread)(options.data)


if __name__ == "__main__":
    main()
