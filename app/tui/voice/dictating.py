"""One dictation into one text."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

from textual.widgets import TextArea

from app.errors import PlaygroundError
from app.privacy.terminal import clean

from .meter import Meter, Speaking
from .spoken_into import SpokenInto

if TYPE_CHECKING:
    from app.voice.dictation import Dictation, Stopped
    from app.voice.spoken import Edit

DICTATED = "-dictated"
"""The class of a text while it is dictated into."""


class Dictating:
    """Writes at the cursor of a text what is said, until it is stopped.

    Args:
        text: where it is written; its person may go on typing meanwhile.
        make: makes the dictation, given what tells the text before the cursor.
        meter: shows how loud it is and what is being said.
        sent_to: whom the sound goes to; empty when it stays on this machine.
    """

    def __init__(
        self, text: TextArea, make: Callable[[Callable[[], str]], Dictation], meter: Meter, sent_to: str = ""
    ) -> None:
        self._text, self._meter, self._sent_to = text, meter, sent_to
        self._dictation = make(self._before)
        self._asked = self._listens = False

    def stop(self) -> None:
        """Ends it once what was said until now is written."""
        self._asked = True
        self._dictation.stop()
        self._say(state="finishing …")

    async def run(self) -> Stopped | None:
        """Runs to the end; cancelling it throws away what is not final."""
        from app.voice.dictation import Final, Level, Listening, Partial, Preparing, Stopped

        self._text.add_class(DICTATED)
        try:
            async with aclosing(self._dictation.events()) as events:
                async for event in events:
                    if not (self._text.is_attached and self._text.has_class(DICTATED)):
                        # Whoever took the class away has put another text there: this is not meant for it.
                        return None
                    match event:
                        case Preparing() if not self._listens:
                            self._say(state="making ready: speak already, it is heard")
                        case Listening():
                            self._listens = True
                            sent = f" ↗ sent to {clean(self._sent_to)}" if self._sent_to else ""
                            self._say(state=f"listening to {clean(event.device)}{sent}")
                        case Level():
                            self._level(event.rms, speaking=event.speaking)
                        case Partial():
                            self._partial(event.text, event.settled)
                        case Final():
                            self._partial("", 0)
                            self._write(event.edits)
                        case Stopped():
                            return event
            return None
        finally:
            if isinstance(self._text, SpokenInto):
                self._text.show_spoken("")
            self._text.remove_class(DICTATED)

    # The text

    def _before(self) -> str:
        row, column = self._text.selection.end
        lines = self._text.document.lines
        return "\n".join([*lines[:row], lines[row][:column]])

    def _write(self, edits: tuple[Edit, ...]) -> None:
        text = self._text
        if not edits:
            return
        # Each utterance is a step that can be undone.
        text.history.checkpoint()
        for edit in edits:
            end = text.selection.end
            start = _back(text, end, edit.delete)
            words = clean(edit.insert)
            # A space behind the cursor, where a word would otherwise stand right behind what was said.
            apart = edit is edits[-1] and words[-1:].strip() and _behind(text, end).isalnum()
            result = text.replace(f"{words} " if apart else words, start, end, maintain_selection_offset=False)
            row, column = result.end_location
            text.move_cursor((row, column - 1) if apart else (row, column))
        text.history.checkpoint()

    def _partial(self, words: str, settled: int) -> None:
        """What is being said stands faintly where it will be written; where that cannot be, the line has it alone."""
        if isinstance(self._text, SpokenInto):
            self._text.show_spoken(words, settled)
        self._say(partial=words)

    # The meter

    def _say(self, *, state: str | None = None, partial: str | None = None) -> None:
        said = self._meter.said
        if self._asked and state is not None:
            state = "finishing …"
        self._meter.said = Speaking(
            state=said.state if state is None else state,
            level=said.level,
            speaking=said.speaking,
            partial=said.partial if partial is None else partial,
        )

    def _level(self, rms: float, *, speaking: bool) -> None:
        said = self._meter.said
        self._meter.said = Speaking(state=said.state, level=rms, speaking=speaking, partial=said.partial)


def _behind(text: TextArea, place: tuple[int, int]) -> str:
    """The character behind a place, on its line."""
    row, column = place
    return text.document.lines[row][column : column + 1]


def _back(text: TextArea, place: tuple[int, int], count: int) -> tuple[int, int]:
    """The place ``count`` characters before."""
    row, column = place
    while count > column and row > 0:
        count -= column + 1
        row -= 1
        column = len(text.document.lines[row])
    return row, max(0, column - count)


def fault_of(stopped: Stopped | None) -> PlaygroundError | None:
    """Why it ended, where that was not wanted."""
    return stopped.error if stopped is not None else None
