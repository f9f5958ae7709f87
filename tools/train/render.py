"""Renders songs whose truth is known: form, chords and grooves at random through MMA, edited as MIDI notes,
played by FluidSynth with several sound fonts.

Writes DATA/spec/r_NNNNN.npy (float16 [frames][81]) and DATA/truth/r_NNNNN.json (beats, downbeats, segments,
the kind of song, part). The number is the seed; a song that is there is not made again, and several runs may
share the work (--step, --offset). Groove families belong to one part as a whole."""
import argparse
import hashlib
import json
import math
import os
import pathlib
import random
import re
import shutil
import subprocess
import tempfile

import numpy as np

import midi

FONTS = [("FluidR3_GM.sf2", 5), ("TimGM6mb.sf2", 3), ("MuseScore_General_Lite.sf3", 3),
         ("OPL-3_FM_128M.sf2", 1)]
SOUNDS = [pathlib.Path("/usr/share/sounds/sf2"), pathlib.Path("/usr/share/sounds/sf3")]
GROOVES = pathlib.Path("/usr/share/mma/lib")
DRUMS = 9
KEYS = ["C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B"]
MAJOR = [(0, ""), (2, "m"), (4, "m"), (5, ""), (7, ""), (9, "m")]
MINOR = [(0, "m"), (3, ""), (5, "m"), (7, ""), (8, ""), (10, "")]
SOFT = [48, 49, 50, 51, 52, 88, 89, 91, 92, 94, 95, 19, 20]
VOICES = [52, 53, 54, 85, 40, 41, 42, 56, 64, 65, 66, 68, 71, 73, 75, 22]
LEADS = [27, 29, 30, 80, 81, 56, 65, 11, 4, 0, 24, 25]
PLUCKED = [0, 1, 4, 6, 11, 12, 24, 25, 46, 104, 107]
FORMS = ["i v c v c b c o", "i v v c v c s c c o", "i v c n v c b c c o", "v c v c k c o", "i v p c v p c s c o",
         "i n v c v c n o", "v v b v s v v o", "i c v c v b c c", "i v v b v o", "i n s n k n o", "v c v c v c",
         "i v c k v c b s c c o"]
NAMES = {"i": "intro", "v": "verse", "c": "chorus", "b": "bridge", "s": "solo", "n": "inst", "k": "break",
         "o": "outro", "p": "verse"}


def families():
    """[(name, beats a bar in MMA's quarters, compound, grooves)] of the library, in a fixed order."""
    found = []
    for path in sorted(GROOVES.rglob("*.mma")):
        text = path.read_text(encoding="latin-1")
        times = set(re.findall(r"^\s*Time\s+(\d+)", text, re.M | re.I))
        signatures = {a + "/" + b for a, b in re.findall(r"^\s*Timesig\s+(\d+)[\s/]+(\d+)", text, re.M | re.I)}
        grooves = re.findall(r"^\s*DefGroove\s+(\S+)", text, re.M | re.I)
        if len(times) != 1 or not grooves or "metronome" in path.name or path.name == "none.mma":
            continue
        [time] = times
        if time == "6" and signatures == {"6/8"}:
            found.append((str(path.relative_to(GROOVES)), 6, True, grooves))
        elif time in "34" and (not signatures or signatures == {time + "/4"}):
            found.append((str(path.relative_to(GROOVES)), int(time), False, grooves))
    return found


def part_of(family):
    """One family in eight is for the test, one for validation."""
    return {0: "test", 1: "valid"}.get(hashlib.sha256(family.encode()).digest()[0] % 8, "train")


def part_of_seed(seed):
    """Of songs that share nothing but their kind: one in ten for the test, one for validation."""
    return {0: "test", 1: "valid"}.get(seed % 10, "train")


