"""What may leave this machine, as the person decides it while the program runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.errors import LocalOnlyError

if TYPE_CHECKING:
    from app.playground import Playground


class PrivacyDesk:
    """The switch of local-only mode."""

    def __init__(self, playground: Playground) -> None:
        self._playground = playground

    @property
    def local_only(self) -> bool:
        """Whether nothing may leave."""
        return self._playground.policy.local_only

    def require_allowed(self) -> None:
        """Whether the person may allow it here.

        Raises:
            LocalOnlyError: when it was forbidden for as long as the program runs.
        """
        if self._playground.loaded.origins["privacy.local_only"].name == "--local-only":
            raise LocalOnlyError(
                "The program was started with --local-only, so nothing may leave this machine until it ends.",
                "Start it without --local-only to decide here.",
            )

    def switch(self, on: bool) -> None:
        """Forbids, or allows.

        Raises:
            LocalOnlyError: when it must not be allowed.
        """
        if not on:
            self.require_allowed()
        self._playground.policy.local_only = on
