"""Sounds that the training tools make themselves, as files."""
import wave

import numpy as np


def write_sound(path, values):
    """[samples] or [samples][2] in 16 bits at 44.1 kHz."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1 if values.ndim == 1 else values.shape[1])
        file.setsampwidth(2)
        file.setframerate(44100)
        file.writeframes(np.clip(np.round(values), -32768, 32767).astype("<i2").tobytes())
