"""A provider that fails in every way, and whose tokens tell which of its requests they came from."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from .provider import Answer, Received

SHORT = {"cooldown_s": 0.02, "read_s": 0.2, "retries": 1}
"""Fields of an endpoint that gives up soon."""


class FaultyPlan:
    """Answers for ``provider``: of five requests about three fail. The same seed fails in the same ways.

    Args:
        seed: of the dice.
        more: further faults, as fields of ``Answer``.

    Attributes:
        dice: thrown for each answer; a test throws them too.
        lengths: how many tokens the answer to each request has.
        count: of each kind of fault; ``none`` of the answers without.
    """

    def __init__(self, seed: int, more: Sequence[Mapping[str, Any]] = ()) -> None:
        self.dice = random.Random(seed)
        self.lengths: dict[int, int] = {}
        self.count: Counter[str] = Counter()
        self._more = list(more)

    @property
    def faults(self) -> int:
        """So far."""
        return sum(self.count.values()) - self.count["none"]

    def __call__(self, request: Received) -> Answer:
        dice, number = self.dice, len(self.lengths) + 1
        length = self.lengths[number] = dice.randrange(1, 9)
        faults: list[Mapping[str, Any]] = [
            {"status": 429},
            {"status": 429, "headers": {"retry-after": "0.01"}},
            {"status": 500},
            {"status": 503},
            {"status": 401},
            {"status": 400},
            {"dies_after": -1},
            {"dies_after": dice.randrange(0, length + 3)},
            {"dies_after": dice.randrange(1, length + 3)},
            {"ends_after": dice.randrange(0, length + 1)},
            {"hangs_after": dice.randrange(0, length + 1)},
            {"fails_after": dice.randrange(1, length + 1)},
            *self._more,
            *[{}] * 4,
        ]
        fault = dice.choice(faults)
        self.count[next(iter(fault), "none")] += 1
        text = tuple(f"{number}:{place} " for place in range(length))
        return Answer(text=text, write=dice.choice([0, 0, 1, 7]), **fault)

    def is_whole(self, tokens: Sequence[tuple[int, ...]]) -> bool:
        """Whether they are all the tokens of one answer."""
        return bool(tokens) and len(tokens) == self.lengths[tokens[0][0]]
