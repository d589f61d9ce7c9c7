"""What is done for a conversation without being asked for: a title for it, a summary of what is no longer sent."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

from textual.worker import Worker

from app.chat import Answering
from app.errors import PlaygroundError
from app.tui.later import Later

from .news import SessionChanged
from .open_conversation import OpenConversation
from .surroundings import Surroundings


class Errands:
    """Asks the model between two answers, one thing at a time; the next question calls that off."""

    def __init__(self, current: OpenConversation, answering: Answering, around: Surroundings) -> None:
        self._current = current
        self._answering = answering
        self._around = around
        self._last: Worker[None] | None = None

    def call_off(self) -> None:
        """The model is needed for an answer."""
        if self._last is not None:
            self._last.cancel()

    def _begin(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._last = self._around.run_worker(Later(work), group="title", exclusive=True, exit_on_error=False)

    def note_beginning(self, text: str) -> None:
        """A first question was asked: until there is a better title, its words are the title."""
        from app.chat.titles import first_words

        keeper = self._current.keeper
        if keeper is not None and not keeper.session.title:
            keeper.rename(first_words(text), "nobody")
            self._around.run_worker(self._note_open(), group="note", exit_on_error=False)

    async def _note_open(self) -> None:
        keeper, keeping = self._current.keeper, self._current.keeping
        if keeper is not None and keeping is not None and await keeper.settle():
            await keeping.note_open(keeper.session.id)
            self._around.post_message(SessionChanged())

    def sum_up(self, model: str) -> None:
        """Lets the model sum up what is no longer sent; whatever it says is kept with the session."""
        self._begin(partial(self._sum_up, model))

    async def _sum_up(self, model: str) -> None:
        from app.chat.summarising import roll

        current = self._current
        keeper, keeping = current.keeper, current.keeping
        if keeper is None or keeping is None:
            return
        gone = [node for node in current.conversation.path() if node.id in current.left_out]
        try:
            summary = await roll(self._answering, current.summary, gone, model)
            await keeping.note_summary(keeper.session.id, summary)
        except PlaygroundError as error:
            self._around.app.notify_error(error)
            return
        if keeper is current.keeper:
            current.summary = summary

    def find_title(self, model: str) -> None:
        """Lets the model name a conversation that has no title yet."""
        keeper = self._current.keeper
        if keeper is not None and keeper.session.titled_by == "nobody":
            self._begin(partial(self._find_title, model))

    async def _find_title(self, model: str) -> None:
        from app.chat.titles import suggest

        keeper, path = self._current.keeper, self._current.conversation.path()
        if keeper is None or len(path) < 2 or path[1].status != "complete":
            return
        # A title is a nicety: that a model cannot give one now is no news to anybody.
        with suppress(PlaygroundError):
            title = await suggest(self._answering, path, model)
            if title.strip() and keeper is self._current.keeper:
                keeper.rename(title.strip(), "model")
                self._around.post_message(SessionChanged())
