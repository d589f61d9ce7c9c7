"""Sound of a device that knows only its own rate, brought to ours."""

from __future__ import annotations

import sys
from array import array
from itertools import accumulate


class Resampler:
    """Brings int16 samples from one rate to a lower one, block by block, without clicks between blocks.

    Each new sample is the mean of the stretch of old ones that it stands for, so that what the lower rate cannot hold
    is damped and not folded back.

    Args:
        source, target: samples a second.
    """

    def __init__(self, source: int, target: int) -> None:
        self._step = source / target
        self._kept = array("h")
        self._place = 0.0

    def feed(self, samples: bytes) -> bytes:
        """As many new samples as these, with what was left of those before, are enough for."""
        old = self._kept + _samples(samples)
        sums = array("d", accumulate(old, initial=0.0))

        def until(place: float) -> float:
            whole = int(place)
            return sums[whole] + (place - whole) * old[whole] if whole < len(old) else sums[-1]

        found = array("h")
        place, step = self._place, self._step
        before = until(place)
        while place + step <= len(old):
            place += step
            after = until(place)
            found.append(max(-32768, min(32767, round((after - before) / step))))
            before = after
        used = int(place)
        self._kept, self._place = old[used:], place - used
        return found.tobytes()


def _samples(data: bytes) -> array[int]:
    samples = array("h")
    samples.frombytes(data)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples
