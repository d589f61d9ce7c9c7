"""The vault as the interface lives with it: what happens when it opens and closes, and the actions around it."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from textual import events

from .face import Face
from .memory_desk import MemoryDesk
from .vault_desk import VaultDesk

if TYPE_CHECKING:
    from app.playground import Playground


class GuardedFace(Face):
    """Shows what the vault holds while it is open, and nothing of it while it is locked."""

    def __init__(self, playground: Playground) -> None:
        super().__init__()
        self._playground = playground
        self._vault_desk = VaultDesk(self, playground)
        self.memory_desk = MemoryDesk(playground, lambda: self.answering)

    @property
    @abstractmethod
    def answering(self) -> bool:
        """Whether an answer is being waited for; the vault is not locked under it for idleness."""

    @abstractmethod
    async def vault_opened(self) -> None:
        """The vault can be read: shows what was open last."""

    @abstractmethod
    async def vault_closing(self) -> None:
        """The vault is about to be locked: nothing of it may stay in memory or on the screen."""

    @abstractmethod
    def protection_changed(self) -> None:
        """Says whether a passphrase guards what is kept."""

    async def on_event(self, event: events.Event) -> None:
        """Every key and click says that somebody is there."""
        if isinstance(event, events.InputEvent):
            self._vault_desk.used()
            self.memory_desk.typed()
        await super().on_event(event)

    async def _watch_idleness(self) -> None:
        if self.terminal.lent:
            self._vault_desk.used()  # somebody writes in an editor; nothing may be painted over it
        await self._vault_desk.lock_when_idle(busy=self.answering)

    def action_lock(self) -> None:
        """Locks the vault now."""
        self.run_worker(self._vault_desk.lock(), group="vault", exit_on_error=False)

    def action_passphrase(self) -> None:
        """Sets or changes the passphrase."""
        self._vault_desk.choose_passphrase()

    def action_remove_passphrase(self) -> None:
        """Takes the passphrase away."""
        self._vault_desk.remove_passphrase()

    def action_recovery_key(self) -> None:
        """Makes a recovery key."""
        self._vault_desk.make_recovery_key()

    def action_backup(self) -> None:
        """Backs up now."""
        self.run_worker(self._vault_desk.backup(), group="backup", exit_on_error=False)
