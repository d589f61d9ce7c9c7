"""Continuous batching: many requests in one context, joining and leaving between decoding steps.

Each step decodes one batch, which a ``Composer`` fills; a ``Residence`` knows what lies in the context. One thread owns
the context and calls ``run``; any thread may ``submit``, ``cancel`` and ask for the ``load``. After the idea of Orca
(Yu et al., OSDI 2022).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from app.engine.frames import Event, Failed, Piece, Prefilling
from app.errors import BusyError, EngineError

from .composing import Composer, Guesses, Part
from .native import ABORTED, DECODED, NO_ROOM, Batch, Context, Model
from .prefix import Slot
from .residence import Residence
from .sequence import Sequence
from .shelf import StateShelf
from .telling import Telling

_PARK_AFTER_SECONDS = 0.2
"""How long it must have been quiet before an idle conversation is taken out of the context."""

_EXPECTED_ANSWER = 256
"""Tokens of KV cache kept free for an answer whose length is not known, when deciding whether a request may join."""


@dataclass(frozen=True)
class Load:
    """How busy a scheduler is, in requests and in tokens; ``guessed`` and ``right`` are those of speculation."""

    running: int
    queued: int
    used_cells: int
    decoded_tokens: int
    guessed_tokens: int
    right_tokens: int


class Scheduler:
    """Decodes for up to ``sequences`` requests at once; up to ``queue`` more wait in order of arrival.

    Args:
        batch: what ``composer`` fills.
        residence: what lies in ``context``.
        emit: called from the scheduler's thread with each event.
    """

    def __init__(
        self,
        model: Model,
        context: Context,
        batch: Batch,
        residence: Residence,
        composer: Composer,
        *,
        sequences: int,
        queue: int,
        emit: Callable[[Event], None],
    ) -> None:
        self._model, self._context, self._batch = model, context, batch
        self._sequences, self._queue, self._emit = sequences, queue, emit
        self._residence, self._composer = residence, composer
        self._waiting: deque[Sequence] = deque()
        self._running: list[Sequence] = []
        self._cancelled: set[int] = set()
        self._in_flight: frozenset[int] = frozenset()
        self._wake = threading.Condition()
        self._closed = False
        self._decoded = 0
        self._parts: list[Part] = []
        self._shelf: StateShelf | None = None
        self._telling = Telling(emit)

    # From any thread

    def submit(self, sequence: Sequence) -> None:
        """Puts a request in the queue.

        Raises:
            BusyError: when the queue is full.
        """
        with self._wake:
            # Those who start at the next step do not wait, though they stand in the same line; those who have left
            # do neither.
            open_ones = [s for s in (*self._waiting, *self._running) if s.request_id not in self._cancelled]
            if len(open_ones) >= self._queue + self._sequences:
                raise BusyError(
                    f"{len(self._running)} requests are being answered and {self._queue} more are waiting.",
                    "Try again in a moment.",
                )
            self._waiting.append(sequence)
            self._wake.notify()

    def cancel(self, request_id: int) -> None:
        """Forgets a request, within one step; nothing more is said of it. Unknown ids are ignored."""
        with self._wake:
            if not any(sequence.request_id == request_id for sequence in (*self._waiting, *self._running)):
                return
            self._cancelled.add(request_id)
            if self._in_flight and self._in_flight <= self._cancelled:
                self._context.abort()
            self._wake.notify()

    def keep(self, shelf: StateShelf) -> None:
        """Puts the conversations that nobody waits for on a shelf, in the next quiet moment; after ``close`` too."""
        with self._wake:
            self._shelf = shelf
            self._wake.notify()

    def close(self) -> None:
        """Makes ``run`` return within one step."""
        with self._wake:
            self._closed = True
            if self._in_flight:
                self._context.abort()
            self._wake.notify()

    def load(self) -> Load:
        """How busy it is just now."""
        with self._wake:
            used, guesses = self._residence.used_cells, self._composer.guesses
            return Load(len(self._running), len(self._waiting), used, self._decoded, guesses.made, guesses.right)

    # The owning thread

    def run(self) -> None:
        """Works until ``close``."""
        while not self._closed:
            surplus = self._await_work()
            if surplus is not None:
                self._residence.park(surplus)
            elif self._shelf is not None and not (self._waiting or self._running):
                self._put_away(self._shelf)
            elif not self._closed:
                self.step()
        if self._shelf is not None:
            self._put_away(self._shelf)

    def _put_away(self, shelf: StateShelf) -> None:
        done = self._residence.put_away(shelf, lambda: bool(self._waiting) and not self._closed)
        with self._wake:
            if done and self._shelf is shelf:
                self._shelf = None

    def _await_work(self) -> Slot | None:
        """Waits for something to do. In a quiet moment that is an idle conversation to take out of the context."""
        with self._wake:
            while not (self._closed or self._waiting or self._running or self._shelf):
                surplus = self._residence.surplus()
                if not self._wake.wait(_PARK_AFTER_SECONDS if surplus else None) and surplus:
                    return surplus
        return None

    def step(self) -> None:
        """One decoding step of everything that is running."""
        with self._wake:
            self._drop_cancelled()
            self._admit()
            self._parts = self._composer.compose(self._running)
            if not self._parts:
                return
            self._in_flight = frozenset(part.sequence.request_id for part in self._parts)
            self._context.allow()
        if self._batch.count > len(self._parts):
            self._telling.all()  # a step with a part of a prompt in it, or with guesses, takes long
        began = time.monotonic()
        result = self._context.decode(self._batch)
        took = time.monotonic() - began
        with self._wake:
            self._in_flight = frozenset()
        if result == DECODED:
            self._composer.observe(self._parts, took)
            self._settle()
            return
        self._undo()
        if result == NO_ROOM:
            self._make_room()
        elif result != ABORTED:
            self._fail_batch(result)

    def _drop_cancelled(self) -> None:
        if not self._cancelled:
            return
        for sequence in [s for s in self._running if s.request_id in self._cancelled]:
            self._retire(sequence)
        for sequence in [s for s in self._waiting if s.request_id in self._cancelled]:
            self._waiting.remove(sequence)
            sequence.sampler.close()
        self._cancelled.clear()

    def _admit(self) -> None:
        """Lets waiting requests join, in order, while there is a place and room for what they may come to say."""
        while self._waiting and len(self._running) < self._sequences:
            sequence = self._waiting[0]
            if self._running and sum(map(_expected, (sequence, *self._running))) > self._context.cells:
                return
            slot = self._residence.admit(sequence.tokens)
            if slot is None:
                return
            self._waiting.popleft()
            self._running.append(sequence)
            sequence.slot = slot
            if not sequence.answered:
                sequence.cached = len(slot.tokens)
                sequence.started = time.monotonic()
                self._report_prefill(sequence)

    def _settle(self) -> None:
        """After a batch was computed: notes what is in the cache, chooses tokens, tells everybody."""
        ended: list[Sequence] = []
        urgent = False
        for part in self._parts:
            sequence, slot = part.sequence, part.sequence.place
            slot.tokens.extend(sequence.tokens[len(slot.tokens) : len(slot.tokens) + part.count])
            if part.row is not None:
                urgent = urgent or not sequence.answered
                if self._answer(part, part.row).reason:
                    ended.append(sequence)
        for part in self._parts:
            if part.row is None and part.sequence.pending > 1:
                self._report_prefill(part.sequence)
        # Before the news: whoever hears that an answer is finished must find its place free.
        with self._wake:
            for sequence in ended:
                self._retire(sequence)
        self._telling.now_and_then(urgent=urgent or bool(ended))

    def _answer(self, part: Part, row: int) -> Piece:
        """Chooses the next token of a request from ``row``, and more behind it for as long as the guesses were right.

        A row says something only while all before it were guessed right: so each choice is made as it would be in a
        step of its own, by samplers that have seen what was chosen before and nothing else. Gives the last piece.
        """
        sequence, slot = part.sequence, part.sequence.place
        computed = len(slot.tokens) + len(part.guessed)
        said = 0
        for guess in (*part.guessed, None):
            piece = sequence.advance(self._model, self._context, row + said)
            said += 1
            self._telling.add(piece)
            if piece.reason or guess is None or sequence.tokens[-1] != guess:
                break
            slot.tokens.append(guess)
        self._decoded += said
        if part.guessed:
            self._composer.guesses += Guesses(len(part.guessed), said - 1)
        if len(slot.tokens) < computed:
            self._residence.trim(slot, len(slot.tokens))
        return piece

    def _undo(self) -> None:
        """A batch was not computed, or only in part: puts the cache back to what the slots say."""
        for part in self._parts:
            slot = part.sequence.place
            self._residence.trim(slot, len(slot.tokens))

    def _make_room(self) -> None:
        """The KV cache is full: takes an idle conversation out, else sends the newest request back to wait."""
        if self._residence.make_room():
            return
        newest = max(self._running, key=lambda sequence: sequence.started)
        with self._wake:
            if len(self._running) > 1:
                slot = newest.place
                self._running.remove(newest)
                self._residence.trim(slot, 0)
                self._residence.release(slot)
                newest.slot = None
                self._waiting.appendleft(newest)
                return
            self._retire(newest)
        self._telling.add(newest.finish("length"))
        self._telling.all()

    def _fail_batch(self, result: int) -> None:
        error = EngineError(f"The engine could not compute a step (llama_decode gave {result}).", "Try again.")
        members = [part.sequence for part in self._parts]
        with self._wake:
            for sequence in members:
                self._residence.trim(sequence.place, 0)
                self._retire(sequence)
        self._telling.all()
        for sequence in members:
            self._emit(Failed(sequence.request_id, error.code, error.message, error.remedy))

    def _retire(self, sequence: Sequence) -> None:
        """Takes a request out; what of it is computed stays in its slot for the next turn."""
        self._running.remove(sequence)
        self._residence.release(sequence.place)
        sequence.sampler.close()

    def _report_prefill(self, sequence: Sequence) -> None:
        done = len(sequence.place.tokens)
        self._emit(Prefilling(sequence.request_id, sequence.prompt_length, sequence.cached, done, sequence.thinking))


def _expected(sequence: Sequence) -> int:
    """Cells that a request holds now and will want soon."""
    return len(sequence.tokens) + min(sequence.limit - len(sequence.tokens), _EXPECTED_ANSWER)
