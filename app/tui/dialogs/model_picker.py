"""Choosing who answers: the models of this machine and those elsewhere, in one list."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from app.errors import LocalOnlyError, PlaygroundError
from app.privacy.terminal import clean
from app.tui import words
from app.tui.face import Face
from app.tui.later import Later
from app.tui.model_desk import ModelDesk, ModelRow
from app.tui.models.remote_words import price_words, reach_words, remote_detail, short_count
from app.tui.words import cut

from .dialog import Dialog

if TYPE_CHECKING:
    from app.routing.listing import ModelLine

_MOST_NAME = 30


class ModelPicker(Dialog[str]):
    """The chat models, filtered as one types; those that are here come first, then those elsewhere."""

    HELP = """\
Type a part of a name. **Enter** uses the model; one that is not here is fetched first. A model with an arrow runs
elsewhere: the lines below the list say what leaves this machine when it is asked.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False, priority=True, id="picker.up"),
        Binding("down", "move(1)", "Down", show=False, priority=True, id="picker.down"),
    ]

    app = getters.app(Face)

    def __init__(self, desk: ModelDesk, current: str) -> None:
        super().__init__()
        self._desk = desk
        self._current = current
        self._lines: dict[str, ModelLine] = {}
        self._moved = False

    def compose(self) -> ComposeResult:
        """A field to filter, the list, and what is known of the highlighted model."""
        with Vertical(classes="dialog"):
            yield Static(Content("Choose a model"), classes="title")
            yield Input(placeholder="filter", compact=True)
            yield OptionList(compact=True)
            yield Static(id="picker-detail")
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
        """Shows all, the model in use marked; then asks the endpoints how they are."""
        self.query_one(OptionList).can_focus = False
        self.set_class(self.app.size.width >= 112, "-wide")
        self._fill("")
        self.run_worker(Later(self._look), group="picker", exit_on_error=False)

    async def _look(self) -> None:
        try:
            await self._show_lines(check=False)
            if self._lines and not self._desk.local_only:
                await self._show_lines(check=True)
        except PlaygroundError as error:
            self.app.notify_error(error)

    async def _show_lines(self, *, check: bool) -> None:
        lines = await self._desk.learn_lines(check=check)
        self._lines = {line.name: line for line in lines if line.role == "chat"}
        self.set_class(bool(self._lines), "-remote")
        chosen = self.query_one(OptionList).highlighted_option if self._moved else None
        self._fill(self.query_one(Input).value, chosen.id if chosen is not None else None)

    @on(Input.Changed)
    def _filter(self, event: Input.Changed) -> None:
        self._fill(event.value)

    def _fill(self, wanted: str, highlight: str | None = None) -> None:
        wanted = wanted.strip().lower()
        rows = [row for row in self._desk.rows() if row.entry.role == "chat" and wanted in row.entry.name.lower()]
        lines = [
            line
            for line in self._lines.values()
            if any(wanted in name.lower() for name in (line.name, *line.aliases, line.backend))
        ]
        width = min(_MOST_NAME, max((cell_len(clean(name)) for name in self._names(rows, lines)), default=0) + 2)
        here = [row for row in rows if row.installed or not self._lines]
        options = [Option(self._row_words(row, width), id=row.entry.name) for row in here]
        if lines:
            options.append(_heading("elsewhere"))
        options += [Option(self._line_words(line, width), id=line.name) for line in lines]
        # Before those that can be asked now there is no room for a long catalogue.
        missing = [row for row in rows if row not in here]
        if missing:
            options.append(_heading("to fetch"))
        options += [Option(self._row_words(row, width), id=row.entry.name) for row in missing]
        shown = self.query_one(OptionList)
        shown.clear_options()
        shown.add_options(options)
        ids = [option.id for option in options]
        for name in (highlight, self._current):
            if name is not None and name in ids:
                shown.highlighted = ids.index(name)
                break
        else:
            shown.highlighted = next((place for place, option in enumerate(options) if not option.disabled), None)

    @staticmethod
    def _names(rows: list[ModelRow], lines: list[ModelLine]) -> list[str]:
        return [row.entry.name for row in rows] + [line.name for line in lines]

    def _row_words(self, row: ModelRow, width: int) -> Content:
        mark = ("● ", "$success") if row.loaded else ("○ ", "$success") if row.installed else ("  ", "")
        notes = [words.size(row.entry.size), "here" if row.installed else "to fetch"]
        if row.entry.name == self._current:
            notes.append("in use")
        if row.recommended:
            notes.append("recommended")
        if row.fits is False:
            notes.append("too large for this machine")
        stays = self._desk.local_only and not row.installed
        if stays:
            notes = [notes[0], "not fetched while local only"]
        name = (_padded(row.entry.name, width), "$text-disabled" if stays else "")
        return Content.assemble(mark, name, (" · ".join(notes), "$text-disabled" if stays else "$text-muted"))

    def _line_words(self, line: ModelLine, width: int) -> Content:
        refused = self._desk.refused(line.name)
        reach, colour = reach_words(line, refused)
        in_use = "in use" if line.name == self._current else ""
        known = [short_count(line.context), price_words(line.price)] if not refused else []
        notes = [clean(line.backend), in_use, *known]
        faint = "$text-disabled" if refused else "$text-muted"
        return Content.assemble(
            ("↗ " if line.leaves else "○ ", faint if refused else "$warning" if line.leaves else "$success"),
            (_padded(line.name, width), "$text-disabled" if refused else "$foreground"),
            (" · ".join(filter(None, notes)) + " · ", faint),
            (reach, colour),
        )

    @on(OptionList.OptionHighlighted)
    def _show_detail(self, event: OptionList.OptionHighlighted) -> None:
        line = self._lines.get(event.option.id or "")
        if line is not None:
            detail = remote_detail(line, self._desk.refused(line.name), self._allow_key)
        else:
            detail = Content.styled("Runs on this machine: nothing leaves it.", "$text-success")
        self.query_one("#picker-detail", Static).update(detail)

    @property
    def _allow_key(self) -> str:
        return self.app.key_of(self, "app.local_only", "alt+l")

    def action_move(self, step: int) -> None:
        """Moves the highlight while the filter keeps the focus."""
        self._moved = True
        options = self.query_one(OptionList)
        if step < 0:
            options.action_cursor_up()
        else:
            options.action_cursor_down()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        option = self.query_one(OptionList).highlighted_option
        if option is not None:
            self._take(option.id)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self._take(event.option.id)

    def _take(self, name: str | None) -> None:
        reason = self._desk.refused(name or "")
        if reason:
            self.app.notify_error(
                LocalOnlyError(reason, f"Allow the network first: {self._allow_key}, or /local in the chat.")
            )
        else:
            self.dismiss(name)


def _heading(words: str) -> Option:
    return Option(Content.styled(f"  {words}", "$text-disabled"), disabled=True)


def _padded(name: str, width: int) -> str:
    shown = cut(clean(name), width - 2)
    return shown + " " * (width - cell_len(shown))
