"""What is asked of several models, and of which."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from rich.cells import cell_len
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from app.errors import PlaygroundError
from app.lab.debate import FEWEST, MOST
from app.privacy.terminal import clean
from app.tui.dialogs.dialog import Dialog
from app.tui.face import Face
from app.tui.later import Later
from app.tui.model_desk import ModelDesk

if TYPE_CHECKING:
    from app.routing.listing import ModelLine


class Asked(Struct, frozen=True):
    """A question, and who is to answer it."""

    question: str
    models: tuple[str, ...]


class QuestionDialog(Dialog[Asked]):
    """A field for the question, and the models that can be asked now, to be marked.

    Args:
        title: what becomes of it.
        question: what stands in the field.
        chosen: who is marked already.
    """

    HELP = """\
Write a question, mark two to five models with **Space**, and press **Enter**. A model with an arrow runs elsewhere:
the question leaves this machine when it is asked. A model that is not here is fetched in the Models pane.
"""
    CSS_PATH: ClassVar[CSSPathType | None] = ["../dialogs/dialogs.tcss", "lab.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "ask", "Ask", show=False, priority=True, id="lab.ask"),
        Binding("space", "mark", "Mark", show=False, id="lab.mark"),
        Binding("down", "to_models", "Models", show=False, id="lab.models"),
    ]

    app = getters.app(Face)

    def __init__(self, desk: ModelDesk, title: str, question: str, chosen: tuple[str, ...]) -> None:
        super().__init__()
        self._desk, self._title, self._question = desk, title, question
        self._marked = dict.fromkeys(chosen)
        self._elsewhere: tuple[ModelLine, ...] = ()

    def compose(self) -> ComposeResult:
        """The field, the list, the keys."""
        with Vertical(classes="dialog"):
            yield Static(Content(self._title), classes="title")
            yield Input(self._question, placeholder="question", compact=True)
            yield OptionList(compact=True)
            yield Static(
                Content.assemble(
                    *(("⏎", "bold $primary"), " ask   ", ("space", "bold $primary"), " mark   "),
                    *(("⇥", "bold $primary"), " question or models   ", ("esc", "bold $primary"), " leave"),
                ),
                classes="hint",
            )

    def on_mount(self) -> None:
        """Lists the models of this machine, then those elsewhere."""
        self._fill()
        self.run_worker(Later(self._look), group="lab-models", exit_on_error=False)

    async def _look(self) -> None:
        try:
            self._elsewhere = await self._desk.learn_lines()
        except PlaygroundError as error:
            self.app.notify_error(error)
            return
        self._fill()

    def _fill(self) -> None:
        here = [row.entry.name for row in self._desk.rows() if row.installed and row.entry.role == "chat"]
        away = [line for line in self._elsewhere if line.role == "chat" and not self._desk.refused(line.name)]
        places = dict.fromkeys(here, ("here", "$text-muted"))
        places |= {line.name: (f"↗ {clean(line.backend)}", "$warning") for line in away}
        self._marked = {name: None for name in self._marked if name in places}
        self._width = max(map(cell_len, map(clean, places)), default=0) + 2
        self._places = places
        shown = self.query_one(OptionList)
        row = shown.highlighted
        shown.clear_options()
        shown.add_options([Option(self._words(name), id=name) for name in places])
        shown.highlighted = row or 0

    def _words(self, name: str) -> Content:
        mark = ("✓ ", "bold $success") if name in self._marked else ("  ", "")
        shown = clean(name)
        return Content.assemble(mark, shown, " " * (self._width - cell_len(shown)), self._places[name])

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self._mark(event.option.id)

    def action_mark(self) -> None:
        """Marks the highlighted model, or takes its mark away."""
        option = self.query_one(OptionList).highlighted_option
        self._mark(option.id if option is not None else None)

    def _mark(self, name: str | None) -> None:
        if name is None:
            return
        if name in self._marked:
            del self._marked[name]
        else:
            self._marked[name] = None
        self.query_one(OptionList).replace_option_prompt(name, self._words(name))

    def action_to_models(self) -> None:
        """From the field into the list."""
        self.query_one(OptionList).focus()

    def action_ask(self) -> None:
        """Asks, where there is something to ask and somebody to."""
        question = self.query_one(Input).value.strip()
        models = tuple(self._marked)
        if not question:
            self.query_one(Input).focus()
            self.app.notify("Write a question first.", timeout=3)
        elif not FEWEST <= len(models) <= MOST:
            self.query_one(OptionList).focus()
            self.app.notify(f"{len(models)} marked; mark {FEWEST} to {MOST} models with the space bar.", timeout=4)
        else:
            self.dismiss(Asked(question, models))