def progression(rng, minor, bars):
    scale = MINOR if minor else MAJOR
    rate = rng.choice([1, 1, 2])
    chords = [scale[0] if rng.random() < 0.6 else rng.choice(scale)]
    while len(chords) < min(bars // rate, 8 if rng.random() < 0.3 else 4):
        chords.append(rng.choice([c for c in scale if c != chords[-1]]))
    seventh = rng.random() < 0.3
    full = [chords[i // rate % len(chords)] for i in range(bars)]
    return [(root, kind + ("7" if seventh and rng.random() < 0.7 else "")) for root, kind in full]


class Arrangement:
    """The form of one song, before any note: sections of bars with chords and grooves."""

    early = 0            # ticks by which a note may come before its place
    middle_third = True  # whether a line may sound on the second of a beat's three parts

    def swung(self, tick):
        """When what is written at a tick is played."""
        return tick

    def lay_out(self, groove_of, fills=()):
        """Draws key, form and harmony with self.rng for self.bar quarters of self.quarter seconds a bar; groove_of(symbol)
        gives what a section's band plays."""
        rng = self.rng
        self.minor = rng.random() < 0.4
        self.key = rng.randrange(12)
        form = rng.choice(FORMS).split()
        unit = rng.choice([4, 8, 8, 8]) if rng.random() < 0.9 else 12 if rng.random() < 0.5 else 6
        bar_seconds = self.quarter * self.bar
        while sum(unit for _ in form) * bar_seconds > 150 and unit > 4:
            unit = 4 if unit <= 8 else 8
        while unit * bar_seconds < 7:
            unit *= 2
        while len(form) > 3 and len(form) * unit * bar_seconds > 170:
            form.pop(rng.randrange(1, len(form) - 1))
        material, self.sections = {}, []
        modulate_at = rng.choice([i for i, s in enumerate(form) if s == "c"][-1:] or [-1]) if rng.random() < 0.2 else -1
        key = self.key
        for index, symbol in enumerate(form):
            if symbol not in material:
                bars = unit // 2 if symbol in "iok" and rng.random() < 0.6 and unit * bar_seconds > 12 else unit
                groove = groove_of(symbol)
                material[symbol] = dict(bars=bars, groove=groove, chords=progression(rng, self.minor, bars),
                                        seed=rng.random(),
                                        without=rng.choice([None, None, "drums", "bass", "chords"])
                                        if symbol in "ikob" else None,
                                        loud={"c": 1.0, "v": 0.85, "k": 0.7}.get(symbol, 0.9))
            if index == modulate_at:
                key += rng.choice([1, 2])
            self.sections.append(dict(material[symbol], symbol=symbol, name=NAMES[symbol], key=key,
                                      fill=rng.choice(fills) if fills and rng.random() < 0.6 else None,
                                      own_fill=rng.random() < 0.5, crash=rng.random() < 0.6))


class Plan(Arrangement):
    """A song on one family of MMA's grooves."""

    def __init__(self, seed, all_families):
        rng = self.rng = random.Random(f"allin1 render {seed}")
        # Three quarters by a draw over 4/4 alone would hide the other metres: weigh them.
        triple = [f for f in all_families if f[1] == 3]
        compound = [f for f in all_families if f[2]]
        common = [f for f in all_families if f[1] == 4]
        pool = rng.choices([common, triple, compound], [0.68, 0.22, 0.10])[0]
        self.family, self.bar, self.compound, grooves = rng.choice(pool)
        self.part = part_of(self.family)
        self.kind = rng.choices(["full", "drumless", "soft", "solo"], [0.6, 0.16, 0.14, 0.1])[0]
        self.motion = rng.choices(["steady", "drift", "rubato"],
                                  [0.6, 0.28, 0.12] if self.kind == "full" else [0.4, 0.25, 0.35])[0]
        fast = {3: (70, 200), 6: (50, 130), 4: (60, 190)}[self.bar]
        self.tempo = math.exp(rng.uniform(math.log(fast[0]), math.log(fast[1])))  # of the felt beat
        self.quarter = 60 / self.tempo / (3 if self.compound else 1)
        plain = [g for g in grooves if not re.search(r"intro|end|fill|-\d\d$", g, re.I)] or grooves
        fills = [g for g in grooves if re.search(r"fill", g, re.I)]
        intros = [g for g in grooves if re.search(r"intro", g, re.I)]
        ends = [g for g in grooves if re.search(r"end", g, re.I)]

        def groove_of(symbol):
            groove = rng.choice(plain)
            if symbol == "i" and intros and rng.random() < 0.4:
                groove = rng.choice(intros)
            if symbol == "o" and ends and rng.random() < 0.4:
                groove = rng.choice(ends)
            return groove

        self.lay_out(groove_of, fills)

    def source(self):
        lines = ["Tempo 120", f"Time {self.bar}"]
        number = 1
        for section in self.sections:
            lines.append("Groove " + section["groove"])
            for i, (root, kind) in enumerate(section["chords"]):
                if section["fill"] and i == section["bars"] - 1:
                    lines.append("Groove " + section["fill"])
                lines.append(f"{number} {KEYS[(root + section['key']) % 12]}{kind}")
                number += 1
        return "\n".join(lines) + "\n"


def melody(plan, section, start, quarter, channel):
    """A line over the section's chords, the same whenever the section returns."""
    rng = random.Random(section["seed"])
    notes, pitch = [], 67 + rng.randrange(-5, 8)
    step = quarter if plan.compound else quarter // 2
    motifs = [[rng.random() < 0.55 for _ in range(plan.bar * quarter // step)] for _ in range(2)]
    if not plan.middle_third:
        motifs = [[sounds and i % 3 != 1 for i, sounds in enumerate(motif)] for motif in motifs]
    for bar, (root, kind) in enumerate(section["chords"]):
        if bar % 4 == 3 and rng.random() < 0.5:
            continue
        third = 3 if kind.startswith("m") else 4
        motif = motifs[bar % 2]
        places = [i for i, sounds in enumerate(motif) if sounds]
        for i, place in enumerate(places):
            following = places[i + 1] if i + 1 < len(places) else len(motif)
            chord = [(root + section["key"] + n) % 12 for n in (0, third, 7, 2 if rng.random() < 0.3 else 7)]
            near = [p for p in range(pitch - 6, pitch + 7) if p % 12 in chord and 55 <= p <= 84]
            pitch = rng.choice(near) if near else pitch
            at = plan.swung(start + bar * plan.bar * quarter + place * step) + rng.randrange(-quarter // 24, quarter // 24)
            notes.append(midi.Note(max(0, at), at + int((following - place) * step * rng.uniform(0.6, 1.0)),
                                   channel, pitch, rng.randrange(70, 112)))
    return notes


def edit(plan, quarter, notes, others):
    """Takes away, exchanges and adds until the song is of its kind."""
    rng, bar = plan.rng, plan.bar * quarter
    used = {n.channel for n in notes}
    free = [c for c in range(16) if c not in used and c != DRUMS]
    lowest = {c: np.mean([n.pitch for n in notes if n.channel == c]) for c in used if c != DRUMS}
    bass = min(lowest, key=lowest.get) if lowest else None
    if plan.kind != "full":
        notes = [n for n in notes if n.channel != DRUMS]
        used.discard(DRUMS)
    if plan.kind == "solo" and lowest:
        keep = max(lowest, key=lambda c: sum(n.channel == c for n in notes))
        notes = [n for n in notes if n.channel in (keep, bass)]
        used = {keep, bass}
        for n in notes:
            n.channel = keep
    programs = {}
    for channel in used - {DRUMS}:
        if plan.kind == "soft":
            programs[channel] = rng.choice(SOFT)
        elif plan.kind == "solo":
            programs[channel] = rng.choice(PLUCKED)
        elif rng.random() < 0.2:
            programs[channel] = rng.choice([32, 33, 34, 35, 38, 39] if channel == bass else PLUCKED + SOFT + LEADS)
    if programs:
        others = [(t, m) for t, m in others if not (m[0] >> 4 == 0xC and m[0] & 15 in programs)]
    at, extra = 0, []
    voice = free.pop() if free and rng.random() < 0.75 else None
    lead = free.pop() if free else None
    if voice is not None:
        programs[voice] = rng.choice(VOICES)
    if lead is not None:
        programs[lead] = rng.choice(LEADS if plan.kind != "soft" else SOFT)
    for section in plan.sections:
        start, end = at, at + section["bars"] * bar
        at = end
        inside = [n for n in notes if start - quarter // 4 <= n.start < end - quarter // 4]
        drop = {"drums": {DRUMS}, "bass": {bass}, "chords": used - {DRUMS, bass}}.get(section["without"], set())
        if section["symbol"] == "k" and plan.kind == "full":
            drop = {DRUMS} if section["seed"] < 0.5 else used - {DRUMS}
        if len([n for n in inside if n.channel not in drop]) >= 2 * section["bars"]:
            gone = set(map(id, [n for n in inside if n.channel in drop]))
            notes = [n for n in notes if id(n) not in gone]
            inside = [n for n in inside if id(n) not in gone]
        for n in inside:
            n.velocity = max(1, min(127, int(n.velocity * section["loud"])))
        if voice is not None and section["symbol"] in "vcp":
            line = melody(plan, section, start, quarter, voice)
            extra += line
            if section["symbol"] == "c" and section["seed"] < 0.6:
                extra += [midi.Note(n.start, n.end, voice, n.pitch + 4, max(1, n.velocity - 15)) for n in line]
        if lead is not None and section["symbol"] in "s" or lead is not None and section["symbol"] == "n" and section["seed"] < 0.4:
            extra += melody(plan, section, start, quarter, lead)
        if plan.kind == "full" and section["crash"] and start > 0:
            extra.append(midi.Note(start, start + quarter, DRUMS, 49, 100))
        if plan.kind == "full" and section["own_fill"] and not section["fill"]:
            length = 3 * quarter if plan.compound else 2 * quarter
            gone = set(map(id, [n for n in notes if n.channel == DRUMS and end - length <= n.start + plan.early < end]))
            notes = [n for n in notes if id(n) not in gone]
            slow = plan.quarter > 0.15
            step = (quarter // 2 if slow else quarter) if plan.compound else quarter // rng.choice([2, 3, 4])
            for tick in range(end - length, end, step):
                if rng.random() < 0.85:
                    on = plan.swung(tick)
                    extra.append(midi.Note(on, on + step, DRUMS, rng.choice([38, 38, 45, 47, 48, 43]),
                                           rng.randrange(70, 120)))
    others = [(0, bytes([0xC0 | c, p])) for c, p in programs.items()] + others
    return [n for n in notes + extra if n.start < at + quarter], others, at


def tempo_map(plan, quarter, ticks):
    """[(tick, seconds a quarter)]: steady, drifting, or breathing with the phrases."""
    rng = plan.rng
    if plan.motion == "steady":
        return [(0, plan.quarter)]
    points, walk = [], 0.0
    bar = plan.bar * quarter
    drift = rng.uniform(-0.08, 0.08)
    ends, at = set(), 0
    for section in plan.sections:
        at += section["bars"] * bar
        ends.add(at)
    depth = rng.uniform(0.02, 0.09)
    for tick in range(0, ticks + bar, quarter):
        share = tick / ticks
        if plan.motion == "drift":
            walk = 0.95 * walk + rng.gauss(0, 0.004)
            factor = math.exp(drift * share + walk)
        else:
            walk = 0.85 * walk + rng.gauss(0, 0.018)
            phrase = (tick % (4 * bar)) / (4 * bar)
            factor = math.exp(walk - depth * math.sin(math.pi * phrase) + depth / 2)
            left = min((e - tick for e in ends if e > tick), default=ticks)
            if left <= bar:
                factor *= 1 + depth * 2 * (1 - left / bar)
        points.append((tick, plan.quarter * factor))
    return points


def seconds_at(points, quarter, ticks):
    """Time of each tick under the map (ticks ascending)."""
    out, index, passed = [], 0, 0.0
    for tick in ticks:
        while index + 1 < len(points) and points[index + 1][0] <= tick:
            passed += (points[index + 1][0] - points[index][0]) / quarter * points[index][1]
            index += 1
        out.append(passed + (tick - points[index][0]) / quarter * points[index][1])
    return out


def truth_of(plan, quarter, points, ticks, lead_in):
    step = 3 * quarter if plan.compound else quarter
    bar = plan.bar * quarter
    grid = list(range(0, ticks, step))
    times = [round(t + lead_in, 4) for t in seconds_at(points, quarter, grid)]
    edges, at = [0], 0
    for section in plan.sections:
        at += section["bars"] * bar
        edges.append(at)
    edge_times = [round(t + lead_in, 4) for t in seconds_at(points, quarter, edges)]
    segments = [[edge_times[i], edge_times[i + 1], s["name"]] for i, s in enumerate(plan.sections)]
    return dict(beats=times, downbeats=[t for t, g in zip(times, grid) if g % bar == 0], segments=segments,
                beats_per_bar=plan.bar // 3 if plan.compound else plan.bar, kind=plan.kind, motion=plan.motion,
                family=plan.family, part=plan.part, tempo=plan.tempo)


def find_font(name):
    for folder in SOUNDS:
        if (folder / name).exists():
            return folder / name
    raise FileNotFoundError(f"no sound font {name} in {', '.join(map(str, SOUNDS))}")


def make(seed, all_families, tool, data, work):
    plan = Plan(seed, all_families)
    (work / "song.mma").write_text(plan.source())
    run = subprocess.run(["mma", "-w", "-f", work / "song.mid", work / "song.mma"], capture_output=True, text=True)
    if run.returncode or not (work / "song.mid").exists():
        raise RuntimeError(f"mma: {plan.family}: {(run.stdout + run.stderr).strip()[-200:]}")
    song = midi.read((work / "song.mid").read_bytes())
    perform(plan, song.division, song.notes, song.others, tool, data, f"r_{seed:05d}", work)


def perform(plan, quarter, notes, others, tool, data, name, work):
    """From the notes of an arrangement to its spectrogram and truth in DATA."""
    rng = plan.rng
    notes, others, ticks = edit(plan, quarter, notes, others)
    points = tempo_map(plan, quarter, ticks)
    lead_in = rng.choice([0.0, rng.uniform(0, 0.5), rng.uniform(0.5, 3)])
    place_in_time(notes, others, points, quarter, lead_in, work / "out.mid")
    values, font = play(rng, work, tool)
    truth = truth_of(plan, quarter, points, ticks, lead_in)
    truth["font"] = font
    keep(values, truth, data, name, work)


def place_in_time(notes, others, points, quarter, lead_in, path):
    """Writes the MIDI file that sounds at the map's times. FluidSynth rounds at each change of tempo and would
    drift from the truth: the times are put into the notes instead, at one tick a millisecond."""
    moments = sorted({t for n in notes for t in (max(0, n.start), n.end)} | {t for t, _ in others})
    when = {t: round(1000 * (lead_in + s)) for t, s in zip(moments, seconds_at(points, quarter, moments))}
    for n in notes:
        n.start, n.end = when[max(0, n.start)], max(when[n.end], when[max(0, n.start)] + 1)
    others = [(0 if tick == 0 else when[tick], m) for tick, m in others]
    path.write_bytes(midi.write(1000, notes, others, [(0, 1_000_000)]))


def play(rng, work, tool):
    """The spectrogram of work/out.mid as a random sound font, room and codec make it, and the font's name."""
    font = find_font(rng.choices([f for f, _ in FONTS], [w for _, w in FONTS])[0])
    wet = rng.random() < 0.6
    wav = work / "song.wav"
    subprocess.run(["fluidsynth", "-ni", "-q", "-r", "44100", "-g", f"{rng.uniform(0.25, 0.9):.3f}",
                    "-R", str(int(wet)), "-C", str(int(rng.random() < 0.4)),
                    "-o", f"synth.reverb.room-size={rng.uniform(0.1, 0.9):.2f}",
                    "-o", f"synth.reverb.level={rng.uniform(0.1, 0.9):.2f}",
                    "-T", "wav", "-F", wav, font, work / "out.mid"], check=True, capture_output=True)
    audio = wav
    if rng.random() < 0.25:
        audio = work / "song.mp3"
        subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", wav, "-b:a", rng.choice(["48k", "64k", "96k", "128k"]),
                        audio], check=True)
    subprocess.run([tool, audio, work / "spec.npy"], check=True)
    return np.load(work / "spec.npy").astype(np.float16), font.name


def make_folders(data):
    for folder in ("spec", "truth"):
        (data / folder).mkdir(parents=True, exist_ok=True)


def keep(values, truth, data, name, work):
    """Into DATA/spec and DATA/truth, each file whole or not at all; into DATA/sound too, where there is such a folder."""
    if len(values) < 3000 or len(values) > 26000 or values.mean() < 0.01:
        raise RuntimeError("too short, too long or silent")
    truth["duration"] = len(values) / 100
    if (data / "sound").is_dir():
        sound = next(work / file for file in ("song.mp3", "song.wav") if (work / file).exists())
        sound.rename(data / "sound" / (name + sound.suffix))
    np.save(work / "half.npy", values)
    (work / "half.npy").rename(data / "spec" / f"{name}.npy")
    (work / "truth.json").write_text(json.dumps(truth))
    (work / "truth.json").rename(data / "truth" / f"{name}.json")


def make_one(make_song, seed, tool, data):
    """Makes one song in a folder that goes again; says what came of it."""
    with tempfile.TemporaryDirectory(dir=data) as work:
        try:
            make_song(seed, tool, data, pathlib.Path(work))
            return "made", seed
        except (RuntimeError, subprocess.CalledProcessError) as error:
            # The seed then has no song, everywhere.
            return "no song", seed, error


def render_all(description, letter, count, make_song, needs=("fluidsynth", "ffmpeg")):
    """The command line of a tool that renders songs LETTER_NNNNN: make_song(seed, tool, data, work) for each that is not
    there; RuntimeError says why a seed has no song."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--tool", type=os.path.abspath, required=True, help="build/mix_spectrogram")
    parser.add_argument("--count", type=int, default=count)
    parser.add_argument("--step", type=int, default=1, help="several runs: every STEP-th song,")
    parser.add_argument("--offset", type=int, default=0, help="beginning with this one")
    options = parser.parse_args()
    missing = [name for name in needs if shutil.which(name) is None]
    if missing:
        parser.error("needed: " + ", ".join(missing))
    make_folders(options.data)
    for seed in range(options.offset, options.count, options.step):
        if (options.data / "truth" / f"{letter}_{seed:05d}.json").exists():
            continue
        print(*make_one(make_song, seed, options.tool, options.data), flush=True)


if __name__ == "__main__":
    found = families()
    render_all(__doc__, "r", 1270, lambda seed, *rest: make(seed, found, *rest), ("mma", "fluidsynth", "ffmpeg"))
