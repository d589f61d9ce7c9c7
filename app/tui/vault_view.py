"""What is on the screen of the vault: nothing until it is open, and nothing once it is locked."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from .later import Later

if TYPE_CHECKING:
    from app.errors import VaultError
    from app.vault.vault import Vault

    from .bars.bars import Bars
    from .face import Face
    from .memory_desk import MemoryDesk
    from .pane_stack import PaneStack
    from .voice.desk import VoiceDesk


class VaultView:
    """What ``Guard`` tells of the vault, to everything that shows it or works with it.

    Args:
        app: over which the dialog that unlocks lies.
        afterwards: what is done beside the interface whenever the vault has been opened.
    """

    def __init__(
        self,
        app: Face,
        vault: Vault,
        panes: PaneStack,
        bars: Bars,
        memory: MemoryDesk,
        voice: VoiceDesk,
        afterwards: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        self._app, self._vault, self._afterwards = app, vault, afterwards
        self._panes, self._bars, self._memory, self._voice = panes, bars, memory, voice

    async def unlock(self, error: VaultError) -> None:
        """Asks for the passphrase until it opens. ``error``: why it did not."""
        from .unlock.screen import UnlockScreen

        await self._app.push_screen(UnlockScreen(self._vault, error), wait_for_dismiss=True)

    async def opened(self) -> None:
        """The vault can be read: shows what was open last."""
        self._bars.protection_changed()
        for pane in self._panes.shown:
            await pane.vault_opened(self._vault)
        self._memory.begin()
        self._app.run_worker(Later(self._afterwards), group="backup", exit_on_error=False)

    async def closing(self) -> None:
        """The vault is about to be locked: nothing of it may stay in memory or on the screen, and nothing is heard."""
        while len(self._app.screen_stack) > 1:
            await self._app.pop_screen()
        self._voice.cancel()
        self._app.clear_notifications()
        await self._memory.end()
        for pane in self._panes.shown:
            await pane.vault_closing()
