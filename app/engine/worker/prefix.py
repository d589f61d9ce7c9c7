"""Which part of a prompt is in the KV cache already.

Every sequence slot of the context keeps its tokens after its request has ended. A new prompt goes to the slot that
shares most of it; when that slot is busy, or holds a longer conversation that may come back, the shared part is copied
to another one, which costs nothing in a unified cache.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .native import SequenceState
    from .shelf import KeptState


@dataclass
class Slot:
    """One sequence of the context: what of it is computed, and whether a request is using it.

    ``parked`` holds its part of the cache while that is taken out of the context: in memory, or where it is on disk.
    """

    index: int
    tokens: list[int] = field(default_factory=list)
    parked: SequenceState | KeptState | None = None
    busy: bool = False
    last_used: int = 0


@dataclass(frozen=True)
class Placement:
    """Where a prompt goes: ``reused`` of its tokens are there, or are to be copied from ``donor`` first."""

    slot: Slot
    reused: int
    donor: Slot | None


class PrefixCache:
    """Places prompts on slots.

    Args:
        slots: how many sequences the context has.
    """

    def __init__(self, slots: int) -> None:
        self.slots = tuple(Slot(index) for index in range(slots))
        self._clock = 0

    def place(self, prompt: list[int]) -> Placement | None:
        """The best slot for ``prompt``, marked busy; None when every slot is busy.

        At least one token is always left to compute, because its logits are what the first choice is made from.
        """
        free = [slot for slot in self.slots if not slot.busy]
        if not free:
            return None
        shared = {slot.index: min(common_prefix(slot.tokens, prompt), len(prompt) - 1) for slot in self.slots}
        best = max(self.slots, key=lambda slot: (shared[slot.index], not slot.busy))
        reused = shared[best.index]
        if not best.busy and reused > 0 and reused >= len(best.tokens) - _WORTH_KEEPING:
            chosen, donor = best, None
        else:
            chosen = min(free, key=lambda slot: (bool(slot.tokens), slot.last_used))
            donor = best if reused > 0 and best is not chosen else None
        self._clock += 1
        chosen.busy, chosen.last_used = True, self._clock
        return Placement(chosen, reused, donor)

    def release(self, slot: Slot) -> None:
        """The request is over; its tokens stay for the next turn."""
        self._clock += 1
        slot.busy, slot.last_used = False, self._clock

    def idle(self) -> list[Slot]:
        """The slots that hold a conversation in the context which nobody is using, longest unused first."""
        found = [slot for slot in self.slots if not slot.busy and slot.tokens and slot.parked is None]
        return sorted(found, key=lambda slot: slot.last_used)

    def unused(self) -> list[Slot]:
        """The slots that hold a conversation which nobody is using, in the context or out of it, last used first."""
        found = [slot for slot in self.slots if not slot.busy and slot.tokens]
        return sorted(found, key=lambda slot: slot.last_used, reverse=True)

    def parked(self) -> list[Slot]:
        """The slots whose conversation is out of the context, longest unused first."""
        return sorted((slot for slot in self.slots if slot.parked is not None), key=lambda slot: slot.last_used)


_WORTH_KEEPING = 64
"""A slot that holds at least this many tokens more than a prompt shares is left alone while another is free."""


def common_prefix(first: list[int], second: list[int]) -> int:
    """How many tokens two lists share from the start. Slices compare in C, so halving beats a loop."""
    low, high = 0, min(len(first), len(second))
    if first[:high] == second[:high]:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle
    return low
