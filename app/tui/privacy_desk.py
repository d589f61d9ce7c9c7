"""What may leave this machine, as the person decides it while the program runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.errors import LocalOnlyError, PlaygroundError

if TYPE_CHECKING:
    from app.playground import Playground
    from app.tui.face import Face


class PrivacyDesk:
    """The switch of local-only mode.

    Args:
        app: asks the person, and tells what holds.
        changed: told what the person has decided.
    """

    def __init__(self, app: Face, playground: Playground, changed: Callable[[bool], None]) -> None:
        self._app, self._playground, self._changed = app, playground, changed

    @property
    def local_only(self) -> bool:
        """Whether nothing may leave."""
        return self._playground.policy.local_only

    def forbid(self) -> None:
        """Lets nothing leave, and says nothing: so it was decided last time."""
        self._playground.policy.local_only = True

    def decide(self) -> None:
        """Lets nothing leave this machine; again, after a question, allows it."""
        if not self.local_only:
            self._switch(True)
            return
        from .dialogs.confirm import ConfirmScreen

        try:
            self._require_allowed()
        except PlaygroundError as error:
            self._app.notify_error(error)
            return
        question = (
            "Models can be fetched then, and a remote model that you choose gets what you write to it."
            " Nothing is sent by itself."
        )
        self._app.push_screen(
            ConfirmScreen("Allow the network?", question), lambda yes: self._switch(False) if yes else None
        )

    def _switch(self, on: bool) -> None:
        if not on:
            self._require_allowed()
        self._playground.policy.local_only = on
        self._changed(on)
        if on:
            words, title = "Nothing leaves this machine now. Models that are not here are not asked.", "Local only"
        else:
            words, title = "Models can be fetched and remote models be asked.", "Network allowed"
        self._app.notify(words, title=title)

    def _require_allowed(self) -> None:
        if self._playground.loaded.origins["privacy.local_only"].name == "--local-only":
            raise LocalOnlyError(
                "The program was started with --local-only, so nothing may leave this machine until it ends.",
                "Start it without --local-only to decide here.",
            )
