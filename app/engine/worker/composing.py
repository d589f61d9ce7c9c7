"""What goes into the batch of a step: the newest tokens of the answers, guesses behind them, chunks of prompts.

Chunked prefill after Sarathi (Agrawal et al., 2023).
"""

from __future__ import annotations

from dataclasses import dataclass

from .native import Batch
from .residence import Residence
from .sequence import Sequence
from .speculation import Asking, Speculation

_INTERLEAVED_SECONDS = 0.15
"""How long a step may take for the sake of somebody's prompt while others read their answers."""

_LEAST_CHUNK = 32


@dataclass(frozen=True)
class Part:
    """What one request has in a batch.

    Attributes:
        count: tokens of its own.
        row: the row from which its next token can be chosen; None while more of its prompt is to come. The rows behind
            it are those of the guesses.
        guessed: tokens that may turn out to come next.
    """

    sequence: Sequence
    count: int
    row: int | None
    guessed: tuple[int, ...] = ()


@dataclass(frozen=True)
class Guesses:
    """How many tokens were guessed, and how many of them rightly."""

    made: int = 0
    right: int = 0

    def __add__(self, more: Guesses) -> Guesses:
        return Guesses(self.made + more.made, self.right + more.right)


class Composer:
    """Fills the batch of each step. Belongs to the thread that decodes.

    Args:
        speculation: chooses how much is guessed; None for nothing.

    Attributes:
        guesses: since the model was loaded.
    """

    def __init__(self, batch: Batch, residence: Residence, speculation: Speculation | None) -> None:
        self._batch, self._residence, self._speculation = batch, residence, speculation
        self.guesses = Guesses()
        self._prefill_rate = 400.0
        self._turn = 0

    def compose(self, running: list[Sequence]) -> list[Part]:
        """The parts of the next step."""
        self._batch.clear()
        answering = [sequence for sequence in running if sequence.pending == 1]
        if len(answering) == len(running):
            counts = self._guesses(answering)
            return [self._add(sequence, 1, guesses) for sequence, guesses in zip(answering, counts, strict=True)]
        parts = [self._add(sequence, 1) for sequence in answering]
        return parts + self._chunks([sequence for sequence in running if sequence.pending != 1], bool(answering))

    def _guesses(self, answering: list[Sequence]) -> list[int]:
        """How many tokens to guess for each. Guesses take only cells of the KV cache that are empty."""
        asking = []
        for sequence in answering:
            lookup = sequence.lookup if sequence.answered else None
            if lookup is not None:
                lookup.follow(sequence.tokens)
            asking.append(Asking(lookup, sequence.limit - len(sequence.tokens) - 1))
        if self._speculation is None or not any(each.lookup and each.lookup.agreeing for each in asking):
            return [0] * len(answering)
        room = min(self._batch.room, self._residence.spare_cells) - len(answering)
        return self._speculation.counts(asking, max(0, room))

    def _chunks(self, prefilling: list[Sequence], beside_answers: bool) -> list[Part]:
        parts = []
        room = self._batch.room - self._batch.count
        if beside_answers:
            room = min(room, max(_LEAST_CHUNK, int(self._prefill_rate * _INTERLEAVED_SECONDS)))
        # Everybody's prompt moves on at each step; who goes first, and so gets the odd tokens, changes.
        self._turn += 1
        turn = self._turn % len(prefilling)
        for left, sequence in zip(range(len(prefilling), 0, -1), prefilling[turn:] + prefilling[:turn], strict=True):
            count = min(sequence.pending, -(-room // left))
            if count <= 0:
                break
            parts.append(self._add(sequence, count))
            room -= count
        return parts

    def _add(self, sequence: Sequence, count: int, guesses: int = 0) -> Part:
        slot = sequence.place
        start, end = len(slot.tokens), len(slot.tokens) + count
        last = count == sequence.pending
        row = self._batch.add(sequence.tokens[start:end], start, slot.index, output=last)
        guessed = tuple(sequence.lookup.guess(sequence.tokens, guesses)) if sequence.lookup and guesses else ()
        for position, token in enumerate(guessed, end):
            self._batch.add([token], position, slot.index, output=True)
        return Part(sequence, count, row if last else None, guessed)

    def observe(self, parts: list[Part], seconds: float) -> None:
        """Notes how long a step took."""
        computed = self._batch.count
        if computed >= 2 * _LEAST_CHUNK:
            self._prefill_rate += 0.3 * (computed / seconds - self._prefill_rate)
        if self._speculation is not None and all(part.count == 1 for part in parts):
            self._speculation.cost.observe(computed, seconds)
