"""What memory finds besides the messages that hold the words themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from app.errors import PlaygroundError, VaultLockedError
from app.tui import words
from app.vault.conversations.records import SearchHit

if TYPE_CHECKING:
    from app.memory.recall import Recalled

_LEAST_LETTERS = 3
_LOOKED_AT = 20
_MEANT = 8
_NEAREST, _NEAREST_COSINE = 3, 0.2
_MOST_OF_A_TEXT = 300


class Memories(Protocol):
    """Memory, as far as this pane needs it: ``app.tui.memory_desk.MemoryDesk``."""

    @property
    def ready(self) -> bool:
        """Whether it can be asked: it is on, its model is here, and the vault is open."""
        ...

    @property
    def remembering(self) -> tuple[int, int] | None:
        """How many texts of how many are embedded, while there is much to do."""
        ...

    async def search(self, words: str, limit: int) -> tuple[Recalled, ...]:
        """See ``app.memory.memory.Memory.search``."""
        ...


class Meaning(Struct, frozen=True):
    """What says the same in other words.

    Attributes:
        hits: best first.
        unsure: whether these only come nearest, and fit no better than much else.
    """

    hits: tuple[SearchHit, ...]
    unsure: bool


class OtherWords:
    """Asks memory, where there is one, and chooses what is worth showing of its answer."""

    def __init__(self, memory: Memories | None) -> None:
        self._memory = memory

    @property
    def progress(self) -> str:
        """How far memory is, in words, while it has much to do."""
        progress = self._memory.remembering if self._memory is not None else None
        return f"remembering {words.count(progress[0])} of {words.count(progress[1])}" if progress else ""

    def can_find(self, wanted: str) -> bool:
        """Whether memory can be asked, and there is enough to ask for."""
        return self._memory is not None and self._memory.ready and len(wanted) >= _LEAST_LETTERS

    async def find(self, wanted: str, found: tuple[SearchHit, ...], *, alone: bool) -> Meaning | None:
        """What fits besides ``found``. ``None`` where memory cannot be asked now.

        ``alone``: whether nothing at all was found by the words. Then what comes nearest is better than nothing, and
        says what it is.
        """
        assert self._memory is not None
        try:
            recalled = await self._memory.search(wanted, _LOOKED_AT)
        except VaultLockedError:
            raise
        except PlaygroundError:
            # What was found by words is there; above it stands that this is all, and that is enough.
            return None
        known = {hit.node_id for hit in found}
        others = [each for each in recalled if each.session_id and each.source_id not in known]
        fitting = [each for each in others if each.fits][:_MEANT]
        if fitting or not alone:
            return Meaning(tuple(map(_hit, fitting)), unsure=False)
        nearest = [each for each in others if each.cosine >= _NEAREST_COSINE][:_NEAREST]
        return Meaning(tuple(map(_hit, nearest)), unsure=True)


def _hit(recalled: Recalled) -> SearchHit:
    return SearchHit(
        session_id=recalled.session_id,
        session_title=recalled.title,
        node_id=recalled.source_id,
        role=recalled.role,
        created_at=recalled.date,
        excerpt=" ".join(recalled.text[:_MOST_OF_A_TEXT].split()),
    )
