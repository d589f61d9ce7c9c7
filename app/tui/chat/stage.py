"""What stands in the transcript's place while the conversation is empty."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Container

from app.tui.downloads import Download

from .welcome import Greeting


class Stage(Container):
    """The welcome, or the model that is on its way."""

    def __init__(self, keys: Callable[[], list[tuple[str, str]]]) -> None:
        """``keys``: gives the keys of the welcome."""
        super().__init__(id="stage")
        self._keys = keys

    def compose(self) -> ComposeResult:
        """The welcome."""
        yield Greeting(self._keys())

    def say_where(self, sends_to: str) -> None:
        """Says in the welcome where what is written goes; empty for nowhere."""
        self.query_one(Greeting).say_where(sends_to)

    def show_download(self, download: Download | None, retry_key: str) -> None:
        """Shows a download in the welcome's place; ``None`` brings the welcome back."""
        from .download_card import DownloadCard

        cards = self.query(DownloadCard)
        if download is None and not cards:
            return
        self.query_one(Greeting).display = download is None
        if download is None:
            cards.remove()
        elif cards:
            cards.first().download = download
        else:
            card = DownloadCard(download)
            card.retry_key = retry_key
            self.mount(card)
