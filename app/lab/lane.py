"""One of several answers to one question, as it comes."""

from __future__ import annotations

import time
from collections.abc import Callable

from app.errors import PlaygroundError
from app.messages import Delta, Finished, Rerouted, Started, TextDelta, ThinkingDelta, Usage, Waiting

Cost = Callable[[str, Usage], float | None]
"""US dollars for what a model did; ``None`` where its price is not known."""


class Lane:
    """What one model has said so far, how fast, and for how much.

    Args:
        model: who is asked.
        cost: what its tokens cost.

    Attributes:
        answered_by: who answers, where that is known; another than ``model`` when that one could not.
        waiting: why nothing has come yet; None once something has, or at the end.
        first_token_s: seconds from the asking to the first piece; None before.
        finished: how it ended; None while it runs, and when it failed.
        error: why it failed.
    """

    def __init__(self, model: str, cost: Cost = lambda model, usage: None) -> None:
        self.model = self.answered_by = model
        self._cost = cost
        self._pieces: list[str] = []
        self._thoughts: list[str] = []
        self._began = time.monotonic()
        self.waiting: Waiting | None = None
        self.first_token_s: float | None = None
        self.finished: Finished | None = None
        self.error: PlaygroundError | None = None

    @property
    def text(self) -> str:
        """The answer so far."""
        return "".join(self._pieces)

    @property
    def thoughts(self) -> str:
        """What it thought aloud so far."""
        return "".join(self._thoughts)

    @property
    def over(self) -> bool:
        """Whether nothing more comes."""
        return self.finished is not None or self.error is not None

    @property
    def tokens(self) -> int:
        """Of the answer; 0 while it is not known."""
        return self.finished.usage.completion_tokens if self.finished is not None else 0

    @property
    def tokens_per_second(self) -> float:
        """Speed after the first token; 0 while it is not known."""
        return self.finished.timings.tokens_per_second(self.tokens) if self.finished is not None else 0.0

    @property
    def cost(self) -> float | None:
        """US dollars; ``None`` where it is not known."""
        return self._cost(self.answered_by, self.finished.usage) if self.finished is not None else None

    def began(self) -> None:
        """It is asked, or loaded, now: its first token is waited for from here."""
        self._began = time.monotonic()

    def saw(self, delta: Delta) -> None:
        """Takes the next delta of its answer."""
        match delta:
            case Waiting():
                self.waiting = delta
                if delta.stage == "loading":
                    self.began()  # a model is loaded once, and no slower for it
            case Rerouted():
                self.answered_by = delta.next_model
            case Started():
                self.answered_by = delta.model
            case TextDelta():
                self._arrived()
                self._pieces.append(delta.text)
            case ThinkingDelta():
                self._arrived()
                self._thoughts.append(delta.text)
            case Finished():
                self.waiting, self.finished = None, delta

    def failed(self, error: PlaygroundError) -> None:
        """It ended in an error; what came is kept."""
        self.waiting, self.error = None, error

    def _arrived(self) -> None:
        self.waiting = None
        if self.first_token_s is None:
            self.first_token_s = time.monotonic() - self._began
