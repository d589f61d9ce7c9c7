"""Speech to test with: said by espeak-ng, as the samples that a transcription takes."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from typing import Any

import numpy as np
import pytest

from app.engine.speech import SAMPLE_RATE


def say(text: str, voice: str = "en-gb") -> bytes:
    """``text`` spoken: float32, 16 kHz, one channel."""
    program = shutil.which("espeak-ng")
    if program is None:
        pytest.skip("espeak-ng is not installed, so there is no speech to transcribe (Debian: apt install espeak-ng)")
    command = [program, "-v", voice, "-s", "140", "--stdout", text]
    with wave.open(io.BytesIO(subprocess.run(command, capture_output=True, check=True).stdout)) as sound:
        rate, raw = sound.getframerate(), sound.readframes(sound.getnframes())
    samples = np.frombuffer(raw, "<i2").astype(np.float32) / 32768
    # To another rate by its spectrum, so that what 16 kHz cannot hold is left out and not folded back.
    length = round(len(samples) * SAMPLE_RATE / rate)
    spectrum = np.fft.rfft(samples)[: length // 2 + 1]
    found: bytes = (np.fft.irfft(spectrum, length) * length / len(samples)).astype(np.float32).tobytes()
    return found


def silence(seconds: float) -> bytes:
    """Nothing, for so long."""
    return bytes(4 * round(seconds * SAMPLE_RATE))


def noise(seconds: float, loudness: float = 0.1) -> bytes:
    """White noise."""
    generator: Any = np.random.default_rng(1)
    found: bytes = (generator.standard_normal(round(seconds * SAMPLE_RATE)) * loudness).astype(np.float32).tobytes()
    return found
