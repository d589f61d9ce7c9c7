"""The desk's finding and replacing, and its outline."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer

from app.errors import InvalidRequestError
from app.tui import words

from .assisting import Assisting
from .find_bar import FindBar
from .state_line import StateLine

if TYPE_CHECKING:
    from app.writing.finding import Match


_FELT = 0.01
"""Seconds that a search may take at each key."""

_PAUSE = 0.3


class Finding(Assisting):
    """A post in which things are found."""

    _finding_took = 0.0
    _looking_again: Timer | None = None

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+f", "find", "Find", id="post.find"),
        Binding("ctrl+o", "outline", "Outline", id="post.outline"),
    ]

    def compose(self) -> ComposeResult:
        """The bar stands between the text and its figures."""
        for part in super().compose():
            if isinstance(part, StateLine):
                yield FindBar()
            yield part

    def _clear(self) -> None:
        super()._clear()
        for bar in self.query(FindBar):
            bar.forget()
        self.editor.remove_class("-finding")

    # The outline

    def action_outline(self) -> None:
        """Asks to which heading to go."""
        from app.writing.outline import outline

        from .outline_dialog import OutlineDialog

        headings = outline(self.editor.text)
        if not headings:
            self.app.notify("There is no heading yet. A line that begins with # is one.", timeout=3)
            return

        def chosen(line: int | None) -> None:
            if line is not None:
                self.editor.go_to_line(line)
                self.editor.focus()

        self.app.push_screen(OutlineDialog(headings, self.editor.cursor_location[0]), chosen)

    # Finding

    def action_find(self) -> None:
        """Opens the bar, with the marked words in it."""
        marked = self.editor.selected_text
        self.query_one(FindBar).begin(marked if marked and "\n" not in marked else "")
        self.editor.add_class("-finding")
        self._say_which(self._matches())

    @on(FindBar.Left)
    def _find_left(self) -> None:
        self.query_one(FindBar).display = False
        self._stop_finding()
        self.editor.focus()

    def _stop_finding(self) -> None:
        self.editor.remove_class("-finding")
        self.editor.show_found(())

    def typed(self) -> None:
        """The text changed: what is coloured, and how many there are, follows it."""
        super().typed()
        if not self.query_one(FindBar).display:
            return
        if self._finding_took <= _FELT:
            self._say_which(self._matches())
            return
        # In a long text with thousands of places a search would be felt in every key: it waits for a pause.
        self.editor.show_found(())
        if self._looking_again is not None:
            self._looking_again.stop()
        self._looking_again = self.set_timer(_PAUSE, self._look_again)

    def _look_again(self) -> None:
        self._looking_again = None
        if self.query_one(FindBar).display and self.keeper is not None:
            self._say_which(self._matches())

    def _matches(self) -> tuple[Match, ...]:
        """Every place, which is coloured from now on."""
        from app.writing.finding import find

        bar = self.query_one(FindBar)
        began = time.perf_counter()
        try:
            found = find(self.editor.text, bar.search)
        except InvalidRequestError as error:
            bar.say("no pattern yet", wrong=True)
            self.log.debug(error.message)
            found = ()
        else:
            if not found:
                bar.say("nothing" if bar.search.pattern else "")
        self.editor.show_found(found)
        self._finding_took = time.perf_counter() - began
        return found

    def _say_which(self, found: tuple[Match, ...]) -> None:
        """How many there are, and which of them is marked."""
        if not found:
            return
        start, end = self.editor.marked
        here = next((place for place, one in enumerate(found) if (one.start, one.end) == (start, end)), None)
        count = words.count(len(found))
        self.query_one(FindBar).say(f"{count} found" if here is None else f"{words.count(here + 1)} of {count}")

    @on(FindBar.Changed)
    def _looked_for(self) -> None:
        found = self._matches()
        if found:
            start, _ = self.editor.marked
            self._show_match(found, next((place for place, one in enumerate(found) if one.start >= start), 0))

    @on(FindBar.Stepped)
    def _stepped(self, event: FindBar.Stepped) -> None:
        found = self._matches()
        if found:
            self._show_match(found, self._next(found, event.step))

    def _next(self, found: tuple[Match, ...], step: int) -> int:
        start, end = self.editor.marked
        if step > 0:
            return next((place for place, one in enumerate(found) if one.start >= max(end, start + 1)), 0)
        before = [place for place, one in enumerate(found) if one.start < start]
        return before[-1] if before else len(found) - 1

    def _show_match(self, found: tuple[Match, ...], place: int) -> None:
        self.editor.mark(found[place].start, found[place].end)
        self._say_which(found)

    # Replacing

    @on(FindBar.ReplaceWanted)
    def _replace_wanted(self, event: FindBar.ReplaceWanted) -> None:
        from app.writing.finding import Match, replaced

        found = self._matches()
        if not found:
            return
        bar = self.query_one(FindBar)
        text = self.editor.text
        here = Match(*self.editor.marked)
        if not event.everywhere and here not in found:
            # Nothing is replaced that was not seen marked.
            self._show_match(found, self._next(found, 1))
            return
        only = None if event.everywhere else (here,)
        try:
            new, count = replaced(text, bar.search, bar.by, only)
        except InvalidRequestError as error:
            self.app.notify_error(error)
            return
        if event.everywhere:
            self._pane.do(self._replace_all(text, new, count))
            return
        grown = len(new) - len(text)
        self.editor.change(here.start, here.end, new[here.start : here.end + grown])
        left = self._matches()
        if left:
            self._show_match(left, self._next(left, 1) if self.editor.marked[0] > 0 else 0)

    async def _replace_all(self, text: str, new: str, count: int) -> None:
        if self.keeper is None:
            return
        await self.keeper.revise("replaced")
        if self.editor.text == text and new != text:
            self.editor.change(0, len(text), new)
            # Once the change was taken note of: that says what is still found.
            self.call_after_refresh(self.query_one(FindBar).say, f"{words.count(count)} replaced")
