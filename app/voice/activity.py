"""Whether somebody speaks, frame by frame, and how loud it is."""

from __future__ import annotations

import math
import sys
from array import array
from typing import Any

RATE = 16_000
FRAME_SECONDS = 0.02
FRAME_BYTES = round(RATE * FRAME_SECONDS) * 2

_STRICTNESS = 2
"""Of WebRTC's detector, 0 to 3. Measured on espeak-ng's speech with white noise 30 dB below full scale (10 dB below the
speech): 0 and 1 take the noise for speech, 2 finds 94 % of the speech and calls 5 % of the rest speech, 3 no more."""

_ABOVE_NOISE = 2.0
"""Speech is at least so many times as loud as the room (6 dB)."""

_QUIETEST = 0.001
"""-60 dB of full scale: below it nothing is taken for speech."""

_RISE = 1.004
"""How fast the room may grow louder, a frame: 1.7 dB a second, so that a sentence does not become the room."""


class ActivityDetector:
    """Tells speech from other sounds, by WebRTC's detector and by how far it is above the room's own noise.

    Attributes:
        level: root mean square of the last frame, 0 to 1.
    """

    def __init__(self) -> None:
        import webrtcvad

        self._detector: Any = webrtcvad.Vad(_STRICTNESS)
        self._floor = 1.0
        self.level = 0.0

    def is_speech(self, frame: bytes) -> bool:
        """Whether somebody speaks in a frame: ``FRAME_BYTES`` of int16 samples."""
        self.level = loudness(frame)
        self._floor = max(_QUIETEST / 4, min(self.level, self._floor * _RISE))  # the first frame's at first
        loud = self.level >= max(_QUIETEST, self._floor * _ABOVE_NOISE)
        return bool(self._detector.is_speech(frame, RATE)) and loud


def loudness(frame: bytes) -> float:
    """Root mean square of int16 samples, 0 to 1 of full scale."""
    samples = array("h")
    samples.frombytes(frame)
    if sys.byteorder == "big":
        samples.byteswap()
    return math.sqrt(sum(sample * sample for sample in samples) / max(1, len(samples))) / 32768


def to_float(samples: bytes) -> bytes:
    """Int16 samples as float32 between -1 and 1, as transcription takes them."""
    whole = array("h")
    whole.frombytes(samples)
    return array("f", (sample / 32768 for sample in whole)).tobytes()
