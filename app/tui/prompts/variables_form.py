"""What a prompt's variables stand for, asked before it is used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Input, Static, TextArea

from app.chat.prompt_library.variables import INPUT, Variable
from app.privacy.terminal import clean
from app.tui.dialogs.dialog import Dialog


class VariablesForm(Dialog[dict[str, str]]):
    """A field for each, filled with its default. The text that the prompt is about may stay empty."""

    CSS_PATH: ClassVar[CSSPathType | None] = ["../dialogs/dialogs.tcss", "prompts.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "done", "Done", priority=True, id="variables.done"),
        Binding("down", "app.focus_next", "Next field", show=False, id="variables.next"),
        Binding("up", "app.focus_previous", "Field before", show=False, id="variables.previous"),
    ]
    AUTO_FOCUS = "Input, TextArea"

    def __init__(self, title: str, variables: Sequence[Variable]) -> None:
        super().__init__()
        self._title = title
        self._variables = sorted(variables, key=lambda variable: variable.name == INPUT)

    def compose(self) -> ComposeResult:
        """Name and field of each; the text comes last."""
        with Vertical(classes="dialog"):
            yield Static(Content(clean(self._title)), classes="title")
            with VerticalScroll(classes="fields", can_focus=False):
                for place, variable in enumerate(self._variables):
                    if variable.name == INPUT:
                        yield Static("input: the text that it is about", classes="label")
                        yield TextArea(variable.default or "", tab_behavior="focus", compact=True, id=f"field-{place}")
                        continue
                    with Horizontal(classes="row"):
                        yield Static(Content(clean(variable.name)), classes="label")
                        yield Input(
                            clean(variable.default or ""), compact=True, select_on_focus=True, id=f"field-{place}"
                        )
            yield Static(classes="wrong")
            done = "^s" if any(variable.name == INPUT for variable in self._variables) else "⏎"
            yield Static(
                Content.assemble(
                    (done, "bold $primary"), " fill in    ", ("tab", "bold $primary"), " next field    ",
                    ("esc", "bold $primary"), " leave",
                ),
                classes="hint",
            )  # fmt: skip

    @on(Input.Changed)
    def _calm(self, event: Input.Changed) -> None:
        event.stop()
        self.query_one(".wrong", Static).update("")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self.query(TextArea):
            self.app.action_focus_next()
        else:
            self.action_done()

    def action_done(self) -> None:
        """Closes with the values, or says which one is missing."""
        values: dict[str, str] = {}
        for place, variable in enumerate(self._variables):
            field = self.query_one(f"#field-{place}")
            if isinstance(field, Input):
                values[variable.name] = field.value
            elif isinstance(field, TextArea):
                values[variable.name] = field.text
            if not values[variable.name].strip() and variable.default is None and variable.name != INPUT:
                self.query_one(".wrong", Static).update(Content(f"{clean(variable.name)} has no value yet."))
                field.focus()
                return
        self.dismiss(values)
