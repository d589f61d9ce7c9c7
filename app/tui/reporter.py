"""How the interface says that something went wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from textual import log

from app.errors import PlaygroundError
from app.privacy.terminal import clean

if TYPE_CHECKING:
    from textual.notifications import SeverityLevel


class Notify(Protocol):
    """Shows a toast, as Textual's ``App.notify`` does."""

    def __call__(
        self,
        message: str,
        /,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """``timeout``: in seconds. ``markup``: whether square brackets in the message are styles."""
        ...


class Reporter:
    """Shows errors in toasts, and writes where a fault of the program happened into a log.

    Args:
        notify: shows a toast.
        logs: the folder of that log.
    """

    def __init__(self, notify: Notify, logs: Path) -> None:
        self._notify, self._logs = notify, logs

    def error(self, error: PlaygroundError) -> None:
        """Title, message and remedy in a toast."""
        words = clean(f"{error.message}\n{error.remedy}" if error.remedy else error.message)
        self._notify(words, title=clean(error.title), severity="error", timeout=10, markup=False)

    def fault(self, error: Exception) -> None:
        """A sentence on the screen, the details in the log."""
        log.error(repr(error))
        self._write(error)
        self.error(
            PlaygroundError(
                f"This is a fault in the program: {type(error).__name__}.",
                "What was said is kept; the details are in the log folder.",
            )
        )

    def _write(self, error: Exception) -> None:
        import time
        import traceback

        try:
            self._logs.mkdir(parents=True, exist_ok=True, mode=0o700)
            with (self._logs / "faults.log").open("a", encoding="utf-8") as file:
                # Where it happened, not what was being said: a log is plain text on disk.
                file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {type(error).__name__}\n")
                file.writelines(traceback.format_tb(error.__traceback__))
        except OSError as problem:
            log.error(repr(problem))
