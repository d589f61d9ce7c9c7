"""An answer with and without what the content filter leaves out, while it comes and after."""

from __future__ import annotations

from app.chat.filter import ContentFilter
from app.tui import words


class Shortened:
    """Both texts of one answer.

    Attributes:
        whole: whether the original is shown.
    """

    def __init__(self) -> None:
        self.whole = False
        self._filter = ContentFilter()
        self._original: list[str] = []
        self._rest: list[str] = []
        self._finished = False

    @property
    def left_out(self) -> int:
        """Sentences that are left out."""
        return self._filter.left_out

    @property
    def shown(self) -> str:
        """The text that is to be seen now."""
        return "".join(self._original if self.whole else self._rest)

    @property
    def note(self) -> str:
        """What is said below the answer; empty when nothing was left out."""
        if not self.left_out:
            return ""
        return "the original" if self.whole else f"{words.plural(self.left_out, 'sentence')} left out"

    def feed(self, text: str) -> str:
        """Takes more of the answer; gives what is to be added to what is shown."""
        self._original.append(text)
        rest = self._filter.feed(text)
        self._rest.append(rest)
        return text if self.whole else rest

    def finish(self) -> str:
        """The answer is over; gives what is to be added to what is shown. Nothing, the second time."""
        if self._finished:
            return ""
        self._finished = True
        rest = self._filter.finish()
        self._rest.append(rest)
        return "" if self.whole else rest
