"""Pieces of the songs that the teacher is sure of, played slower and faster, to ask it about them too. Of songs that it has
not been asked about, those of which the word in DATA/weak (label.py --own or --weak) is sure.

  played.py --music MUSIC --data DATA --tool BUILD/mix_spectrogram

Writes MUSIC/played/ID.flac, DATA/spec/ID.npy and DATA/played.tsv, which has the columns of songs.tsv; label.py asks the
teacher. Where another level of the metre becomes the beat as the tempo changes is so the teacher's own word, which no
stretching of its labels tells. A piece's rank is a lot: label.py --per-package N takes N of LOTS. Half of a change (as
a ratio) changes the pitch too, as a turntable's does, the other half does not: each alone would be a sound of its own
by which to tell these songs from others."""
import argparse
import json
import os
import pathlib
import subprocess

import numpy as np

from compare import is_sure
from data import word_on
from songs import read_table, spectrogram, write_table

SLOWER, FASTER = (0.70, 0.86), (1.16, 1.40)  # times as fast
BEATS_ASKED = 60, 215  # beats a minute of such a piece
BEATS_SLOW = 70, 92    # of two pieces more: here the double is most often taken for the beat
SPEEDS_SLOW = 0.65, 0.95  # times as fast that a song may be played for that
LONGEST, SHORTEST = 66, 30  # s of a piece
LOTS = 20


def play(song, target, start, speed):
    """The piece from `start` (s), so many times as fast; whether there is one."""
    half = speed ** 0.5
    work = target.with_suffix(".tmp.flac")
    change = f"aresample=44100,asetrate={44100 * half:.0f},aresample=44100,atempo={half:.6f}"
    run = subprocess.run(["ffmpeg", "-nostdin", "-v", "fatal", "-y", "-ss", f"{start:.2f}", "-t", f"{LONGEST * speed:.2f}",
                          "-i", song, "-map", "0:a:0", "-af", change, work])
    if run.returncode:
        print("cannot play", song, flush=True)
        work.unlink(missing_ok=True)
        return False
    work.rename(target)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--music", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--tool", type=os.path.abspath, required=True, help="build/mix_spectrogram")
    options = parser.parse_args()
    (options.music / "played").mkdir(parents=True, exist_ok=True)
    rows = []
    for song in read_table(options.data / "songs.tsv"):
        heard, _ = word_on(options.data, song)
        if song["part"] != "train" or not heard.exists():
            continue
        result = json.loads(heard.with_suffix(".json").read_text())
        if not is_sure(result, heard):
            continue
        tempo = 60 / np.median(np.diff(result["beats"]))
        first, second = np.random.default_rng([int(song["id"], 16)]), np.random.default_rng([int(song["id"], 16), 13])
        slow = np.divide(BEATS_SLOW, tempo)
        for name, speeds, rng in (("slower", SLOWER, first), ("faster", FASTER, first), ("slow", slow, first),
                                  ("again", slow, second)):
            speed, place = float(np.exp(rng.uniform(*np.log(speeds)))), rng.random()
            identity = f"{song['id']}_{name}"
            (least, most), value = (SPEEDS_SLOW, speed) if speeds is slow else (BEATS_ASKED, tempo * speed)
            if not least <= value <= most:
                continue
            path = options.music / "played" / f"{identity}.flac"
            start = place * max(0.0, float(song["seconds"]) - LONGEST * speed)
            if not path.exists() and not play(options.music / song["path"], path, start, speed):
                continue
            values = spectrogram(options.tool, path, options.data / "spec" / f"{identity}.npy")
            if values is not None and len(values) >= 100 * SHORTEST:
                rows.append(("train", song["package"], int(rng.integers(LOTS)), identity, f"{len(values) / 100:.2f}",
                             song["licence"], f"played/{identity}.flac"))
    write_table(options.data / "played.tsv", rows)


if __name__ == "__main__":
    main()
