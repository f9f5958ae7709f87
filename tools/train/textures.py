"""Renders music for few instruments without drums, as chamber, keyboard and orchestral music has it: an accompaniment
figure, a melody in phrases with upbeats, breathing time.

Writes DATA/spec/c_NNNNN.npy and DATA/truth/c_NNNNN.json as render.py does; the number is the seed. Form and
functions are not told (the segments are empty): such music has none of the names that songs have."""
import math
import random

import midi
from render import keep, part_of_seed, place_in_time, play, render_all, seconds_at, tempo_map

TICKS = 240  # a quarter
ENSEMBLES = [("keyboard", [[0], [0], [1], [6], [19], [4]]), ("strings", [[40, 41, 42], [48], [48, 49], [44, 42]]),
             ("winds", [[73, 71, 70], [68, 71, 70], [74, 60, 70]]), ("brass", [[56, 60, 58], [60, 57]]),
             ("plucked", [[24], [46], [24, 24], [105], [45]]), ("duo", [[40, 0], [73, 0], [42, 0], [71, 0], [68, 6], [73, 46], [65, 0], [22, 24]]),
             ("orchestra", [[48, 49, 43], [73, 48, 43], [60, 48, 32], [52, 48, 19], [91, 48, 32]])]
DEGREES = {"major": [0, 2, 4, 5, 7, 9, 11], "minor": [0, 2, 3, 5, 7, 8, 10]}
# Where a chord may go, by scale degree from 0.
NEXT = {0: [3, 4, 5, 1, 3, 4], 1: [4, 4, 6], 2: [5, 3], 3: [4, 0, 1, 4], 4: [0, 5, 0, 3], 5: [1, 3, 4], 6: [0, 0]}
# beats a bar, ticks a beat, how often
METRES = [(4, TICKS, 4), (3, TICKS, 4), (2, TICKS, 2), (2, 3 * TICKS // 2, 2)]


class Piece:
    """What tempo_map needs of a plan, and the harmony of every bar."""

    def __init__(self, seed):
        rng = self.rng = random.Random(f"allin1 texture {seed}")
        self.beats, self.beat, _ = rng.choices(METRES, [m[2] for m in METRES])[0]
        compound = self.beat != TICKS
        self.tempo = math.exp(rng.uniform(math.log(46 if not compound else 40), math.log(170 if not compound else 110)))
        self.quarter = 60 / self.tempo * TICKS / self.beat
        self.bar = self.beats * self.beat // TICKS  # in quarters
        self.motion = rng.choices(["steady", "drift", "rubato"], [0.2, 0.25, 0.55])[0]
        self.ensemble, choices = rng.choice(ENSEMBLES)
        self.programs = rng.choice(choices)
        self.scale = DEGREES[rng.choice(["major", "minor"])]
        self.key = rng.randrange(12)
        phrase = rng.choice([4, 4, 8])
        seconds = self.beats * self.beat / TICKS * self.quarter
        self.sections = []
        letters = {}
        for letter in rng.choice(["AABA", "ABAC", "ABACA", "AABB", "ABCA"]):
            if letter not in letters:
                key = self.key if letter == "A" else self.key + rng.choice([0, 0, 5, 7, 3, -3])
                letters[letter] = dict(bars=phrase * max(1, round(28 / (phrase * seconds))), key=key, seed=rng.random(),
                                       figure=rng.choice(list(FIGURES)), loud=rng.uniform(0.6, 1.0), phrase=phrase)
            self.sections.append(letters[letter])

    def chords(self, section):
        rng = random.Random(section["seed"])
        found, now = [], 0
        for bar in range(section["bars"]):
            place = bar % section["phrase"]
            if place == 0:
                now = 0
            elif place == section["phrase"] - 1:
                now = 0 if bar % (2 * section["phrase"]) >= section["phrase"] or rng.random() < 0.5 else 4
            elif place == section["phrase"] - 2:
                now = 4
            elif rng.random() < 0.85:
                now = rng.choice(NEXT[now])
            found.append(now)
        return found

    def pitch(self, degree, key, near):
        """The scale's degree nearest to the pitch `near`."""
        pitch = (self.scale[degree % 7] + key) % 12
        return min((p for p in range(24, 109) if p % 12 == pitch), key=lambda p: abs(p - near))


def triad(piece, degree, key, near):
    return sorted({piece.pitch(degree + n, key, near + 2 * n - 4) for n in (0, 2, 4)})


def alberti(piece, rng, t):
    low, mid, high = (t + [t[-1]] * 2)[:3]
    step = piece.beat // (2 if piece.beat == TICKS else 3)
    cycle = [low, high, mid, high] if piece.beat == TICKS else [low, mid, high]
    return [(i * step, step, cycle[i % len(cycle)]) for i in range(piece.beats * piece.beat // step)]


def bass_and_chords(piece, rng, t):
    out = [(0, piece.beat, t[0] - 12)]
    if piece.beat != TICKS:
        third = piece.beat // 3
        return [n for b in range(piece.beats) for n in [(b * piece.beat, third, t[0] - 12)] +
                [(b * piece.beat + k * third, third, p) for k in (1, 2) for p in t]]
    for beat in range(1, piece.beats):
        out += [(beat * piece.beat, piece.beat, t[0] - 5)] if piece.beats == 4 and beat == 2 else [(beat * piece.beat, piece.beat * 2 // 3, p) for p in t]
    return out


def blocks(piece, rng, t):
    return [(b * piece.beat, piece.beat, p) for b in range(piece.beats) for p in [t[0] - 12] + t]


def held(piece, rng, t):
    return [(0, piece.beats * piece.beat, p) for p in [t[0] - 12] + t]


def arpeggio(piece, rng, t):
    step = piece.beat // (4 if piece.beat == TICKS else 6)
    ladder = [t[0] - 12] + t + [t[0] + 12, t[1] + 12 if len(t) > 1 else t[0] + 12]
    wave = ladder + ladder[-2:0:-1]
    return [(i * step, 2 * step, wave[i % len(wave)]) for i in range(piece.beats * piece.beat // step)]


def walking(piece, rng, t):
    line = [t[0] - 12, t[1] - 12 if len(t) > 1 else t[0], t[-1] - 12, t[0]]
    return [(b * piece.beat, piece.beat, line[b % 4]) for b in range(piece.beats)]


def repeated(piece, rng, t):
    step = piece.beat // (2 if piece.beat == TICKS else 3)
    return [(i * step, step * 2 // 3, p) for i in range(piece.beats * piece.beat // step) for p in t]


def after(piece, rng, t):
    half = piece.beat // 2 if piece.beat == TICKS else piece.beat // 3
    return [n for b in range(piece.beats) for n in [(b * piece.beat, half, t[0] - 12)] +
            [(b * piece.beat + half, half, p) for p in t]]


FIGURES = {f.__name__: f for f in (alberti, bass_and_chords, blocks, held, arpeggio, walking, repeated, after)}


def motif(piece, rng):
    """One bar of durations."""
    unit, left, out = piece.beat, piece.beats * piece.beat, []
    while left > 0:
        if piece.beat == TICKS:
            length = rng.choice([unit, unit, unit // 2, unit // 2, 2 * unit, 3 * unit // 2, unit // 4, unit // 3])
            group = [length] * {unit // 2: 2, unit // 4: 4, unit // 3: 3}.get(length, 1)
            if length == 3 * unit // 2:
                group.append(unit // 2)
        else:
            group = rng.choice([[unit], [unit * 2 // 3, unit // 3], [unit // 3] * 3, [unit // 2, unit // 6, unit // 3]])
        if sum(group) > left:
            group = [left]
        out += group
        left -= sum(group)
    return out


def melody(piece, section, chords, start, channel):
    rng = random.Random(section["seed"] + 1)
    bar = piece.beats * piece.beat
    motifs = [motif(piece, rng) for _ in range(3)]
    pitch = 66 + rng.randrange(0, 12)
    scale = {(s + section["key"]) % 12 for s in piece.scale}
    notes = []
    for index, degree in enumerate(chords):
        at = start + index * bar
        last = index % section["phrase"] == section["phrase"] - 1
        lengths = motifs[0 if index % 2 == 0 else rng.choice([1, 1, 2])]
        if last:
            lengths = [bar - piece.beat] if rng.random() < 0.7 else [bar]
        tones = {(piece.scale[(degree + n) % 7] + section["key"]) % 12 for n in (0, 2, 4)}
        for i, length in enumerate(lengths):
            strong = (at - start) % piece.beat == 0 and (i == 0 or rng.random() < 0.6)
            near = [p for p in range(pitch - 5, pitch + 6) if p % 12 in (tones if strong else scale) and 57 <= p <= 88]
            pitch = rng.choice(near) if near else 69
            if not (i and rng.random() < 0.06):
                notes.append(midi.Note(at, at + int(length * rng.uniform(0.75, 1.0)), channel, pitch, rng.randrange(72, 108)))
            at += length
        if last and lengths == [bar - piece.beat] and index + 1 < len(chords) and rng.random() < 0.6:
            # An upbeat into the next phrase.
            half = piece.beat // 2
            for k in range(2):
                pitch += rng.choice([-2, -1, 1, 2])
                notes.append(midi.Note(at + k * half, at + (k + 1) * half, channel, pitch, rng.randrange(64, 96)))
    return notes


def compose(piece):
    rng, notes, at = piece.rng, [], 0
    bar = piece.beats * piece.beat
    channels = list(range(len(piece.programs)))
    lead, under = channels[0], channels[1:] or channels
    alone = rng.random() < 0.12  # the melody alone, or the figure alone
    for section in piece.sections:
        chords = piece.chords(section)
        with_melody = not alone or section["seed"] < 0.5
        if with_melody:
            notes += melody(piece, section, chords, at, lead)
        if not alone or not with_melody:
            for index, degree in enumerate(chords):
                t = triad(piece, degree, section["key"], 55)
                for place, length, pitch in FIGURES[section["figure"]](piece, rng, t):
                    start = at + index * bar + place
                    channel = under[-1] if pitch < 50 else under[0]
                    accent = 8 if place == 0 else 0
                    notes.append(midi.Note(start, start + int(length * rng.uniform(0.8, 1.0)), channel, pitch,
                                           rng.randrange(52, 80) + accent))
        for n in notes:
            if n.start >= at:
                n.velocity = max(1, min(127, int(n.velocity * section["loud"])))
        at += len(chords) * bar
    spread = rng.choice([0, TICKS // 60, TICKS // 30])
    for n in notes:
        n.start = max(0, n.start + round(rng.gauss(0, spread / 2)))
        n.end = max(n.end, n.start + 10)
    return notes, at


def make(seed, tool, data, work):
    piece = Piece(seed)
    rng = piece.rng
    notes, ticks = compose(piece)
    points = tempo_map(piece, TICKS, ticks)
    end = max((t for t, s in zip(range(0, ticks, TICKS), seconds_at(points, TICKS, range(0, ticks, TICKS))) if s < 150))
    notes = [n for n in notes if n.start < end]
    lead_in = rng.choice([0.0, rng.uniform(0, 0.5), rng.uniform(0.5, 3)])
    grid = [t for t in range(0, ticks, piece.beat) if t < end]
    times = [round(t + lead_in, 4) for t in seconds_at(points, TICKS, grid)]
    for n in notes:
        n.end = min(n.end, end)
    others = [(0, bytes([0xC0 | c, p])) for c, p in enumerate(piece.programs)]
    place_in_time(notes, others, points, TICKS, lead_in, work / "out.mid")
    values, font = play(rng, work, tool)
    keep(values, dict(beats=times, downbeats=times[::piece.beats], segments=[], beats_per_bar=piece.beats, kind="drumless",
                      motion=piece.motion, ensemble=piece.ensemble, tempo=piece.tempo, font=font,
                      part=part_of_seed(seed)), data, f"c_{seed:05d}", work)


if __name__ == "__main__":
    render_all(__doc__, "c", 600, make)
