"""Finding and replacing in the post on the desk."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from app.errors import InvalidRequestError
from app.tui import words

if TYPE_CHECKING:
    from app.tui.surroundings import Surroundings
    from app.writing.finding import Match

    from .editor import PostEditor
    from .find_bar import FindBar
    from .kept_post import KeptPost
    from .pause import Pause

_FELT = 0.01
"""Seconds that a search may take at each key."""

_PAUSE = 0.3
_FINDING = "-finding"
"""The editor's class while something is looked for."""


class Finder:
    """Does in the text what the bar asks for, and says in the bar what came of it."""

    def __init__(
        self,
        kept: KeptPost,
        editor: PostEditor,
        bar: FindBar,
        around: Surroundings,
        pause: Pause,
        after_refresh: Callable[..., object],
    ) -> None:
        """``after_refresh``: calls something once what was done so far has been taken note of."""
        self._kept, self._editor, self._bar, self._around, self._pause = kept, editor, bar, around, pause
        self._after_refresh = after_refresh
        self.took = 0.0
        """Seconds that the last search took."""

    def open(self) -> None:
        """Opens the bar, with the marked words in it."""
        marked = self._editor.selected_text
        self._bar.begin(marked if marked and "\n" not in marked else "")
        self._editor.add_class(_FINDING)
        self._say_which(self._matches())

    def close(self) -> None:
        """Closes the bar."""
        self._bar.display = False
        self._editor.remove_class(_FINDING)
        self._editor.show_found(())
        self._editor.focus()

    def forget(self) -> None:
        """There is no post: keeps nothing of what was looked for."""
        self._pause.end()
        if self._bar.is_mounted:
            self._bar.forget()
        self._editor.remove_class(_FINDING)

    def typed(self) -> None:
        """The text changed: what is coloured, and how many there are, follows it."""
        if not self._bar.display:
            return
        if self.took <= _FELT:
            self._say_which(self._matches())
            return
        # In a long text with thousands of places a search would be felt in every key: it waits for a pause.
        self._editor.show_found(())
        self._pause.begin(_PAUSE, self._look_again)

    def _look_again(self) -> None:
        if self._bar.display and self._kept.keeper is not None:
            self._say_which(self._matches())

    # Finding

    def look(self) -> None:
        """Something else is looked for: shows the next place from here."""
        found = self._matches()
        if found:
            start, _ = self._editor.marked
            self._show(found, next((place for place, one in enumerate(found) if one.start >= start), 0))

    def step(self, step: int) -> None:
        """Shows the next place, or the one before."""
        found = self._matches()
        if found:
            self._show(found, self._next(found, step))

    def _matches(self) -> tuple[Match, ...]:
        """Every place, which is coloured from now on."""
        from app.writing.finding import find

        bar = self._bar
        began = time.perf_counter()
        try:
            found = find(self._editor.text, bar.search)
        except InvalidRequestError as error:
            bar.say("no pattern yet", wrong=True)
            bar.log.debug(error.message)
            found = ()
        else:
            if not found:
                bar.say("nothing" if bar.search.pattern else "")
        self._editor.show_found(found)
        self.took = time.perf_counter() - began
        return found

    def _say_which(self, found: tuple[Match, ...]) -> None:
        """How many there are, and which of them is marked."""
        if not found:
            return
        start, end = self._editor.marked
        here = next((place for place, one in enumerate(found) if (one.start, one.end) == (start, end)), None)
        count = words.count(len(found))
        self._bar.say(f"{count} found" if here is None else f"{words.count(here + 1)} of {count}")

    def _next(self, found: tuple[Match, ...], step: int) -> int:
        start, end = self._editor.marked
        if step > 0:
            return next((place for place, one in enumerate(found) if one.start >= max(end, start + 1)), 0)
        before = [place for place, one in enumerate(found) if one.start < start]
        return before[-1] if before else len(found) - 1

    def _show(self, found: tuple[Match, ...], place: int) -> None:
        self._editor.mark(found[place].start, found[place].end)
        self._say_which(found)

    # Replacing

    def replace(self, *, everywhere: bool) -> None:
        """Replaces the marked place, if it is one that was found, or all of them."""
        from app.writing.finding import Match, replaced

        found = self._matches()
        if not found:
            return
        editor, text = self._editor, self._editor.text
        here = Match(*editor.marked)
        if not everywhere and here not in found:
            # Nothing is replaced that was not seen marked.
            self._show(found, self._next(found, 1))
            return
        try:
            new, count = replaced(text, self._bar.search, self._bar.by, None if everywhere else (here,))
        except InvalidRequestError as error:
            self._around.say_error(error)
            return
        if everywhere:
            self._around.do(self._replace_all(text, new, count))
            return
        grown = len(new) - len(text)
        editor.change(here.start, here.end, new[here.start : here.end + grown])
        left = self._matches()
        if left:
            self._show(left, self._next(left, 1) if editor.marked[0] > 0 else 0)

    async def _replace_all(self, text: str, new: str, count: int) -> None:
        if self._kept.keeper is None:
            return
        await self._kept.keeper.revise("replaced")
        if self._editor.text == text and new != text:
            self._editor.change(0, len(text), new)
            # Once the change was taken note of: that says what is still found.
            self._after_refresh(self._bar.say, f"{words.count(count)} replaced")
