"""Continuous batching: many requests in one context, joining and leaving between decoding steps.

Each step decodes one batch: the newest token of every request that is answering, then chunks of the prompts of those
that are not yet. One thread owns the context and calls ``run``; any thread may ``submit``, ``cancel`` and ask
``status``. After the idea of Orca (Yu et al., OSDI 2022) and the chunked prefill of Sarathi (Agrawal et al., 2023).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from app.engine.frames import Event, Failed, Piece, Prefilling, Step
from app.errors import BusyError, EngineError

from .native import ABORTED, DECODED, NO_ROOM, Batch, Context, Model
from .prefix import Placement, PrefixCache, Slot
from .sequence import Sequence

_INTERLEAVED_SECONDS = 0.15
"""How long a step may take for the sake of somebody's prompt while others read their answers."""

_LEAST_CHUNK = 32
_PARK_AFTER_SECONDS = 0.2
_IDLE_TOKENS = 4096
"""Idle conversations are taken out of the context once it has been quiet this long, at once beyond so many tokens.

Each step reads past all that lies in the context, used or not: a thousand idle tokens cost a small model on a CPU 3 %
of its speed. Taking them out costs 2 to 50 ms, by how they lie, which nobody should wait for.
"""

_TELL_SECONDS = 0.015
"""Pieces that follow each other faster than a screen is painted share a frame: waking the face for each of them takes
a processor from the next step, and made one answer of a small model 2 % slower."""

_EXPECTED_ANSWER = 256
"""Tokens of KV cache kept free for an answer whose length is not known, when deciding whether a request may join."""


@dataclass(frozen=True)
class Load:
    """How busy a scheduler is, in requests and in tokens of KV cache."""

    running: int
    queued: int
    used_cells: int
    decoded_tokens: int


