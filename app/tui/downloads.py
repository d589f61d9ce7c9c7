"""Model files on their way here, whoever asked for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from app.errors import PlaygroundError

if TYPE_CHECKING:
    from app.engine.catalogues.catalogue import ModelEntry
    from app.engine.progress import Progress


class Fetching(Protocol):
    """What is needed of the model store."""

    async def fetch(self, entry: ModelEntry, on_progress: Callable[[Progress], None]) -> Path:
        """Downloads, verifies and stores; resumes what was begun."""
        ...


@dataclass
class Download:
    """One model file on its way. Whoever paints it looks at it as often as it paints."""

    entry: ModelEntry
    state: Literal["running", "cancelled", "failed", "done"] = "running"
    progress: Progress | None = None
    error: PlaygroundError | None = None
    task: asyncio.Task[None] | None = field(default=None, repr=False)


class Downloads:
    """Starts downloads, one a model, and remembers how each went."""

    def __init__(self, store: Fetching, changed: Callable[[Download], None]) -> None:
        """``changed`` is called when a download starts and when it ends, not for progress."""
        self._store = store
        self._changed = changed
        self._known: dict[str, Download] = {}

    def of(self, name: str) -> Download | None:
        """The latest download of a model; ``None`` when there was none."""
        return self._known.get(name)

    def running(self) -> tuple[Download, ...]:
        """Those that are on their way now."""
        return tuple(download for download in self._known.values() if download.state == "running")

    def start(self, entry: ModelEntry) -> Download:
        """Begins, or goes on where an earlier try ended; one that runs already is given back."""
        known = self._known.get(entry.name)
        if known is not None and known.state == "running":
            return known
        download = self._known[entry.name] = Download(entry)
        download.task = asyncio.create_task(self._run(download))
        self._changed(download)
        return download

    def cancel(self, name: str) -> bool:
        """Stops a download; what came is kept for the next try. Whether there was one to stop."""
        download = self._known.get(name)
        if download is None or download.state != "running" or download.task is None:
            return False
        download.task.cancel()
        return True

    async def wait(self, download: Download) -> None:
        """Returns when the file is here; cancelling the wait does not cancel the download.

        Raises:
            PlaygroundError: when it failed, or was cancelled.
        """
        if download.task is not None:
            await asyncio.wait([download.task])
        if download.error is not None:
            raise download.error
        if download.state != "done":
            raise DownloadCancelledError(
                f"The download of {download.entry.name} was cancelled.", "Start it again, or choose another model."
            )

    async def aclose(self) -> None:
        """Stops everything."""
        tasks = [download.task for download in self.running() if download.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, download: Download) -> None:
        def progressed(progress: Progress) -> None:
            download.progress = progress

        try:
            await self._store.fetch(download.entry, progressed)
            download.state = "done"
        except PlaygroundError as error:
            download.error = error
            download.state = "failed"
        except asyncio.CancelledError:
            download.state = "cancelled"
            raise
        except Exception as error:  # noqa: BLE001
            # The last boundary before a task's exception would go unseen.
            download.error = PlaygroundError(f"The download broke off: {error or type(error).__name__}.", "Try again.")
            download.state = "failed"
        finally:
            self._changed(download)


class DownloadCancelledError(PlaygroundError):
    """A model was needed whose download was cancelled."""

    title = "The model is not here"
    code = "download_cancelled"
