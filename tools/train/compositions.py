"""Renders composed music whose truth is known: MIDI files of games' packages, with and without their drums.

Writes DATA/spec/m_DIGEST_N.npy and DATA/truth/m_DIGEST_N.json as render.py does; form and functions are not known,
so the segments are empty. A file counts when its notes lie on its own grid; its downbeats count
("downbeats_known") when its bars also begin where its long and low notes do."""
import argparse
import hashlib
import math
import os
import pathlib
import random
import subprocess
import tempfile

import midi
from render import DRUMS, PLUCKED, SOFT, keep, make_folders, place_in_time, play, seconds_at

# Beats a bar and quarters a beat of the metres that are used.
METRES = {(4, 4): (4, 1.0), (3, 4): (3, 1.0), (2, 4): (2, 1.0), (6, 8): (2, 1.5), (12, 8): (4, 1.5), (2, 2): (4, 1.0)}
LONGEST = 170.0  # seconds
ON_GRID = 0.85   # share of the onsets near a twelfth or a sixteenth of the beat


def grid_share(song, beat):
    """Share of the onsets within a fortieth of a beat of its sixteenths or twelfths."""
    near = 0
    for note in song.notes:
        place = note.start / beat
        near += min(abs(place * n - round(place * n)) / n for n in (4, 6)) <= 0.025
    return near / max(1, len(song.notes))


def downbeats_known(song, beat, bar):
    """Whether, of all the beats of the bar, most weight (length, loudness, depth) begins on the first."""
    weight = [0.0] * bar
    for note in song.notes:
        place = note.start / beat
        if note.channel != DRUMS and abs(place - round(place)) < 0.1:
            length = min(note.end - note.start, bar * beat) / beat
            weight[round(place) % bar] += length * note.velocity * (2.0 if note.pitch < 48 else 1.0)
    return weight[0] > 1.15 * max(weight[1:])


def varied(rng, song, kind):
    """The song's notes and channel messages, made into one of the kinds of render.py."""
    notes = [midi.Note(n.start, n.end, n.channel, n.pitch, n.velocity) for n in song.notes]
    others = list(song.others)
    shift = rng.randrange(-4, 5)
    if kind != "full":
        notes = [n for n in notes if n.channel != DRUMS]
    for n in notes:
        if n.channel != DRUMS:
            n.pitch = min(120, max(12, n.pitch + shift))
    used = {n.channel for n in notes} - {DRUMS}
    programs = {}
    if kind == "soft":
        programs = {c: rng.choice(SOFT) for c in used}
    elif kind == "solo":
        program = rng.choice(PLUCKED)
        programs = {c: program for c in used}
    elif rng.random() < 0.5:
        programs = {c: rng.choice(PLUCKED + SOFT) for c in used if rng.random() < 0.3}
    if kind in ("soft", "solo"):
        others = [(t, m) for t, m in others if m[0] >> 4 != 0xC]
    others = [(t, m) for t, m in others if not (m[0] >> 4 == 0xC and m[0] & 15 in programs)]
    return notes, [(0, bytes([0xC0 | c, p])) for c, p in sorted(programs.items())] + others


def tempo_points(rng, song, end, motion):
    """[(tick, seconds a quarter)]: the file's own map, faster or slower as a whole, drifting or breathing."""
    own = song.tempi if song.tempi and song.tempi[0][0] == 0 else [(0, 0.5)] + song.tempi
    scale = math.exp(rng.uniform(-0.22, 0.22))
    if motion == "steady":
        return [(t, s * scale) for t, s in own]
    points, walk, at = [], 0.0, 0
    spread, back = (0.004, 0.97) if motion == "drift" else (0.018, 0.85)
    for tick in range(0, end + song.division, song.division):
        while at + 1 < len(own) and own[at + 1][0] <= tick:
            at += 1
        walk = back * walk + rng.gauss(0, spread)
        points.append((tick, own[at][1] * scale * math.exp(walk)))
    return points


