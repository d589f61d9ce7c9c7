"""How the interface says that something went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from textual.actions import ActionParseResult
from textual.dom import DOMNode

from app.errors import PlaygroundError, VaultLockedError
from app.privacy.terminal import clean

from .face import Face


class ReportingFace(Face):
    """Shows errors in toasts, and writes where a fault of the program happened into a log.

    Args:
        logs: the folder of that log.
    """

    def __init__(self, logs: Path) -> None:
        super().__init__()
        self._logs = logs

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Does what a key says. What cannot be done now, as on a full disk, is said, and is no end of the program."""
        try:
            return await super().run_action(action, default_namespace, namespaces)
        except VaultLockedError:
            # The screen that unlocks is on its way, and says so.
            return True
        except PlaygroundError as error:
            self.notify_error(error)
            return True

    def notify_error(self, error: PlaygroundError) -> None:
        """Title, message and remedy in a toast."""
        words = clean(f"{error.message}\n{error.remedy}" if error.remedy else error.message)
        self.notify(words, title=clean(error.title), severity="error", timeout=10, markup=False)

    def report_fault(self, error: Exception) -> None:
        """A sentence on the screen, the details in the log."""
        self.log.error(repr(error))
        self._write_fault(error)
        self.notify_error(
            PlaygroundError(
                f"This is a fault in the program: {type(error).__name__}.",
                "What was said is kept; the details are in the log folder.",
            )
        )

    def _write_fault(self, error: Exception) -> None:
        import time
        import traceback

        folder = self._logs
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with (folder / "faults.log").open("a", encoding="utf-8") as file:
                # Where it happened, not what was being said: a log is plain text on disk.
                file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {type(error).__name__}\n")
                file.writelines(traceback.format_tb(error.__traceback__))
        except OSError as problem:
            self.log.error(repr(problem))
