"""Plays tracker modules row by row: the truth is the pattern's own clock.

Writes DATA/spec/t_DIGEST.npy and DATA/truth/t_DIGEST.json. Rows a beat are chosen among 3, 4, 6 and 8 by where
notes begin and by the tempo; a module on which the notes do not favour the beat's rows is left out, and its
downbeats count ("downbeats_known") only where the bar's first rows are favoured and the patterns are whole bars."""
import argparse
import ctypes
import ctypes.util
import hashlib
import math
import os
import pathlib
import subprocess
import tempfile

import numpy as np

from fetch import MODULES
from render import keep, make_folders
from sound import write_sound

RATE, CHUNK, LONGEST = 44100, 64, 200.0


class Player:
    def __init__(self, data):
        lib = ctypes.CDLL(ctypes.util.find_library("openmpt") or "libopenmpt.so.0")
        lib.openmpt_module_create_from_memory2.restype = ctypes.c_void_p
        lib.openmpt_module_read_interleaved_stereo.restype = ctypes.c_size_t
        lib.openmpt_module_read_interleaved_stereo.argtypes = [ctypes.c_void_p, ctypes.c_int32, ctypes.c_size_t,
                                                               ctypes.c_void_p]
        lib.openmpt_module_get_pattern_row_channel_command.restype = ctypes.c_uint8
        self.lib = lib
        self.module = lib.openmpt_module_create_from_memory2(data, ctypes.c_size_t(len(data)), None, None, None, None,
                                                             None, None, None)
        if not self.module:
            raise RuntimeError("libopenmpt does not read it")

    def ask(self, name, *arguments):
        return getattr(self.lib, "openmpt_module_" + name)(ctypes.c_void_p(self.module), *arguments)

    def play(self):
        """Sound [frames][2] and [(seconds, pattern, row)] of every row."""
        buffer = np.zeros(2 * CHUNK, np.int16)
        parts, rows, last, frames = [], [], None, 0
        while frames < LONGEST * RATE:
            n = self.lib.openmpt_module_read_interleaved_stereo(self.module, RATE, CHUNK, buffer.ctypes.data)
            if n == 0:
                break
            place = (self.ask("get_current_order"), self.ask("get_current_pattern"), self.ask("get_current_row"))
            if place != last:
                rows.append((frames / RATE, place[1], place[2]))
                last = place
            parts.append(buffer[:2 * n].copy())
            frames += n
        return np.concatenate(parts).reshape(-1, 2), rows

    def onsets(self, rows):
        """Notes that begin on each row."""
        channels = self.ask("get_num_channels")
        known = {}
        for _, pattern, row in rows:
            if (pattern, row) not in known:
                notes = [self.ask("get_pattern_row_channel_command", pattern, row, c, 0) for c in range(channels)]
                known[pattern, row] = sum(1 <= n <= 120 for n in notes)
        return np.array([known[p, r] for _, p, r in rows], float)


def rows_a_beat(rows, onsets):
    """3, 4, 6 or 8; 0 where none is favoured."""
    place = np.array([r for _, _, r in rows])
    length = np.median(np.diff([t for t, _, _ in rows]))
    best, found = 1.25, 0
    for per in (4, 8, 6, 3):
        tempo = 60 / (length * per)
        if not 68 <= tempo <= 185:
            continue
        on, off = onsets[place % per == 0].mean(), onsets[place % per != 0].mean() + 1e-9
        closeness = math.exp(-0.5 * (math.log(tempo / 120) / 0.5) ** 2)
        if on / off > 1.25 and on / off * closeness > best:
            best, found = on / off * closeness, per
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--music", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--tool", type=os.path.abspath, required=True, help="build/mix_spectrogram")
    parser.add_argument("--list", type=pathlib.Path, default=pathlib.Path(__file__).with_name("modules.txt"))
    options = parser.parse_args()
    make_folders(options.data)
    for line in open(options.list, encoding="utf-8"):
        if not line.strip() or line[0] == "#":
            continue
        part, package = line.split()
        for path in sorted(p for p in (options.music / package).rglob("*") if p.suffix.lower() in MODULES):
            data = path.read_bytes()
            name = f"t_{hashlib.sha256(data).hexdigest()[:8]}"
            if (options.data / "truth" / f"{name}.json").exists():
                continue
            try:
                player = Player(data)
                sound, rows = player.play()
                onsets = player.onsets(rows)
                per = rows_a_beat(rows, onsets)
                if not per:
                    raise RuntimeError("no rows a beat are favoured")
                beats = [(t, p, r) for t, p, r in rows if r % per == 0]
                on = {k: np.mean([o for (_, _, r), o in zip(rows, onsets) if r % (4 * per) == k * per]) for k in range(4)}
                known = on[0] > 1.1 * max(on[1], on[2], on[3]) and np.mean([r % (4 * per) == 4 * per - 1 for (_, p, r), (_, q, s)
                                                                         in zip(rows, rows[1:]) if s != r + 1]) > 0.9
                truth = dict(beats=[round(t, 4) for t, _, _ in beats], downbeats_known=bool(known), segments=[],
                             downbeats=[round(t, 4) for t, _, r in beats if r % (4 * per) == 0] if known else [],
                             beats_per_bar=4, kind="module", part=part, source=path.name, rows_a_beat=per)
                with tempfile.TemporaryDirectory(dir=options.data) as folder:
                    work = pathlib.Path(folder)
                    write_sound(work / "song.wav", sound)
                    subprocess.run([options.tool, work / "song.wav", work / "spec.npy"], check=True)
                    keep(np.load(work / "spec.npy").astype(np.float16), truth, options.data, name, work)
                print("made", name, path.name, per, "rows a beat, downbeats" if known else "rows a beat", flush=True)
            except (RuntimeError, subprocess.CalledProcessError, ValueError) as error:
                print("no song", name, path.name, error, flush=True)


if __name__ == "__main__":
    main()
