"""Reading the conversation on which the choice rests, for the preview beside the list."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from app.vault.conversations.records import WholeSession

if TYPE_CHECKING:
    from app.vault.vault import Vault

    from .selection import Chosen

_REST = 0.12
"""Seconds on one row before its preview is read."""


class Shown(Protocol):
    """The preview, as far as its reader needs it: ``Preview``."""

    def show_session(self, whole: WholeSession, node_id: str | None) -> None:
        """Shows a conversation, around a message or at its end."""
        ...

    def forget(self) -> None:
        """Shows nothing."""
        ...


class PreviewReader:
    """Follows the choice; a conversation that it only passes is not read."""

    def __init__(self, vault: Vault, preview: Shown) -> None:
        self._vault, self._preview = vault, preview
        self.room = False
        """Whether there is room for a preview; without it nothing is read."""
        self._wanted: Chosen | None = None
        self._looked = asyncio.Event()

    @property
    def holds_something(self) -> bool:
        """Whether there is something to forget."""
        return self._wanted is not None

    def look(self, chosen: Chosen | None) -> None:
        """The choice is here now."""
        if self.room and chosen != self._wanted:
            self._wanted = chosen
            self._looked.set()

    def expire(self) -> None:
        """What was read may be another by now: the next look reads it again."""
        self._wanted = None

    def forget(self) -> None:
        """Shows and keeps nothing."""
        self._wanted = None
        self._preview.forget()

    async def rested(self) -> None:
        """Waits until the choice has come to rest on another row."""
        while True:
            await self._looked.wait()
            self._looked.clear()
            await asyncio.sleep(_REST)
            if not self._looked.is_set():
                return

    async def show(self) -> None:
        """Reads what the choice rests on, and shows it."""
        wanted = self._wanted
        if wanted is None:
            self._preview.forget()
            return
        session_id, node_id = wanted
        whole = await self._vault.sessions.load(session_id)
        # The choice may have moved on meanwhile, or the vault been locked.
        if wanted == self._wanted and self._vault.state == "open":
            self._preview.show_session(whole, node_id)
