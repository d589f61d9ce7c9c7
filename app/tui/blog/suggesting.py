"""The desk's faint words: asked for in a pause, gone with the next key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.timer import Timer
from textual.worker import WorkType

from app.errors import BusyError, PlaygroundError
from app.privacy.terminal import clean
from app.tui.sessions.settled_memory import settle_memory
from app.tui.voice.dictating import DICTATED

from .desk_actions import DeskActions
from .editor import PostEditor

if TYPE_CHECKING:
    from app.writing.suggesting import Suggester

PAUSE = 0.35
"""Seconds without a key after which words are suggested."""


class Suggesting(DeskActions):
    """A post whose next words may be guessed, by a model of this machine alone."""

    _pause: Timer | None = None
    _suggester: tuple[str, Suggester] | None = None
    _hushed = False
    """Whether a guess failed: that is said once, and nothing is guessed until another post is opened."""

    def typed(self) -> None:
        """The text changed."""
        super().typed()
        self._hush()
        if self._choices.suggestions and not self._hushed:
            self._pause = self.set_timer(PAUSE, self._guess)

    @on(PostEditor.Touched)
    def _touched(self, event: PostEditor.Touched) -> None:
        event.stop()
        self._hush()

    def _clear(self) -> None:
        self._hush()
        self._hushed = False
        super()._clear()

    def _hush(self) -> None:
        """Stops the guess that is being made; the model stops within a step."""
        if self._pause is not None:
            self._pause.stop()
            self._pause = None
        self.workers.cancel_group(self, "guess")

    def _guess(self) -> None:
        self._pause = None
        settle_memory()
        editor = self.editor
        ready = (
            self.keeper is not None
            and editor.has_focus
            and editor.selection.is_empty
            and not editor.suggestion
            and not editor.has_class(DICTATED)
        )
        if ready and self._local_model:
            work: WorkType[None] = self._suggest
            self.run_worker(work, group="guess", exclusive=True, exit_on_error=False)

    @property
    def _local_model(self) -> str:
        """Who may guess: a model that is here. What is typed goes nowhere else, whoever helps when asked."""
        for name in (self.model, self._default):
            if self._models.known(name) and not self._models.is_remote(name) and not self._models.missing(name):
                return name
        return ""

    async def _suggest(self) -> None:
        editor, model = self.editor, self._local_model
        text, at = editor.text, editor.offset_of(editor.cursor_location)
        try:
            words = await self._suggester_of(model).suggest(text[:at], text[at:])
        except BusyError:
            # Somebody asked something: that goes first, and nobody waits for a guess.
            return
        except PlaygroundError as error:
            self._hushed = True
            self.note(f"no suggestions: {error.message}")
            return
        if words and editor.has_focus and editor.text == text and editor.offset_of(editor.cursor_location) == at:
            editor.offer(clean(words).replace("\t", " "))

    def _suggester_of(self, model: str) -> Suggester:
        from app.writing.suggesting import Suggester

        if self._suggester is None or self._suggester[0] != model:
            self._suggester = (model, Suggester(self._models.router, model))
        return self._suggester[1]
