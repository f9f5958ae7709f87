"""The program against PyTorch: the same weights, rounded as export.py does, on the same audio.

  check.py --build build RUN.pt|FILE.a1w [AUDIO ...]

Besides the AUDIO given, half a minute of noise. Prints the largest absolute difference of each activation (a
probability) and fails above 2e-5: logits differ by up to some 1e-5 (products of up to 1,344 terms in float32, summed
in another order, through 44 blocks), and a probability moves by at most a quarter of its logit."""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch

from data import STEP, between, moved
from export import VIEWS, meant, read_mapped
from model import student_like
from sound import write_sound

TOLERANCE = 2e-5
QUIET = 1.1  # A1_STUDENT_QUIET


def student_of(path):
    """The file's weights in a model of their form, and its views, [(shift, tempo)]."""
    state = {name: torch.from_numpy(values) for name, values in meant(read_mapped(path.read_bytes())[0]).items()}
    shifts, tempos = (state.pop(name).tolist() if name in state else None for name in VIEWS)
    views = list(zip(shifts or [0] * len(tempos or [1]), tempos or [1] * len(shifts or [0])))
    model = student_like(state)
    model.load_state_dict(state)
    return model.eval(), views


def raised(spectrogram):
    """A quiet song as the program hears it (src/student/level.h)."""
    loudest = np.sort(spectrogram.max(axis=1))
    level = loudest[len(loudest) - 1 - (len(loudest) - 1) // 10]
    if not 0 < level < QUIET:
        return spectrogram
    gain = min(100.0, (10.0 ** QUIET - 1) / (10.0 ** float(level) - 1))
    return np.log10(1 + gain * (10.0 ** spectrogram.astype(float) - 1)).astype(np.float32)


def expected(model, views, spectrogram):
    frames, said = len(spectrogram), []
    spectrogram = raised(spectrogram)
    own = [tempo == 1 for _, tempo in views]
    for shift, tempo in views:
        count = max(1, int(frames / tempo))
        x = moved(between(spectrogram, np.arange(count) * tempo), int(shift))
        x = np.pad(x, ((0, -count % STEP), (0, 0)))
        with torch.no_grad():
            logits, labels = (heads[0] for heads in model(torch.from_numpy(x)[None])[:2])
        both = torch.cat([logits, labels.repeat_interleave(STEP, dim=1)])[:, :count].numpy().T
        said.append(between(both, np.arange(frames) / tempo))
    mean = np.mean(said, axis=0)
    if any(own):
        # Sections and functions are told by the views at the song's own tempo, where there are any.
        mean[:, 2:] = np.mean([one for one, at_own in zip(said, own) if at_own], axis=0)[:, 2:]
    mean = torch.from_numpy(mean.T)
    beat, downbeat, segment = torch.sigmoid(mean[:3]).numpy()
    return dict(beat=beat, downbeat=downbeat, segment=segment, label=torch.softmax(mean[3:], 0).numpy())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path, help="RUN/last.pt, or an .a1w file")
    parser.add_argument("--build", type=os.path.abspath, required=True, help="with allin1 and mix_spectrogram")
    parser.add_argument("audio", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        weights = work / "checked.a1w"
        subprocess.run([sys.executable, pathlib.Path(__file__).with_name("export.py"), options.run, weights],
                       check=True, stdout=subprocess.DEVNULL)
        model, views = student_of(weights)
        write_sound(work / "noise.wav", np.random.default_rng(1).normal(0, 3000, (30 * 44100, 2)))
        write_sound(work / "quiet.wav", np.random.default_rng(2).normal(0, 20, (30 * 44100, 2)))
        for audio in [work / "noise.wav", work / "quiet.wav"] + options.audio:
            subprocess.run([os.path.join(options.build, "mix_spectrogram"), audio, work / "spectrogram.npy"], check=True)
            subprocess.run([os.path.join(options.build, "allin1"), "-q", "-a", "-m", weights, "-o", work / "out", audio],
                           check=True)
            want = expected(model, views, np.load(work / "spectrogram.npy"))
            with np.load(work / "out" / f"{audio.stem}.activ.npz") as got:
                differences = {name: float(np.abs(got[name] - want[name]).max()) for name in want}
            worst = max(worst, *differences.values())
            print(audio.name, "  ".join(f"{name} {value:.1e}" for name, value in differences.items()))
    if not worst <= TOLERANCE:
        raise SystemExit(f"differs by {worst:.1e}, more than {TOLERANCE}")


if __name__ == "__main__":
    main()
