"""What every pane is: a part of the first screen that is shown by a tab and a key."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import getters
from textual.containers import Vertical
from textual.message import Message

from .face import Face
from .later import Later

if TYPE_CHECKING:
    from textual.app import SystemCommand

    from app.vault.vault import Vault


class Pane(Vertical):
    """One pane. Its id is its name in ``app.tui.panes.PANES``; what is not overridden does nothing."""

    app = getters.app(Face)

    def do(self, work: Coroutine[Any, Any, None], group: str = "deeds", *, exclusive: bool = False) -> None:
        """Runs ``work`` beside the interface, and says what went wrong."""
        later = Later(partial(self.reported, work))
        worker = self.run_worker(later, group=group, exclusive=exclusive, exit_on_error=False)
        # Called off before it began, it would be let go unawaited, and Python warns of that.
        if worker._task is not None:
            worker._task.add_done_callback(lambda _: work.close())

    async def _dispatch_message(self, message: Message) -> None:
        """What a part of the pane asked for and cannot be done now is said, and is no end of the program."""
        with self.app.telling():
            await super()._dispatch_message(message)

    async def reported(self, work: Coroutine[Any, Any, None]) -> None:
        """Awaits ``work``, and says what went wrong."""
        try:
            with self.app.telling():
                await work
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 (the boundary that reports)
            self.app.report_fault(error)

    def shown(self) -> None:
        """It has just come to the front."""

    def take_focus(self) -> None:
        """Puts the keys to the part that they are for."""

    async def vault_opened(self, vault: Vault) -> None:
        """The vault can be read now."""

    async def vault_closing(self) -> None:
        """The vault is about to be locked: nothing of it may stay in memory or on the screen."""

    def commands(self) -> Iterable[SystemCommand]:
        """What can be done here and now, for the palette."""
        return ()

    def session_changed(self) -> None:
        """The chat began or changed a conversation."""

    def model_changed(self) -> None:
        """A download began or ended, or it was said what may leave this machine."""

    def server_changed(self) -> None:
        """The server was switched on or off, or ended by itself."""
