"""The student beside the full networks on songs whose truth is known: rendered songs of the test part are made again, with
their sound, and each listener hears it.

  rivals.py --data DATA --build BUILD --work WORK [--songs 8] [student none full]

Listeners: the student; the full networks without the separator (--demix none); the full pipeline. The first SONGS of each
kind in DATA/truth are taken. WORK/data has the songs as they are made now (MMA's differ by milliseconds from one rendering
to the next), WORK/LISTENER the results; what is there is not made again. F of beats and downbeats (70 ms), by kind."""
import argparse
import os
import pathlib
import subprocess
import sys

import numpy as np

import bands
import render
import textures
from data import SOURCES
from figures import load
from measure import f_measure

LISTENERS = {"student": ["-m", "student"], "none": ["-m", "harmonix-all", "--demix", "none"], "full": ["-m", "harmonix-all"]}


def makers():
    found = render.families()
    return {"r": lambda seed, *rest: render.make(seed, found, *rest), "b": bands.make, "c": textures.make}


def kind_of(name, truth):
    return f"{SOURCES[name[0]][0]}, {'with drums' if truth['kind'] == 'full' else 'drumless'}"


def choose(data, letters, songs):
    """{kind: [names]} of the test part."""
    chosen = {}
    for path in sorted((data / "truth").glob(f"[{letters}]_*.json")):
        truth = load(path)
        if truth["part"] == "test":
            names = chosen.setdefault(kind_of(path.stem, truth), [])
            names += [path.stem] if len(names) < songs else []
    return chosen


def make_again(options, names, make):
    data = options.work / "data"
    render.make_folders(data)
    (data / "sound").mkdir(exist_ok=True)
    for name in names:
        if not (data / "truth" / f"{name}.json").exists():
            print(*render.make_one(make[name[0]], int(name[2:]), os.path.join(options.build, "mix_spectrogram"), data),
                  file=sys.stderr)


def listen(options, listener, names):
    """The results of the songs that are not heard yet."""
    out = options.work / listener
    sounds = [next((options.work / "data" / "sound").glob(f"{name}.*"))
              for name in names if not (out / f"{name}.json").exists()]
    if sounds:
        subprocess.run([os.path.join(options.build, "allin1"), "-q", *LISTENERS[listener], "-o", out, *sounds])


def measure(results, songs):
    heard = {name: load(results / f"{name}.json") for name in songs if (results / f"{name}.json").exists()}
    if not heard or len(heard) < len(songs):
        return f"heard {len(heard)}"
    return " ".join(f"{np.mean([f_measure(heard[name][what], songs[name][what], 0.07) for name in songs]):.3f}"
                    for what in ("beats", "downbeats"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--build", type=os.path.abspath, required=True, help="with allin1 and mix_spectrogram")
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--songs", type=int, default=8, help="of each kind")
    parser.add_argument("listeners", nargs="*", default=["student", "none"], help="default: student none")
    options = parser.parse_args()
    unknown = [name for name in options.listeners if name not in LISTENERS]
    if unknown:
        parser.error("no listener: " + ", ".join(unknown))
    make = makers()
    chosen = choose(options.data, "".join(make), options.songs)
    make_again(options, [name for names in chosen.values() for name in names], make)
    truths = {kind: {name: load(options.work / "data" / "truth" / f"{name}.json") for name in names
                     if (options.work / "data" / "truth" / f"{name}.json").exists()} for kind, names in chosen.items()}
    for listener in options.listeners:
        listen(options, listener, [name for songs in truths.values() for name in songs])
    print(f"{'against the truth':28s} songs  " + "  ".join(f"{name + ': beats downbeats':>26s}" for name in options.listeners))
    for kind, songs in sorted(truths.items()):
        means = [measure(options.work / listener, songs) for listener in options.listeners]
        print(f"{kind:28s} {len(songs):5d}  " + "  ".join(f"{mean:>26s}" for mean in means), flush=True)


if __name__ == "__main__":
    main()
