"""How many threads compute: all of them on a quiet machine, fewer while other programs need the processors.

The threads of a matrix product wait for each other hundreds of times a token, and they spin while they wait. When
another program takes a processor away from one of them, all the others stand still, and keep the processors that it
could go on with: one busy program on two processors slows an answer to a tenth. A single thread waits for nobody.
"""

from __future__ import annotations

import time
from collections.abc import Callable

_HINDERED = 1.8
"""Steps that take so many times what they took at best are taken for hindered."""
_WEIGHT = 0.3
"""Of the last step in the running mean."""
_STEPS = 5
"""Steps after which a size is judged."""
_SOON_SECONDS, _LATE_SECONDS = 0.5, 4.0
"""Until another size is tried: at first, and when trying has not helped for a while."""
_DRIFT = 1.002
"""By which the best is forgotten with each step: steps grow longer with the conversations in the cache."""


class Team:
    """Chooses the number of threads by how long steps take. Belongs to the one thread that decodes.

    Args:
        most: threads on a quiet machine.
        clock: seconds.

    Attributes:
        size: threads for the next step.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._sizes = _halvings(most)
        self._clock = clock
        self._best: dict[int, float] = {}
        self._slowness = [1.0] * len(self._sizes)
        self._home = self._tried = 0
        self._downwards = True
        self._steps = 0
        self._patience = _SOON_SECONDS
        self._next_try = 0.0
        self.size = self._sizes[0]

    def observe(self, tokens: int, seconds: float) -> None:
        """Notes a step of ``tokens`` that took ``seconds``, and chooses for the next one."""
        if len(self._sizes) == 1:
            return
        slowness = self._compared(tokens, seconds)
        first = self._steps == 0 and self._tried != self._home
        before = self._slowness[self._tried]
        self._slowness[self._tried] = slowness if first else before + _WEIGHT * (slowness - before)
        self._steps += 1
        if self._steps < _STEPS:
            return
        if self._tried != self._home:
            self._judge()
        elif self._clock() >= self._next_try:
            self._try()
        self.size = self._sizes[self._tried]

    def _compared(self, tokens: int, seconds: float) -> float:
        """How many times longer it took than such steps did at best, with all threads."""
        kind = max(0, tokens - 1).bit_length()
        # Up to about 16 tokens cost what one does, since the weights are read once; beyond, each costs its own.
        spent = max(seconds, 1e-6) / max(1.0, tokens / 16)
        best = self._best.get(kind, spent)
        if self._tried == 0:
            self._best[kind] = min(best * _DRIFT, spent)
        return spent / best

    def _try(self) -> None:
        """Begins to try another size, when there is reason to."""
        if self._home == 0 and self._slowness[0] < _HINDERED:
            self._patience = _SOON_SECONDS
            return
        last = len(self._sizes) - 1
        self._downwards = self._home == 0 or (self._downwards and self._home < last)
        self._tried = self._home + (1 if self._downwards else -1)
        self._steps = 0

    def _judge(self) -> None:
        """Stays with the size that was tried when it is quicker, else goes back."""
        if self._slowness[self._tried] < self._slowness[self._home]:
            self._home = self._tried
            self._patience = _SOON_SECONDS
        else:
            self._tried = self._home
            self._downwards = not self._downwards
            self._patience = min(_LATE_SECONDS, 2 * self._patience)
        self._steps = 0
        self._next_try = self._clock() + self._patience


def _halvings(most: int) -> list[int]:
    """``most``, half of it, and so on, down to one."""
    sizes = [max(1, most)]
    while sizes[-1] > 1:
        sizes.append(sizes[-1] // 2)
    return sizes
