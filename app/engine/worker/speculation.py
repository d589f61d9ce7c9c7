"""How many guessed tokens a decoding step carries: as many as make it bring more text a second, and none otherwise.

A row more in a batch is nearly free on an accelerator, and half of a step's time on two processors; so what a row costs
is learnt from the steps themselves. Which guess is good, each request's ``PromptLookup`` knows.
"""

from __future__ import annotations

from dataclasses import dataclass

from .lookup import PromptLookup

MOST_GUESSED = 15
"""Of one request in one step."""

_MOST_TOGETHER = 48
"""Of all requests in one step."""

_LEAST_GAIN = 1.12
"""By which a step must seem to become better before anything is guessed: what is guessed of guesses is not exact."""

_SLOWER_FOR_OTHERS = 1.05
"""By which an answer may become slower for the sake of another one's guesses."""

_FIRST_COST = 0.5
_COSTS = 0.01, 1.5
_WEIGHT, _DRIFT = 0.15, 0.004
_LIKE_MORE = 0.5
"""What the second row costs beyond any later one, in rows: one row alone is a product with a vector, not a matrix."""


class RowCost:
    """What a row more costs, as a share of a step with one row. Learnt; forgotten slowly while it is not seen."""

    def __init__(self) -> None:
        self.share = _FIRST_COST
        self._single = 0.0

    def observe(self, rows: int, seconds: float) -> None:
        """Notes a step that computed one token and guesses of each request, and no prompt."""
        if rows == 1:
            # A step that was held up says nothing of its cost.
            usual = min(seconds, 2 * self._single) if self._single else seconds
            self._single += (_WEIGHT if self._single else 1.0) * (usual - self._single)
            self.share += _DRIFT * (_FIRST_COST - self.share)
        elif self._single:
            least, most = _COSTS
            seen = (seconds / self._single - 1) / (rows - 1 + _LIKE_MORE)
            self.share += _WEIGHT * (min(most, max(least, seen)) - self.share)

    def of(self, rows: int) -> float:
        """How long a step takes, in steps with one row."""
        return 1 + self.share * (rows - 1 + _LIKE_MORE) if rows > 1 else 1.0


@dataclass(frozen=True)
class Asking:
    """A request that is answering: its guesses, if it may have any, and how many tokens of them it has room for."""

    lookup: PromptLookup | None
    most: int


class Speculation:
    """Chooses the number of guesses for each request of a step."""

    def __init__(self) -> None:
        self.cost = RowCost()

    def counts(self, asking: list[Asking], room: int) -> list[int]:
        """How many tokens are guessed for each request, ``room`` at most for all.

        Those that are likeliest to be right come first, whosever they are. A request for which nothing can be guessed
        gains nothing by it, and so is not made to wait for it.
        """
        odds = [each.lookup.odds(min(each.most, MOST_GUESSED)) if each.lookup else [] for each in asking]
        likeliest = sorted(((likely, place) for place, own in enumerate(odds) for likely in own), reverse=True)
        counts, best = [0] * len(asking), [0] * len(asking)
        rows, plain = len(asking), self.cost.of(len(asking))
        highest = _LEAST_GAIN * rows / plain
        said, each_says = float(rows), [1.0] * rows
        for guesses, (likely, place) in enumerate(likeliest[: min(room, _MOST_TOGETHER)], 1):
            counts[place] += 1
            said += likely
            each_says[place] += likely
            took = self.cost.of(rows + guesses)
            if said / took > highest and took / plain <= _SLOWER_FOR_OTHERS * min(each_says):
                best, highest = list(counts), said / took
        return best
