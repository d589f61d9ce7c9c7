"""The open conversation, archived or put into the bin, and brought back from there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from .news import SessionChanged
from .open_conversation import OpenConversation
from .surroundings import Surroundings

if TYPE_CHECKING:
    from app.chat.keeping import Keeper, Keeping

_AT_MOST = 50


class PuttingAway:
    """Puts the conversation away, begins another in its place, and brings back what was put away last."""

    def __init__(self, current: OpenConversation, around: Surroundings) -> None:
        self._current = current
        self._around = around
        self._put_away: list[tuple[str, Callable[[str], Awaitable[None]]]] = []

    async def archive(self) -> None:
        """Puts the conversation out of the usual list; one that is archived already comes back there."""
        kept = await self._all_kept()
        if kept is None:
            return
        sessions, session_id = kept[0].vault.sessions, kept[1].session.id

        async def unarchive(session_id: str) -> None:
            await sessions.archive(session_id, False)

        if (await sessions.get(session_id)).archived:
            await unarchive(session_id)
            self._around.app.notify("Back among the sessions.", timeout=4)
            await self._current.changed_elsewhere(session_id)
            self._around.post_message(SessionChanged())
            return
        await sessions.archive(session_id, True)
        await self._gone(session_id, unarchive, "Archived. /undo brings it back.")

    async def delete(self) -> None:
        """Puts the conversation into the bin."""
        kept = await self._all_kept()
        if kept is not None:
            sessions, keeper = kept[0].vault.sessions, kept[1]
            await sessions.delete(keeper.session.id)
            keeper.abandon()
            await self._gone(keeper.session.id, sessions.restore, "Deleted. /undo brings it back.")

    async def bring_back(self) -> None:
        """Shows again what was archived or deleted here last."""
        if not self._put_away:
            self._around.app.notify("Nothing was archived or deleted here.", timeout=3)
        elif not self._busy():
            session_id, back = self._put_away.pop()
            await back(session_id)
            if await self._current.resume(session_id):
                self._around.app.notify("Brought back.", timeout=3)
            self._around.post_message(SessionChanged())

    def forget(self) -> None:
        """The vault is being locked; what was put away can be brought back in the list of sessions."""
        self._put_away.clear()

    def _busy(self) -> bool:
        if self._current.answering:
            self._around.app.notify("The answer is still coming; esc stops it.", timeout=3)
        return self._current.answering

    async def _all_kept(self) -> tuple[Keeping, Keeper] | None:
        """What keeps the conversation, once all of it is on the disk; ``None`` when it cannot be put away now."""
        if self._busy():
            return None
        keeping, keeper = self._current.keeping, self._current.keeper
        if not len(self._current.conversation) or keeper is None or keeping is None:
            self._around.app.notify("There is nothing here yet to put away.", timeout=3)
            return None
        return (keeping, keeper) if await keeper.settle() else None

    async def _gone(self, session_id: str, back: Callable[[str], Awaitable[None]], said: str) -> None:
        self._put_away.append((session_id, back))
        del self._put_away[:-_AT_MOST]
        await self._current.start_new()
        self._around.app.notify(said, timeout=6)
        self._around.post_message(SessionChanged())
