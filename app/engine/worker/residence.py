"""What lies in the context's KV cache: places for new requests, reuse of what is computed, conversations put aside.

Each step reads past all that lies in the context, used or not: a thousand idle tokens cost a small model on a CPU 3 %
of its speed. So idle conversations are taken out of it, into memory of their own, and put back for their next turn.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np

from .native import Context, Model
from .prefix import Placement, PrefixCache, Slot
from .shelf import KeptState, StateShelf, goes_on_from

_IDLE_TOKENS = 4096
"""Idle conversations are taken out of the context in a quiet moment, at once beyond so many tokens: it takes 2 to 50
ms, by how they lie, which nobody should wait for."""


_WORTH_DISK = 256
"""Conversations of fewer tokens are computed again as soon as read."""


class Residence:
    """The slots of a context. Belongs to the thread that decodes; ``used_cells`` may be asked from any.

    Args:
        slots: sequences of the context.
        parking_bytes: memory for conversations that are outside the context.
        shelf: conversations on disk that requests may go on from.
    """

    def __init__(
        self, model: Model, context: Context, slots: int, parking_bytes: int, shelf: StateShelf | None = None
    ) -> None:
        self._shares_prefixes, self._context = model.shares_prefixes, context
        self._cache = PrefixCache(slots)
        self._parking_bytes = parking_bytes
        kept = shelf.conversations() if shelf is not None else []
        for place, (slot, state) in enumerate(zip(self._cache.slots[1:], kept, strict=False)):
            slot.tokens, slot.parked, slot.last_used = list(state.tokens), state, -place

    @property
    def used_cells(self) -> int:
        """Tokens that lie in the context."""
        return sum(len(slot.tokens) for slot in self._cache.slots if slot.parked is None)

    @property
    def spare_cells(self) -> int:
        """Tokens that the context has room for; or more, where conversations share a beginning."""
        return self._context.cells - self.used_cells

    def admit(self, tokens: list[int]) -> Slot | None:
        """A slot for a request, which holds the part of ``tokens`` that is computed already; None when all are busy."""
        placement = self._cache.place(tokens)
        if placement is None:
            return None
        self._settle_in(placement)
        self._park_surplus()
        return placement.slot

    def release(self, slot: Slot) -> None:
        """Its request is over; what is computed stays for the next turn."""
        self._cache.release(slot)

    def trim(self, slot: Slot, length: int) -> None:
        """Keeps the first ``length`` tokens of a slot; none, where this kind of model cannot forget in part."""
        if slot.parked is not None:
            slot.parked, length = None, 0
        if not self._context.truncate(slot.index, length):
            self._context.truncate(slot.index, 0)
            length = 0
        del slot.tokens[length:]

    def surplus(self) -> Slot | None:
        """An idle conversation to be parked in a quiet moment. The one that was used last may stay."""
        idle = self._cache.idle()
        return idle[0] if len(idle) > 1 else None

    def make_room(self) -> bool:
        """Takes an idle conversation out of a full context; whether there was one."""
        idle = self._cache.idle()
        if idle:
            self.park(idle[0])
        return bool(idle)

    def park(self, slot: Slot) -> None:
        """Takes a conversation out of the context; when too much is outside, what was used longest ago is forgotten."""
        state = self._context.save(slot.index)
        self._context.truncate(slot.index, 0)
        slot.parked = state
        parked = self._cache.parked()
        total = sum(map(_parked_bytes, parked))
        for other in filter(_parked_bytes, parked):
            if total <= self._parking_bytes:
                return
            total -= _parked_bytes(other)
            self.trim(other, 0)

    def put_away(self, shelf: StateShelf, interrupted: Callable[[], bool]) -> bool:
        """Puts idle conversations on a shelf, the last used first, until ``interrupted``; whether all are there."""
        there = shelf.conversations()
        for slot in self._cache.unused():
            if len(slot.tokens) < _WORTH_DISK or isinstance(slot.parked, KeptState):
                continue
            if any(goes_on_from(each.tokens, slot.tokens) for each in there):
                continue
            if interrupted():
                return False
            state = self._context.save(slot.index) if slot.parked is None else slot.parked
            try:
                there.append(shelf.put(slot.tokens, state))
            except OSError as error:
                print(f"A conversation could not be kept on disk: {error}.", file=sys.stderr, flush=True)
                return True
        return True

    def _settle_in(self, placement: Placement) -> None:
        """Makes a slot hold what is reused for its new request, and nothing else."""
        slot, donor, reused = placement.slot, placement.donor, placement.reused
        source = donor or slot
        if donor is not None and (not self._shares_prefixes or not reused):
            self.trim(slot, 0)
        elif source.parked is not None:
            tokens, parked = list(source.tokens), source.parked
            self.trim(slot, 0)
            state = parked.read() if isinstance(parked, KeptState) else parked
            if state is not None and self._context.restore(slot.index, state):
                slot.tokens = tokens
                self.trim(slot, reused)
        elif donor is not None:
            self.trim(slot, 0)
            self._context.copy(donor.index, slot.index, reused)
            slot.tokens = donor.tokens[:reused]
        else:
            self.trim(slot, reused)

    def _park_surplus(self) -> None:
        idle = self._cache.idle()
        tokens = sum(len(slot.tokens) for slot in idle)
        for slot in idle:
            if tokens <= _IDLE_TOKENS:
                return
            tokens -= len(slot.tokens)
            self.park(slot)


def _parked_bytes(slot: Slot) -> int:
    return slot.parked.nbytes if isinstance(slot.parked, np.ndarray) else 0
