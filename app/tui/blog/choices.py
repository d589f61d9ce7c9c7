"""Titles, headlines or tags to choose from."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static

from app.writing.assistant import Ended

from .assist_screen import AssistScreen, Job

Chosen = tuple[str, ...]


class ChoicesScreen(AssistScreen[Chosen]):
    """A list that fills while the model writes. Its answer is what was chosen: one line, or several tags."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "mark", "Mark", show=False, id="choices.mark")]
    AUTO_FOCUS = "OptionList"

    def __init__(self, job: Job, *, several: bool = False) -> None:
        super().__init__(job)
        self.choices: tuple[str, ...] = ()
        self._several = several
        self._marked: set[int] = set()

    def compose(self) -> ComposeResult:
        """What is done, what comes, the keys."""
        with Vertical(classes="dialog"):
            yield self.head()
            yield self.wrong()
            yield Static("…", classes="coming")
            yield OptionList(compact=True)
            yield self.hint()

    def _begin(self) -> None:
        self.choices, self._marked = (), set()
        self._fill()
        self.query_one(".coming", Static).update("…")
        super()._begin()

    async def proposed(self, text: str, rest: str) -> None:
        """Shows what comes, as it comes."""
        self.query_one(".coming", Static).update(Content.styled(text[-600:], "$text-muted"))

    async def ended(self, result: Ended) -> None:
        """Offers the lines that make sense."""
        self.choices = result.choices
        if self._several:
            self._marked = set(range(len(self.choices)))
        self._fill()
        if not self.choices:
            nothing = "The model wrote nothing that could be one. Small models often do the second time."
            self.query_one(".coming", Static).update(Content.styled(nothing, "$text-muted"))

    async def failed(self) -> None:
        """Shows why alone."""
        self.query_one(".coming", Static).update("")

    def _fill(self) -> None:
        shown = self.query_one(OptionList)
        place = shown.highlighted or 0
        shown.clear_options()
        shown.add_options([self._words(number) for number in range(len(self.choices))])
        shown.display = bool(self.choices)
        self.query_one(".coming").display = not self.choices
        if self.choices:
            shown.highlighted = min(place, len(self.choices) - 1)
            shown.focus()

    def _words(self, place: int) -> Content:
        marked = place in self._marked
        mark = (("✓ " if marked else "  ") if self._several else "", "bold $success")
        return Content.assemble(mark, (self.choices[place], "$foreground"))

    def keys(self) -> list[tuple[str, str]]:
        """What can be done with the lines."""
        if not self.choices:
            return []
        return [("⏎", "take"), ("↑↓", "move"), *([("space", "mark")] if self._several else [])]

    def action_mark(self) -> None:
        """Marks a tag, or not."""
        place = self.query_one(OptionList).highlighted
        if self._several and place is not None:
            self._marked ^= {place}
            self._fill()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if self._several:
            self.dismiss(tuple(choice for place, choice in enumerate(self.choices) if place in self._marked))
        else:
            self.dismiss((self.choices[event.option_index],))