class Scheduler:
    """Decodes for up to ``sequences`` requests at once; up to ``queue`` more wait in order of arrival.

    Args:
        slots: sequences of the context; those beyond ``sequences`` keep conversations for their next turn.
        parking_bytes: memory for conversations that are taken out of the context while others are answered.
        emit: called from the scheduler's thread with each event.
    """

    def __init__(
        self,
        model: Model,
        context: Context,
        batch: Batch,
        *,
        sequences: int,
        slots: int,
        queue: int,
        parking_bytes: int,
        emit: Callable[[Event], None],
    ) -> None:
        self._model, self._context, self._batch = model, context, batch
        self._sequences, self._queue, self._emit = sequences, queue, emit
        self._cache = PrefixCache(slots)
        self._parking_bytes = parking_bytes
        self._waiting: deque[Sequence] = deque()
        self._running: list[Sequence] = []
        self._cancelled: set[int] = set()
        self._in_flight: frozenset[int] = frozenset()
        self._wake = threading.Condition()
        self._closed = False
        self._decoded = 0
        self._prefill_rate = 400.0
        self._turn = 0
        self._news: list[Piece] = []
        self._told = 0.0

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
            used = sum(len(slot.tokens) for slot in self._cache.slots if slot.parked is None)
            return Load(len(self._running), len(self._waiting), used, self._decoded)

    # The owning thread

    def run(self) -> None:
        """Works until ``close``."""
        while not self._closed:
            surplus = self._await_work()
            if surplus is not None:
                self._park(surplus)
            elif not self._closed:
                self.step()

    def _await_work(self) -> Slot | None:
        """Waits for something to do. In a quiet moment that is an idle conversation to take out of the context."""
        with self._wake:
            while not (self._closed or self._waiting or self._running):
                surplus = self._cache.idle()[:-1]
                if not self._wake.wait(_PARK_AFTER_SECONDS if surplus else None) and surplus:
                    return surplus[0]
        return None

    def step(self) -> None:
        """One decoding step of everything that is running."""
        with self._wake:
            self._drop_cancelled()
            self._admit()
            outputs = self._compose()
            if not outputs and not self._batch.count:
                return
            self._in_flight = frozenset(self._batch_members)
            self._context.allow()
        if self._news and self._batch.count > len(outputs):
            self._tell()  # a step with a part of a prompt in it takes long
        began = time.monotonic()
        result = self._context.decode(self._batch)
        took = time.monotonic() - began
        with self._wake:
            self._in_flight = frozenset()
        if result == DECODED:
            self._settle(outputs, took)
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
            placement = self._cache.place(sequence.tokens)
            if placement is None:
                return
            self._waiting.popleft()
            self._running.append(sequence)
            sequence.slot = placement.slot
            self._settle_in(placement)
            self._park_surplus()
            if not sequence.answered:
                sequence.cached = len(placement.slot.tokens)
                sequence.started = time.monotonic()
                self._report_prefill(sequence)

    def _settle_in(self, placement: Placement) -> None:
        """Makes a slot hold what is reused for its new request, and nothing else."""
        slot, donor, reused = placement.slot, placement.donor, placement.reused
        source = donor or slot
        if donor is not None and (not self._model.shares_prefixes or not reused):
            self._trim(slot, 0)
        elif source.parked is not None:
            tokens, state = list(source.tokens), source.parked
            self._trim(slot, 0)
            if self._context.restore(slot.index, state):
                slot.tokens = tokens
                self._trim(slot, reused)
        elif donor is not None:
            self._trim(slot, 0)
            self._context.copy(donor.index, slot.index, reused)
            slot.tokens = donor.tokens[:reused]
        else:
            self._trim(slot, reused)

    def _park_surplus(self) -> None:
        """Takes idle conversations out of the context when they have become too many to wait for a quiet moment."""
        idle = self._cache.idle()
        tokens = sum(len(slot.tokens) for slot in idle)
        for slot in idle:
            if tokens <= _IDLE_TOKENS:
                return
            tokens -= len(slot.tokens)
            self._park(slot)

    def _park(self, slot: Slot) -> None:
        state = self._context.save(slot.index)
        self._context.truncate(slot.index, 0)
        slot.parked = state
        parked = self._cache.parked()
        total = sum(map(_parked_bytes, parked))
        for other in parked:
            if total <= self._parking_bytes:
                return
            total -= _parked_bytes(other)
            self._trim(other, 0)

    def _compose(self) -> list[tuple[Sequence, int]]:
        """Fills the batch. Gives the requests whose next token can be chosen after it, with their rows."""
        batch, outputs = self._batch, []
        batch.clear()
        self._batch_members: dict[int, tuple[Sequence, int]] = {}
        prefilling = []
        for sequence in self._running:
            if sequence.pending == 1:
                outputs.append((sequence, self._add(sequence, 1)))
            else:
                prefilling.append(sequence)
        if not prefilling:
            return outputs
        room = batch.room - batch.count
        if outputs:
            room = min(room, max(_LEAST_CHUNK, int(self._prefill_rate * _INTERLEAVED_SECONDS)))
        # Everybody's prompt moves on at each step; who goes first, and so gets the odd tokens, changes.
        self._turn += 1
        turn = self._turn % len(prefilling)
        for left, sequence in zip(range(len(prefilling), 0, -1), prefilling[turn:] + prefilling[:turn], strict=True):
            count = min(sequence.pending, -(-room // left))
            if count <= 0:
                break
            row = self._add(sequence, count)
            room -= count
            if count == sequence.pending:
                outputs.append((sequence, row))
        return outputs

    def _add(self, sequence: Sequence, count: int) -> int:
        slot = _slot_of(sequence)
        start = len(slot.tokens)
        self._batch_members[sequence.request_id] = (sequence, count)
        return self._batch.add(
            sequence.tokens[start : start + count], start, slot.index, output=count == sequence.pending
        )

    def _settle(self, outputs: list[tuple[Sequence, int]], took: float) -> None:
        """After a batch was computed: notes what is in the cache, chooses tokens, tells everybody."""
        computed = 0
        for sequence, count in self._batch_members.values():
            slot = _slot_of(sequence)
            slot.tokens.extend(sequence.tokens[len(slot.tokens) : len(slot.tokens) + count])
            computed += count
        if computed >= 2 * _LEAST_CHUNK:
            self._prefill_rate += 0.3 * (computed / took - self._prefill_rate)
        ended: list[Sequence] = []
        urgent = False
        for sequence, row in outputs:
            urgent = urgent or not sequence.answered
            piece = sequence.advance(self._model, self._context, row)
            if piece.text or piece.reason or piece.logprobs:
                self._news.append(piece)
            if piece.reason:
                ended.append(sequence)
        self._decoded += len(outputs)
        for sequence, _count in self._batch_members.values():
            if sequence.pending > 1:
                self._report_prefill(sequence)
        # Before the news: whoever hears that an answer is finished must find its place free.
        with self._wake:
            for sequence in ended:
                self._retire(sequence)
        if self._news and (urgent or ended or time.monotonic() - self._told >= _TELL_SECONDS):
            self._tell()

    def _tell(self) -> None:
        self._emit(Step(tuple(self._news)))
        self._news.clear()
        self._told = time.monotonic()

    def _undo(self) -> None:
        """A batch was not computed, or only in part: puts the cache back to what the slots say."""
        for sequence, _count in self._batch_members.values():
            slot = _slot_of(sequence)
            self._trim(slot, len(slot.tokens))

    def _make_room(self) -> None:
        """The KV cache is full: takes an idle conversation out, else sends the newest request back to wait."""
        idle = self._cache.idle()
        if idle:
            self._park(idle[0])
            return
        newest = max(self._running, key=lambda sequence: sequence.started)
        with self._wake:
            if len(self._running) > 1:
                slot = _slot_of(newest)
                self._running.remove(newest)
                self._trim(slot, 0)
                self._cache.release(slot)
                newest.slot = None
                self._waiting.appendleft(newest)
                return
            self._retire(newest)
        self._news.append(newest.finish("length"))
        self._tell()

    def _fail_batch(self, result: int) -> None:
        error = EngineError(f"The engine could not compute a step (llama_decode gave {result}).", "Try again.")
        members = [sequence for sequence, _count in self._batch_members.values()]
        with self._wake:
            for sequence in members:
                self._trim(_slot_of(sequence), 0)
                self._retire(sequence)
        if self._news:
            self._tell()
        for sequence in members:
            self._emit(Failed(sequence.request_id, error.code, error.message, error.remedy))

    def _retire(self, sequence: Sequence) -> None:
        """Takes a request out; what of it is computed stays in its slot for the next turn."""
        self._running.remove(sequence)
        self._cache.release(_slot_of(sequence))
        sequence.sampler.close()

    def _trim(self, slot: Slot, length: int) -> None:
        """Keeps the first ``length`` tokens of a slot; none, where this kind of model cannot forget in part."""
        if slot.parked is not None:
            slot.parked, length = None, 0
        if not self._context.truncate(slot.index, length):
            self._context.truncate(slot.index, 0)
            length = 0
        del slot.tokens[length:]

    def _report_prefill(self, sequence: Sequence) -> None:
        done = len(_slot_of(sequence).tokens)
        self._emit(Prefilling(sequence.request_id, sequence.prompt_length, sequence.cached, done, sequence.thinking))


def _slot_of(sequence: Sequence) -> Slot:
    assert sequence.slot is not None, "a running request has a slot"
    return sequence.slot


def _parked_bytes(slot: Slot) -> int:
    return 0 if slot.parked is None else slot.parked.nbytes


def _expected(sequence: Sequence) -> int:
    """Cells that a request holds now and will want soon."""
    return len(sequence.tokens) + min(sequence.limit - len(sequence.tokens), _EXPECTED_ANSWER)
