"""Choosing who answers."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from app.privacy.terminal import clean
from app.tui import words
from app.tui.model_desk import ModelDesk, ModelRow

from .dialog import Dialog


class ModelPicker(Dialog[str]):
    """The chat models, filtered as one types; those that are here come first."""

    HELP = "Type a part of a name. **Enter** uses the model; one that is not here is fetched first."

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False, priority=True, id="picker.up"),
        Binding("down", "move(1)", "Down", show=False, priority=True, id="picker.down"),
    ]

    def __init__(self, desk: ModelDesk, current: str) -> None:
        super().__init__()
        self._desk = desk
        self._current = current

    def compose(self) -> ComposeResult:
        """A field to filter, and the list."""
        with Vertical(classes="dialog"):
            yield Static(Content("Choose a model"), classes="title")
            yield Input(placeholder="filter", compact=True)
            yield OptionList(compact=True)
            yield Static(
                Content.assemble(
                    ("⏎", "bold $primary"),
                    (" use    ", ""),
                    ("↑↓", "bold $primary"),
                    (" move    ", ""),
                    ("esc", "bold $primary"),
                    (" leave", ""),
                ),
                classes="hint",
            )

    def on_mount(self) -> None:
        """Shows all, the model in use marked."""
        self.query_one(OptionList).can_focus = False
        self._fill("")

    @on(Input.Changed)
    def _filter(self, event: Input.Changed) -> None:
        self._fill(event.value)

    def _fill(self, wanted: str) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        rows = [
            row
            for row in self._desk.rows()
            if row.entry.role == "chat" and wanted.strip().lower() in row.entry.name.lower()
        ]
        options.add_options([Option(self._words(row), id=row.entry.name) for row in rows])
        names = [row.entry.name for row in rows]
        if names:
            options.highlighted = names.index(self._current) if self._current in names else 0

    def _words(self, row: ModelRow) -> Content:
        mark = ("● ", "$success") if row.loaded else ("○ ", "$success") if row.installed else ("  ", "")
        notes = [words.size(row.entry.size), "here" if row.installed else "to fetch"]
        if row.entry.name == self._current:
            notes.append("in use")
        if row.recommended:
            notes.append("recommended")
        if row.fits is False:
            notes.append("too large for this machine")
        return Content.assemble(mark, f"{clean(row.entry.name):<28} ", (" · ".join(notes), "$text-muted"))

    def action_move(self, step: int) -> None:
        """Moves the highlight while the filter keeps the focus."""
        options = self.query_one(OptionList)
        if step < 0:
            options.action_cursor_up()
        else:
            options.action_cursor_down()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        option = self.query_one(OptionList).highlighted_option
        if option is not None:
            self.dismiss(option.id)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)
