"""The conversation that is shown, archived or put into the bin, and brought back from there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from .recalling_conversation import RecallingConversation

if TYPE_CHECKING:
    from app.chat.keeping import Keeping

_AT_MOST = 50


class PuttingAway(RecallingConversation):
    """Puts its conversation away, begins another in its place, and brings back what was put away last."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._put_away: list[tuple[str, Callable[[str], Awaitable[None]]]] = []

    async def action_archive(self) -> None:
        """Puts the conversation out of the usual list; one that is archived already comes back there."""
        keeping = await self._all_kept()
        if keeping is None or self.keeper is None:
            return
        sessions, session_id = keeping.vault.sessions, self.keeper.session.id

        async def unarchive(session_id: str) -> None:
            await sessions.archive(session_id, False)

        if (await sessions.get(session_id)).archived:
            await unarchive(session_id)
            self.app.notify("Back among the sessions.", timeout=4)
            await self.session_changed_elsewhere(session_id)
            self.post_message(self.SessionChanged())
            return
        await sessions.archive(session_id, True)
        await self._gone(session_id, unarchive, "Archived. /undo brings it back.")

    async def action_delete_chat(self) -> None:
        """Puts the conversation into the bin."""
        keeping = await self._all_kept()
        if keeping is not None and self.keeper is not None:
            sessions, session_id = keeping.vault.sessions, self.keeper.session.id
            await sessions.delete(session_id)
            self.keeper.abandon()
            await self._gone(session_id, sessions.restore, "Deleted. /undo brings it back.")

    async def action_bring_back(self) -> None:
        """Shows again what was archived or deleted here last."""
        if not self._put_away:
            self.app.notify("Nothing was archived or deleted here.", timeout=3)
        elif not self._busy():
            session_id, back = self._put_away.pop()
            await back(session_id)
            if await self.open_session(session_id):
                self.app.notify("Brought back.", timeout=3)
            self.post_message(self.SessionChanged())

    async def detach(self) -> None:
        """Forgets what was put away, too; it can be brought back in the list of sessions."""
        self._put_away.clear()
        await super().detach()

    def _busy(self) -> bool:
        if self.answering:
            self.app.notify("The answer is still coming; esc stops it.", timeout=3)
        return self.answering

    async def _all_kept(self) -> Keeping | None:
        """What keeps the conversation, once all of it is on the disk; ``None`` when it cannot be put away now."""
        if self._busy():
            return None
        if not len(self.conversation) or self.keeper is None or self._keeping is None:
            self.app.notify("There is nothing here yet to put away.", timeout=3)
            return None
        return self._keeping if await self.keeper.settle() else None

    async def _gone(self, session_id: str, back: Callable[[str], Awaitable[None]], said: str) -> None:
        self._put_away.append((session_id, back))
        del self._put_away[:-_AT_MOST]
        await self.start_new()
        self.app.notify(said, timeout=6)
        self.post_message(self.SessionChanged())
