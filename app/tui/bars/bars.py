"""The lines at the edges of the first screen, and what is told to all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from textual.app import App

from .status import Status, StatusBar
from .tabs import TabBar

if TYPE_CHECKING:
    from app.vault.vault import Protection


class Bars:
    """Tells the lines what changed, also while a dialog lies over them; there are none while the interface closes.

    Args:
        app: on whose first screen they are.
        protection: what guards the vault.
    """

    def __init__(self, app: App[Any], protection: Callable[[], Protection | None]) -> None:
        self._app, self._protection = app, protection

    def say_status(self, status: Status) -> None:
        """How the model stands."""
        for bar in self._status():
            bar.status = status

    def say_local_only(self, on: bool) -> None:
        """Whether nothing may leave this machine."""
        for bar in self._status():
            bar.local_only = on

    def say_serving(self, address: str) -> None:
        """Where other programs are answered; empty while none are."""
        for bar in self._status():
            bar.serving = address

    def protection_changed(self) -> None:
        """Says where no passphrase guards the vault: in the top line, or for want of room in the status line."""
        unprotected = self._protection() == "file"
        for screen in self._app.screen_stack[:1]:
            for tabs in screen.query(TabBar):
                tabs.unprotected = unprotected
                for bar in self._status():
                    bar.unprotected = unprotected and not tabs.tells_of_protection

    def _status(self) -> Iterator[StatusBar]:
        for screen in self._app.screen_stack[:1]:
            yield from screen.query(StatusBar)
