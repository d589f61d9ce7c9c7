"""The desk's faint words: asked for in a pause, gone with the next key."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.errors import BusyError, PlaygroundError
from app.privacy.terminal import clean
from app.tui.settled_memory import settle_memory
from app.tui.voice.dictating import DICTATED

if TYPE_CHECKING:
    from app.tui.surroundings import Surroundings
    from app.writing.suggesting import Suggester

    from .editor import PostEditor
    from .helping_model import HelpingModel
    from .kept_post import KeptPost
    from .pause import Pause

PAUSE = 0.35
"""Seconds without a key after which words are suggested."""

_WORKERS = "guess"


class Suggestions:
    """Lets a model of this machine alone guess how the text goes on."""

    def __init__(
        self,
        kept: KeptPost,
        editor: PostEditor,
        model: HelpingModel,
        around: Surroundings,
        pause: Pause,
        *,
        wanted: bool,
        note: Callable[[str], None],
    ) -> None:
        """``wanted``: whether the settings want any; ``note``: says in the line below why there are none."""
        self._kept, self._editor, self._model, self._around, self._pause = kept, editor, model, around, pause
        self._wanted, self._note = wanted, note
        self._suggester: tuple[str, Suggester] | None = None
        self._failed = False
        """Whether a guess failed: that is said once, and nothing is guessed until another post is opened."""

    def typed(self) -> None:
        """The text changed."""
        self.hush()
        if self._wanted and not self._failed:
            self._pause.begin(PAUSE, self._guess)

    def hush(self) -> None:
        """Stops the guess that is being made; the model stops within a step."""
        self._pause.end()
        self._around.stop(_WORKERS)

    def forget(self) -> None:
        """There is no post."""
        self.hush()
        self._failed = False

    def _guess(self) -> None:
        settle_memory()
        editor = self._editor
        ready = (
            self._kept.keeper is not None
            and editor.has_focus
            and editor.selection.is_empty
            and not editor.suggestion
            and not editor.has_class(DICTATED)
        )
        if ready and (model := self._model.local):
            self._around.do(self._suggest(model), _WORKERS, exclusive=True)

    async def _suggest(self, model: str) -> None:
        editor = self._editor
        text, at = editor.text, editor.offset_of(editor.cursor_location)
        try:
            words = await self._suggester_of(model).suggest(text[:at], text[at:])
        except BusyError:
            # Somebody asked something: that goes first, and nobody waits for a guess.
            return
        except PlaygroundError as error:
            self._failed = True
            self._note(f"no suggestions: {error.message}")
            return
        if words and editor.has_focus and editor.text == text and editor.offset_of(editor.cursor_location) == at:
            editor.offer(clean(words).replace("\t", " "))

    def _suggester_of(self, model: str) -> Suggester:
        from app.writing.suggesting import Suggester

        if self._suggester is None or self._suggester[0] != model:
            self._suggester = (model, Suggester(self._model.models.router, model))
        return self._suggester[1]
