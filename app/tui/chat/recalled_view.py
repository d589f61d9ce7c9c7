"""Above an answer: what memory recalled for it, from where, to be opened or forgotten."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message as TextualMessage
from textual.widgets import Static

from app.privacy.terminal import clean

if TYPE_CHECKING:
    from app.memory.recall import Recalled

_TITLE, _TEXT = 40, 200


class RecalledView(Vertical):
    """One line; a click unfolds the passages."""

    class OpenWanted(TextualMessage):
        """The conversation of a passage is to be shown."""

        def __init__(self, passage: Recalled) -> None:
            super().__init__()
            self.passage = passage

    class ForgetWanted(TextualMessage):
        """A passage is never to be recalled again."""

        def __init__(self, passage: Recalled) -> None:
            super().__init__()
            self.passage = passage

    def __init__(self, passages: Sequence[Recalled]) -> None:
        super().__init__(classes="thinking recalled")
        self._passages = tuple(passages)
        self.open = False

    def compose(self) -> ComposeResult:
        """The line, and the passages below it."""
        yield Static(self._heading(), classes="heading")
        with Vertical(classes="body") as body:
            body.display = False
            for place, passage in enumerate(self._passages):
                yield Static(_described(passage), classes="passage")
                if passage.source == "message":
                    yield _Deed("open this conversation", partial(self.OpenWanted, passage))
                yield _Deed("forget this", partial(self.ForgetWanted, passage), id=f"forget-{place}")

    def _heading(self) -> Content:
        titles = dict.fromkeys(_title(passage) for passage in self._passages)
        return Content(f"{'▾' if self.open else '▸'} recalled from {', '.join(titles)}")

    def unfold(self, open_: bool) -> None:
        """Opens or folds."""
        self.open = open_
        self.query_one(".body").display = open_
        self.query_one(".heading", Static).update(self._heading())

    def on_click(self, event: events.Click) -> None:
        """The heading folds and unfolds."""
        if event.widget is not None and event.widget.has_class("heading"):
            event.stop()
            self.unfold(not self.open)


class _Deed(Static):
    """Words that do something when they are clicked."""

    def __init__(self, words: str, wanted: Callable[[], TextualMessage], id: str | None = None) -> None:
        super().__init__(Content(words), classes="heading deed", id=id)
        self._wanted = wanted

    def on_click(self, event: events.Click) -> None:
        """Says what is wanted."""
        event.stop()
        self.post_message(self._wanted())


def _title(passage: Recalled) -> str:
    title = " ".join(clean(passage.title).split()) or "an untitled conversation"
    return f"“{title if len(title) <= _TITLE else title[: _TITLE - 1] + '…'}”"


def _described(passage: Recalled) -> Content:
    day = time.strftime("%Y-%m-%d", time.localtime(max(0.0, passage.date)))
    who = "You" if passage.role == "user" else "Model"
    text = " ".join(clean(passage.text).split())
    text = text if len(text) <= _TEXT else f"{text[: _TEXT - 1]}…"
    return Content(f"{who}, {day}, found by {passage.why}: {text}")
