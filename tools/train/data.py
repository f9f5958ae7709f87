"""Songs as training crops: spectrogram, targets and weights, with augmentation in the band domain."""
import json

import numpy as np

from songs import read_table

BANDS, LABELS = 81, 10
NAMES = ["start", "end", "intro", "outro", "break", "bridge", "inst", "solo", "verse", "chorus"]
STEP = 32               # frames of one function target
MULTIPLE = 128          # frames, of which a crop's length is one
BEAT_SIGMA = 1.5        # frames: the teacher's peaks are as wide
BOUNDARY_SIGMA = 12.0   # frames: a listener does not place a boundary better
# By how a rendered song's name begins: what the figures call it, and with whom it shares its part of the crops.
SOURCES = {"r": ("grooves", "grooves"), "b": ("bands", "bands"), "m": ("compositions", "composed"),
           "c": ("textures", "composed"), "t": ("modules", "composed"), "z": ("noise", "noise")}
FAINTEST = 0.1          # power of a group of bands below which nobody hears whose it is
STRETCH = 0.25          # most that a tempo is changed by (log)
SLOWEST, FASTEST = 60, 190  # beats a minute that a rendered song may be stretched to
SLOWEST_SURE, FASTEST_SURE = 80, 145  # and a real one: beyond, the teacher may call another level of the metre the beat
KEPT = 0.05             # of a real song's tempo (log) is taken not to change what the teacher says
SLOWEST_HEARD, FASTEST_HEARD = 55, 215  # that the decoder knows
READINGS, PHASES = 14, 8  # ways to read a crop's beats, and its downbeats; the true way first
STEMS, GROUPS = 2, 9    # drums and voice; groups of bands in which their shares of the mix are told
STEM_STEP = 4           # frames of one such share
WIDEST = 7  # frames that the decoder takes for one beat of the slowest tempo, a sixteenth of its interval


def bells(times, frames, sigma):
    """Bells of height 1 at times (in frames)."""
    out = np.zeros(frames, np.float32)
    reach = int(4 * sigma) + 1
    for t in times:
        lo, hi = max(0, int(t) - reach), min(frames, int(t) + reach + 1)
        if lo < hi:
            out[lo:hi] = np.maximum(out[lo:hi], np.exp(-0.5 * ((np.arange(lo, hi) - t) / sigma) ** 2))
    return out


def no_readings(length):
    return np.zeros((READINGS + PHASES, length), bool), np.ones(READINGS + PHASES, np.int64)


def level_readings(beats):
    """[(frames, frames of one beat)]: where the beats would be, and how wide the decoder would see them, if the metre were
    read at another level (double, triple, half, third, 3:2, 2:3) or half a beat off. The true reading comes first; those
    that the decoder cannot come to have no frames."""
    gaps = np.diff(beats)
    interval = np.median(gaps)
    parts = lambda n: np.stack([beats[:-1] + gaps * i / n for i in range(n)], 1).ravel()
    readings = [(1, beats), (1, beats[:-1] + gaps / 2), (2, parts(2)), (3, parts(3))]
    readings += [(1 / 2, beats[i::2]) for i in range(2)] + [(1 / 3, beats[i::3]) for i in range(3)]
    readings += [(3 / 2, parts(3)[i::2]) for i in range(2)] + [(2 / 3, parts(2)[i::3]) for i in range(3)]
    heard = [SLOWEST_HEARD <= 6000 / interval * factor <= FASTEST_HEARD for factor, _ in readings]
    if not heard[0]:
        return []
    return [(places if known else [], min(WIDEST, int(np.ceil(interval / factor / 16))) if known else 1)
            for known, (factor, places) in zip(heard, readings)]


def bar_readings(beats, downbeats):
    """The same for the downbeats, as they are and one, two, ... beats later; nothing where the bars have no common length
    or are too few."""
    first = np.array([np.abs(beats - d).argmin() for d in downbeats])
    if len(first) < 6:
        return []
    lengths = np.diff(first)
    bar = int(np.median(lengths))
    if not 2 <= bar <= PHASES or (lengths == bar).mean() < 0.8:
        return []
    return [(beats[(first + i)[first + i < len(beats)]], 1) for i in range(bar)]


