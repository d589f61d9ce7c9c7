"""The first thing a new user sees: the starter model on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from app.messages import Failure
from app.privacy.terminal import clean
from app.tui import words
from app.tui.error_card import failure_words

if TYPE_CHECKING:
    from app.engine.progress import Progress
    from app.tui.downloads import Download

BAR = 40

_TITLES = {"failed": "Not here yet: ", "cancelled": "Not here yet: "}

_STAGES = {
    "resolve": "looking for it",
    "resolving": "looking for it",
    "download": "downloading",
    "downloading": "downloading",
    "verify": "checking that it is whole",
    "verifying": "checking that it is whole",
    "unpack": "unpacking",
    "unpacking": "unpacking",
}


class DownloadCard(Static):
    """What is being fetched, how far it is, and what to do when it fails."""

    DEFAULT_CSS = """
    DownloadCard {
        width: 100%; max-width: 64; height: auto; padding: 1 3;
        border: round $border-blurred; background: $surface;
    }
    DownloadCard:ansi { background: transparent; }
    """

    retry_key: reactive[str] = reactive("^r")

    def __init__(self, download: Download) -> None:
        super().__init__(id="download-card")
        self.download = download

    def on_mount(self) -> None:
        """Looks at the download ten times a second."""
        self.set_interval(1 / 10, self.refresh_words)
        self.refresh_words()

    def refresh_words(self) -> None:
        """Says how far it is now."""
        self.update(card_words(self.download, self.retry_key, max(10, min(BAR, (self.size.width or 64) - 8))))


def card_words(download: Download, retry_key: str, bar: int) -> Content:
    """The card's text."""
    entry = download.entry
    about = [words.size(entry.size), clean(entry.licence)]
    lines = [
        Content.assemble(
            (_TITLES.get(download.state, "Fetching "), "$text-muted"), (clean(entry.name), "bold $primary")
        ),
        Content(""),
        Content.styled(clean(entry.description), "$foreground"),
        Content.styled(" · ".join(part for part in about if part), "$text-muted"),
        Content(""),
    ]
    if download.state == "failed" and download.error is not None:
        lines += [
            failure_words(Failure.of(download.error)),
            Content(""),
            _key(retry_key, "try again; what came is kept"),
        ]
    elif download.state == "cancelled":
        lines += [Content("The download is stopped; what came is kept."), Content(""), _key(retry_key, "go on")]
    else:
        lines += progress_words(download.progress, bar)
        lines += [
            Content(""),
            Content.styled("Write your first message meanwhile: it is sent when the model is here.", "$text-muted"),
            _key("esc", "cancel"),
        ]
    return Content("\n").join(lines)


def progress_words(progress: Progress | None, bar: int) -> list[Content]:
    """A bar with percent, and a line of figures."""
    if progress is None:
        return [Content.styled(words.bar(0, bar), "$primary on $panel"), Content.styled("starting", "$text-muted")]
    fraction = progress.done / progress.total if progress.total else 0.0
    figures = [_STAGES.get(progress.stage, progress.stage)]
    if progress.total:
        figures.append(f"{words.size(progress.done)} of {words.size(progress.total)}")
    elif progress.done:
        figures.append(words.size(progress.done))
    if progress.bytes_per_second > 0:
        figures.append(f"{words.size(int(progress.bytes_per_second))}/s")
    if progress.seconds_left is not None and progress.seconds_left >= 1:
        figures.append(f"{words.seconds(progress.seconds_left)} left")
    return [
        Content.assemble(
            (words.bar(fraction, bar), "$primary on $panel"), (f" {fraction * 100:3.0f} %", "$foreground")
        ),
        Content.styled(" · ".join(figures), "$text-muted"),
    ]


def _key(key: str, description: str) -> Content:
    return Content.assemble((key, "bold $primary"), (f" {description}", "$text-muted"))