def make(path, variant, kind, part, tool, data, name, work):
    rng = random.Random(f"allin1 composition {name}")
    song = midi.read(path.read_bytes())
    metres = {(n, d) for _, n, d in song.metres} or {(4, 4)}
    if len(metres) != 1 or (metre := metres.pop()) not in METRES:
        raise RuntimeError(f"metre {metre if len(metres) == 0 else metres}")
    bar, quarters = METRES[metre]
    beat = song.division * quarters
    if len(song.notes) < 100 or (share := grid_share(song, beat)) < ON_GRID:
        raise RuntimeError("its notes are not on its grid")
    known = downbeats_known(song, beat, bar)
    notes, others = varied(rng, song, kind)
    motion = rng.choices(["steady", "drift", "rubato"], [0.6, 0.2, 0.2])[0]
    first = min(n.start for n in notes)
    end = max(n.end for n in notes)
    points = tempo_points(rng, song, end, motion)
    start = seconds_at(points, song.division, [first])[0]
    lead_in = rng.choice([0.0, rng.uniform(0, 0.5), rng.uniform(0.5, 2)])
    # The first note begins near the song's beginning, and what comes after the longest time is left out.
    lead = lead_in - start
    ticks = [t for t in range(0, end, 1 + song.division // 4)]
    last = max(t for t, s in zip(ticks, seconds_at(points, song.division, ticks)) if s + lead <= LONGEST)
    notes = [n for n in notes if n.start < last]
    for n in notes:
        n.end = min(n.end, last)
    others = [(t, m) for t, m in others if t < last]
    sounding = sorted(n.start for n in notes)
    if len(sounding) < (last - first) / beat / 2:
        raise RuntimeError("too few notes")
    grid = [round(i * beat) for i in range(int(last / beat) + 1)]
    grid = [(i, g) for i, g in enumerate(grid) if first - beat * 0.1 <= g < last]
    times = [t + lead for t in seconds_at(points, song.division, [g for _, g in grid])]
    # What is said before the first note is said at the file's beginning.
    others = [(0 if t <= first else t, m) for t, m in others]
    place_in_time(notes, others, points, song.division, lead, work / "out.mid")
    values, font = play(rng, work, tool)
    truth = dict(beats=[round(t, 4) for t in times],
                 downbeats=[round(t, 4) for (i, _), t in zip(grid, times) if i % bar == 0] if known else [],
                 downbeats_known=known, segments=[], beats_per_bar=bar, kind=kind, motion=motion, part=part,
                 font=font, source=f"{path.name}", share=round(share, 3))
    keep(values, truth, data, name, work)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--music", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--tool", type=os.path.abspath, required=True, help="build/mix_spectrogram")
    parser.add_argument("--list", type=pathlib.Path, default=pathlib.Path(__file__).with_name("compositions.txt"))
    parser.add_argument("--variants", type=int, default=4)
    options = parser.parse_args()
    make_folders(options.data)
    rows = [line.split() for line in open(options.list, encoding="utf-8") if line.strip() and line[0] != "#"]
    for variant in range(options.variants):
        kind = ["full", "drumless", "soft", "solo"][variant % 4]
        for part, package in rows:
            for path in sorted(p for p in (options.music / package).rglob("*") if p.suffix.lower() in (".mid", ".midi")):
                name = f"m_{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}_{variant}"
                if (options.data / "truth" / f"{name}.json").exists():
                    continue
                with tempfile.TemporaryDirectory(dir=options.data) as work:
                    try:
                        make(path, variant, kind, part, options.tool, options.data, name, pathlib.Path(work))
                        print("made", name, path.name, flush=True)
                    except (RuntimeError, subprocess.CalledProcessError, ValueError, IndexError) as error:
                        print("no song", name, path.name, error, flush=True)


if __name__ == "__main__":
    main()