class Song:
    """One song's truth; the spectrogram stays on the disk until a crop is taken."""

    def __init__(self, name, spec, truth, teacher, part, group, weak=False, piece=False):
        self.name, self.spec, self.part, self.group, self.weak = name, spec, part, group, weak
        self.rendered = teacher is None
        self.beats = np.array(truth["beats"], np.float64) * 100
        self.downbeats = np.array(truth["downbeats"], np.float64) * 100
        segments = truth["segments"]
        if segments and isinstance(segments[0], dict):
            segments = [[s["start"], s["end"], s["label"]] for s in segments]
        self.segments = [(a * 100, b * 100, NAMES.index(label)) for a, b, label in segments]
        self.teacher = self.shares = None
        self.tempo = 6000 / np.median(np.diff(self.beats)) if len(self.beats) > 8 else 0.0
        self.sure = 1.0
        # Of composed music neither form nor, sometimes, the downbeats are known; of a piece of a song the form is not.
        self.downbeats_known = truth.get("downbeats_known", True)
        self.form_known = bool(self.segments) or (self.rendered and not len(self.beats))
        self.kind = SOURCES[name[0]][1] if self.rendered else "played" if piece else "real"
        if not self.rendered:
            with np.load(teacher) as values:
                self.teacher = {k: values[k] for k in ("beat", "downbeat", "segment", "label")}
            at = np.clip(np.round(self.beats).astype(int), 0, len(self.teacher["beat"]) - 1)
            confidence = float(self.teacher["beat"][at].astype(np.float32).mean()) if len(at) > 8 else 0.0
            self.sure = float(np.clip((confidence - 0.15) / 0.25, 0.05, 1.0))
            self.confidence = confidence
            shares = teacher.with_suffix(".shares.npy")
            self.shares = shares if shares.exists() else None
            if weak:
                # The teacher without its separator: its beats are as good where it is confident; its form agrees
                # with the whole teacher's in three boundaries of four and in two thirds of the labels.
                self.sure = float(confidence >= 0.4)

    def crop(self, start, length, stretch, gains=(1, 1)):
        """Spectrogram [length][81] and targets of `length` frames from `start`, played `stretch` times as
        fast (tempo only), the drums and the voice so many times as loud; zeros past the song's end. Last but one what
        remix() tells of the stems, [18][length / 4], -1 where it is not known."""
        source = np.load(self.spec, mmap_mode="r")
        frames = len(source)
        need = int(np.ceil(length * stretch)) + 2
        x = np.asarray(source[start:start + need], np.float32)
        stems = np.full((len(x), STEMS * GROUPS), -1, np.float32)
        if self.shares:
            shares = np.load(self.shares, mmap_mode="r")[:, start:start + len(x)]
            known = shares.shape[1]
            x[:known], stems[:known] = remix(x[:known], shares, gains)
        places = np.arange(length) * stretch
        inside = places <= len(x) - 1
        low = np.minimum(places.astype(int), len(x) - 1)
        x = (between(x, places) if stretch != 1 else x[low]) * inside[:, None]
        stems = np.where(inside[:, None], stems[low], -1)[:length // STEM_STEP * STEM_STEP]
        stems = stems.reshape(-1, STEM_STEP, STEMS * GROUPS)
        stems = np.where((stems >= 0).all(axis=1), stems.mean(axis=1), -1).T
        to = lambda times: (times - start) / stretch
        beat = bells(to(self.beats), length, BEAT_SIGMA)
        downbeat = bells(to(self.downbeats), length, BEAT_SIGMA)
        edges = np.array([a for a, _, _ in self.segments[1:]], np.float64)
        section = bells(to(edges), length, BOUNDARY_SIGMA)
        function = np.zeros((length // STEP, LABELS), np.float32)
        middle = (np.arange(length // STEP) + 0.5) * STEP * stretch + start
        for a, b, label in self.segments:
            function[(middle >= a) & (middle < b), label] = 1
        if self.teacher is not None:
            at = np.minimum((start + places).astype(int), frames - 1)
            soft = {k: self.teacher[k][..., np.minimum(at, self.teacher[k].shape[-1] - 1)].astype(np.float32)
                    for k in self.teacher}
            mine = 0.6 * self.sure
            beat = mine * beat + (1 - mine) * soft["beat"] * inside
            downbeat = mine * downbeat + (1 - mine) * soft["downbeat"] * inside
            section = 0.6 * section + 0.4 * np.sqrt(soft["segment"]) * inside
            means = (soft["label"] * inside)[:, :length // STEP * STEP].reshape(LABELS, -1, STEP).mean(axis=2).T
            # What the teacher without its separator decoded as functions is worse than the activations of the file.
            function = means if self.weak else 0.5 * function + 0.5 * means
        return x, beat, downbeat, section, function, stems, self.readings(to, length)

    def readings(self, to, length):
        """[READINGS + PHASES][length], true at the frames of each reading, and [READINGS + PHASES], how wide its beats
        are; all false where neither the truth is known nor the teacher is sure."""
        at, wide = no_readings(length)
        beats, downbeats = (times[(times >= 0) & (times < length)] for times in (to(self.beats), to(self.downbeats)))
        if self.sure == 1 and len(beats) >= 16:
            levels = level_readings(beats)
            phases = bar_readings(beats, downbeats) if levels and self.downbeats_known else []
            for first, readings in ((0, levels), (READINGS, phases)):
                for row, (places, width) in enumerate(readings, first):
                    frames = np.round(places).astype(int)
                    at[row, frames[frames < length]] = True
                    wide[row] = width
        return at, wide


def remix(x, shares, gains):
    """The mix with its drums and its voice so many times as loud, as the stems' shares of its power tell; and these shares
    in it, [frames][18], the drums' in nine groups of bands and then the voice's, -1 where a group is all but silent."""
    shares = shares.astype(np.float32) / 255
    power = np.maximum(1 + shares[0] * (gains[0] ** 2 - 1) + shares[1] * (gains[1] ** 2 - 1), 0)
    magnitude = np.expm1(x * np.float32(np.log(10)))
    each = shares * np.square(gains, dtype=np.float32)[:, None, None] * np.square(magnitude)
    magnitude = magnitude * np.sqrt(power)
    grouped = lambda values: values.reshape(*values.shape[:-1], GROUPS, -1).sum(axis=-1)
    whole = grouped(np.square(magnitude))
    told = np.where(whole > FAINTEST, np.minimum(grouped(each) / np.maximum(whole, FAINTEST), 1), -1)
    return np.log10(1 + magnitude), np.concatenate(list(told), axis=1)


def new_mix(rng):
    """Gains of drums and voice: of three mixes one keeps its drums, one has others, one has none or some far away;
    of five two have another voice."""
    draw = rng.random()
    drums = 1 if draw < 1 / 3 else 10 ** (rng.uniform(-9, 6) / 20) if draw < 2 / 3 else rng.choice([0, 0.03, 0.15])
    voice = 1 if rng.random() < 0.6 else 10 ** (rng.uniform(-20, 6) / 20)
    return float(drums), float(voice)


def new_stretch(rng, song):
    """How many times as fast a song is played."""
    change = float(rng.uniform(-STRETCH, STRETCH)) if rng.random() < 0.6 else 0.0
    # Far from where people tap, another level of the metre would be called the beat.
    slowest, fastest = (SLOWEST, FASTEST) if song.rendered else (SLOWEST_SURE, FASTEST_SURE)
    if song.tempo and not slowest <= song.tempo * np.exp(change) <= fastest:
        change = 0.0 if song.rendered else change * KEPT / STRETCH
    return float(np.exp(change))


def whole_length(frames, stretch):
    """Of a crop that has all of a song's frames, played so many times as fast."""
    return -(-int(frames / stretch) // MULTIPLE) * MULTIPLE


def form_weights(song):
    """Of sections and of functions in the loss."""
    return tuple(w * song.form_known for w in ((0.4, 0.15) if song.rendered else (0.7, 0.7) if song.weak else (1.0, 1.0)))


def moved(x, shift):
    """Up by so many bands, zeros where there was none."""
    out = np.zeros_like(x)
    out[:, max(shift, 0):BANDS + min(shift, 0)] = x[:, max(-shift, 0):BANDS - max(shift, 0)]
    return out


def between(x, places):
    """Values at places (in frames) between the frames of x, [frames] or [frames][...]; the last frame goes on without end."""
    places = np.minimum(places, len(x) - 1)
    low = places.astype(int)
    share = (places - low).astype(np.float32).reshape(-1, *[1] * (x.ndim - 1))
    return x[low] * (1 - share) + x[np.minimum(low + 1, len(x) - 1)] * share


def augment(rng, x):
    """Level, equalisation, shifts along the bands, low-pass and noise, as a mix would meet them."""
    power = np.expm1(x * np.float32(np.log(10)))
    if rng.random() < 0.35:
        power = moved(power, int(rng.integers(-3, 4)))
    gain = rng.uniform(-14, 8)
    if rng.random() < 0.7:
        knots = rng.normal(0, 4.5, 6)
        gain = gain + np.interp(np.arange(BANDS), np.linspace(0, BANDS - 1, 6), knots)
    if rng.random() < 0.1:
        gain = gain - 6.0 * np.maximum(0, np.arange(BANDS) - rng.integers(35, 75))
    if rng.random() < 0.08:
        gain = gain - 6.0 * np.maximum(0, rng.integers(5, 25) - np.arange(BANDS))
    power = power * (10 ** (np.asarray(gain, np.float32) / 20))
    if rng.random() < 0.25:
        tilt = np.interp(np.arange(BANDS), [0, BANDS - 1], rng.uniform(-10, 10, 2)).astype(np.float32)
        level = np.mean(power) * 10 ** (rng.uniform(-30, -2) / 20) * 10 ** (tilt / 20)
        power = power + level * rng.gamma(4.0, 0.25, power.shape).astype(np.float32)
    if rng.random() < 0.3:
        for _ in range(rng.integers(1, 3)):
            low, wide = rng.integers(0, BANDS), rng.integers(3, 14)
            power[:, low:low + wide] *= rng.choice([0.0, 0.1])
    if rng.random() < 0.25:
        for _ in range(rng.integers(1, 4)):
            at, long = rng.integers(0, len(power)), rng.integers(10, 200)
            power[at:at + long] *= rng.choice([0.0, 0.1])
    return np.log10(1 + np.maximum(power, 0)).astype(np.float32)


def nothing(rng, length):
    """Silence, or noise without a pulse: no beats, no sections."""
    x = np.zeros((length, BANDS), np.float32)
    if rng.random() < 0.8:
        shape = np.interp(np.arange(BANDS), np.linspace(0, BANDS - 1, 5), rng.normal(0, 8, 5))
        level = 10 ** ((rng.uniform(-35, 30) + shape) / 20)
        walk = np.cumsum(rng.normal(0, 1, length // 50 + 2)) * rng.choice([0, 0.5, 1.5])
        swell = 10 ** (np.interp(np.arange(length) / 50, np.arange(len(walk)), walk - walk.mean()) / 20)
        # Frames overlap by three quarters: what is random in one is half so in the next.
        grain = rng.gamma(rng.uniform(0.5, 8), 0.2, (length + 4, BANDS))
        grain = sum(w * grain[i:i + length] for i, w in enumerate([0.1, 0.25, 0.3, 0.25, 0.1]))
        x = np.log10(1 + level * swell[:, None] * grain).astype(np.float32)
    return x


def same_function(said, segments):
    """Share of the time in which the functions, one for each STEP frames, are those of [(start, end, label)], in frames;
    nan where these say nothing."""
    middle = (np.arange(len(said)) + 0.5) * STEP
    true = np.full(len(said), -1)
    for a, b, label in segments:
        true[(middle >= a) & (middle < b)] = label
    return (said == true)[true >= 0].mean() if (true >= 0).any() else np.nan


def only(songs, names):
    """{part: [Song]} without the songs that are not on the list, RUN/songs.txt."""
    names = set(names.read_text(encoding="utf-8").split("\n"))
    return {part: [s for s in found if s.name in names] for part, found in songs.items()}


def word_on(data, row):
    """The file with the teacher's word on a song or a piece, or else with that of DATA/weak on a training song (there is
    none on a piece); and whether it is the latter. The file need not be there."""
    path = data / "teacher" / f"{row['id']}.npz"
    weak = row["part"] == "train" and not path.exists()
    return data / "weak" / path.name if weak else path, weak


def load(data, parts):
    """{part: [Song]} of everything that has a spectrogram and a truth or a teacher's word."""
    found = {part: [] for part in parts}
    for table in ("songs.tsv", "played.tsv"):
        piece = table == "played.tsv"
        for row in read_table(data / table) if (data / table).exists() else []:
            teacher, weak = word_on(data, row)
            if row["part"] in found and teacher.exists():
                truth = json.loads(teacher.with_suffix(".json").read_text())
                if piece:
                    truth["segments"] = []
                found[row["part"]].append(Song(row["path"], data / "spec" / f"{row['id']}.npy", truth, teacher,
                                               row["part"], row["package"], weak, piece))
    for path in sorted((data / "truth").glob(f"[{''.join(SOURCES)}]_*.json")):
        truth = json.loads(path.read_text())
        if truth["part"] in found:
            drums = "full" if truth["kind"] == "full" else "drumless"
            group = SOURCES[path.name[0]][0] + (" " + drums if path.name[0] in "brm" else "")
            found[truth["part"]].append(Song(path.stem, data / "spec" / f"{path.stem}.npy", truth, None,
                                             truth["part"], group))
    # A song that says nothing is left out, and a piece that the teacher is not sure of.
    tells = lambda song: song.sure == 1 if song.kind == "played" else song.sure > 0 or song.form_known
    return {part: [s for s in songs if tells(s)] for part, songs in found.items()}


# Of the crops; the rest is made on the spot.
SHARES = {"real": 0.40, "played": 0.08, "grooves": 0.20, "bands": 0.15, "composed": 0.11, "noise": 0.03}


def batch(rng, songs, size, length, longer=0):
    """One batch, its crops drawn by kind; a few are of nothing. Weights: beat, downbeat, section, function. Then the
    drums' and the voice's shares, before the augmentation, and last what Song.readings gives. Of so many batches as
    `longer` says half have half as many crops, twice as long, and half are one song, whole as far as `size` crops
    reach: an edge of a crop says where a song begins or ends only there."""
    times = int(rng.choice((2, size))) if longer and rng.random() < longer else 1
    whole = 1 < times == size
    size, length = size // times, length * times
    # Pieces are too short for longer crops.
    pools = {kind: [s for s in songs if s.kind == kind and (times == 1 or kind != "played")] for kind in SHARES}
    # What is not there leaves its share to the others, not to the crops of nothing.
    all_known = sum(share for kind, share in SHARES.items() if pools[kind])
    known = {kind: share * sum(SHARES.values()) / all_known for kind, share in SHARES.items() if pools[kind]}
    xs, targets, functions, weights, parts, readings, widths = [], [], [], [], [], [], []
    for _ in range(size):
        draw, kind = rng.random(), None
        for kind, share in known.items():
            draw -= share
            if draw < 0:
                break
        if draw >= 0:
            xs.append(nothing(rng, length))
            targets.append(np.zeros((3, length), np.float32))
            functions.append(np.zeros((length // STEP, LABELS), np.float32))
            weights.append((1.0, 1.0, 1.0, 0.0))
            parts.append(np.full((STEMS * GROUPS, length // STEM_STEP), -1))
            read, wide = no_readings(length)
            readings.append(read)
            widths.append(wide)
            continue
        song = pools[kind][rng.integers(len(pools[kind]))]
        stretch = new_stretch(rng, song)
        frames = len(np.load(song.spec, mmap_mode="r"))
        if whole:
            length = min(length, whole_length(frames, stretch))
        reach = length * stretch if whole else length * stretch * 0.8
        start = int(rng.integers(0, max(1, frames - int(reach))))
        gains = new_mix(rng) if song.shares else (1, 1)
        x, beat, downbeat, section, function, stems, (read, wide) = song.crop(start, length, stretch, gains)
        xs.append(augment(rng, x) if rng.random() < 0.85 else x)
        targets.append(np.stack([beat, downbeat, section]))
        functions.append(function)
        parts.append(stems)
        readings.append(read)
        widths.append(wide)
        weights.append((song.sure, song.sure * song.downbeats_known, *form_weights(song)))
    return (np.stack(xs), np.stack(targets), np.stack(functions),
            np.array(weights, np.float32), np.stack(parts).astype(np.float32), np.stack(readings), np.stack(widths))
