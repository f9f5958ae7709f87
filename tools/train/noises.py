"""Makes what has no beats and no sections: noise of many colours, rain, wind, hum, still chords, a voice that speaks.

Writes DATA/spec/z_NNN.npy and DATA/truth/z_NNN.json (no beats, no segments). The number is the seed."""
import argparse
import os
import pathlib
import shutil
import subprocess
import tempfile
import wave

import numpy as np

from render import keep, make_folders
from sound import write_sound

RATE, SECONDS = 44100, 70
TEXT = ("The river ran slowly past the mill, and nobody knew how long the summer would last. Some said a month; others, "
        "looking at the hills, said less. When the rain came at last it fell for three days without a pause.")


def shaped(rng, values):
    """Noise with a random spectrum: a slope and a few broad hills."""
    spectrum = np.fft.rfft(values)
    hz = np.fft.rfftfreq(len(values), 1 / RATE) + 1
    octave = np.log2(hz / 1000)
    decibels = rng.choice([0, -3, -6, rng.uniform(-9, 3)]) * octave
    for _ in range(rng.integers(0, 4)):
        decibels += rng.uniform(-15, 15) * np.exp(-0.5 * ((octave - rng.uniform(-4, 4)) / rng.uniform(0.3, 1.5)) ** 2)
    return np.fft.irfft(spectrum * 10 ** (np.clip(decibels, -80, 60) / 20), len(values))


def swell(rng, n, depth, rate):
    """A slow random gain."""
    points = rng.normal(0, depth, int(n / RATE * rate) + 4)
    return 10 ** (np.interp(np.arange(n) * rate / RATE, np.arange(len(points)), points) / 20)


def sound(rng, kind):
    n = RATE * SECONDS
    if kind == "noise":
        return shaped(rng, rng.normal(0, 1, n)) * swell(rng, n, rng.choice([0, 0, 3]), rng.uniform(0.1, 2))
    if kind == "wind":
        return shaped(rng, rng.normal(0, 1, n)) * swell(rng, n, rng.uniform(3, 10), rng.uniform(0.1, 0.6))
    if kind == "rain":
        drops = np.zeros(n)
        count = int(rng.uniform(1, 60) * SECONDS)
        np.add.at(drops, rng.integers(0, n, count), rng.exponential(1, count))
        length = int(RATE * rng.uniform(0.002, 0.1))
        body = rng.normal(0, 1, length) * np.exp(-np.arange(length) / (length / 5))
        wide = np.fft.irfft(np.fft.rfft(drops, 2 * n) * np.fft.rfft(body, 2 * n), 2 * n)[:n]
        return shaped(rng, wide) + rng.uniform(0, 0.3) * np.std(wide) * rng.normal(0, 1, n)
    if kind == "hum":
        base = rng.choice([50.0, 60.0, rng.uniform(40, 400)])
        t = np.arange(n) / RATE
        tone = sum(rng.uniform(0, 1) / k * np.sin(2 * np.pi * base * k * t + rng.uniform(0, 6)) for k in range(1, 12))
        return tone + rng.uniform(0.001, 0.1) * rng.normal(0, 1, n)
    if kind == "chord":
        t = np.arange(n) / RATE
        out = np.zeros(n)
        for _ in range(rng.integers(2, 6)):
            hz = 440 * 2 ** (rng.integers(-30, 20) / 12)
            tone = sum(rng.uniform(0, 1) / k * np.sin(2 * np.pi * hz * (k + rng.normal(0, 0.001)) * t) for k in range(1, 8))
            out += tone * swell(rng, n, rng.uniform(0, 8), rng.uniform(0.1, 0.5))
        return out
    return np.zeros(n)


def speech(rng, work):
    voice = rng.choice(["en", "de", "fr", "it", "es", "en-us"])
    subprocess.run(["espeak-ng", "-v", voice, "-s", str(rng.integers(110, 220)), "-p", str(rng.integers(10, 90)),
                    "-w", work / "voice.wav", " ".join([TEXT] * 6)], check=True, capture_output=True)
    with wave.open(str(work / "voice.wav")) as file:
        values = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
        rate = file.getframerate()
    n = min(RATE * SECONDS, int(len(values) / rate * RATE))
    return np.interp(np.arange(n) * rate / RATE, np.arange(len(values)), values)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--tool", type=os.path.abspath, required=True, help="build/mix_spectrogram")
    parser.add_argument("--count", type=int, default=72)
    options = parser.parse_args()
    make_folders(options.data)
    kinds = ["noise", "wind", "rain", "hum", "chord", "speech"]
    if shutil.which("espeak-ng") is None:
        parser.error("espeak-ng is needed")
    for seed in range(options.count):
        name = f"z_{seed:03d}"
        if (options.data / "truth" / f"{name}.json").exists():
            continue
        rng = np.random.default_rng([6, seed])
        kind = kinds[seed % len(kinds)]
        with tempfile.TemporaryDirectory(dir=options.data) as folder:
            work = pathlib.Path(folder)
            values = speech(rng, work) if kind == "speech" else sound(rng, kind)
            values = values / (np.abs(values).max() + 1e-12) * 10 ** (rng.uniform(-30, 0) / 20)
            write_sound(work / "song.wav", np.trunc(values * 32767))
            subprocess.run([options.tool, work / "song.wav", work / "spec.npy"], check=True)
            part = {10: "test", 11: "valid"}.get(seed // len(kinds), "train")
            try:
                keep(np.load(work / "spec.npy").astype(np.float16),
                     dict(beats=[], downbeats=[], segments=[], kind=kind, part=part), options.data, name, work)
                print("made", name, kind, flush=True)
            except RuntimeError as error:
                print("nothing of", name, kind, error, flush=True)


if __name__ == "__main__":
    main()
