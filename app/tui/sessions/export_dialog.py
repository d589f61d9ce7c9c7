"""Where an exported conversation goes, and in which form."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Input, Static

from app.privacy.terminal import clean
from app.tui import words
from app.tui.dialogs.dialog import Dialog
from app.tui.dialogs.dialog_lines import choice_words, key_line

if TYPE_CHECKING:
    from app.chat.formats.names import Form

FORMS: tuple[tuple[Form, str], ...] = (("markdown", "Markdown"), ("json", "JSON"), ("html", "HTML"))


class Destination(NamedTuple):
    """The form and the file that a person chose."""

    form: Form
    path: Path


class ExportDialog(Dialog[Destination]):
    """A form and a path; a file that is there already is replaced after a second Enter."""

    CSS_PATH: ClassVar[CSSPathType | None] = ["../dialogs/dialogs.tcss", "dialogs.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "turn(-1)", "Form", show=False, priority=True, id="export.previous_form"),
        Binding("down,tab", "turn(1)", "Form", show=False, priority=True, id="export.next_form"),
    ]

    def __init__(self, title: str, names: Mapping[Form, str], folder: Path) -> None:
        """``names``: the suggested file name of each form."""
        super().__init__()
        self._title = title
        self._names = names
        self._folder = folder
        self._place = 0
        self._replacing = ""

    def compose(self) -> ComposeResult:
        """The forms above the path."""
        with Vertical(classes="dialog"):
            yield Static(Content(f"Export “{self._title}”"), classes="title")
            yield Static(classes="forms")
            yield Input(compact=True, select_on_focus=False)
            yield Static(Content("An export is not encrypted: whoever can read the file can read it."), classes="about")
            yield Static(classes="wrong")
            yield key_line(("⏎", "write"), ("↑↓", "form"), ("esc", "leave"))

    def on_mount(self) -> None:
        """Offers the first form."""
        self._suggest()

    def action_turn(self, step: int) -> None:
        """Another form; the name follows unless the person wrote another one."""
        before = self._suggested()
        own = self.query_one(Input).value
        self._place = (self._place + step) % len(FORMS)
        self._suggest(None if own == before else own)

    def _suggested(self) -> str:
        return words.path(self._folder / self._names[FORMS[self._place][0]])

    def _suggest(self, own: str | None = None) -> None:
        names = [name for _, name in FORMS]
        self.query_one(".forms", Static).update(choice_words(names, names[self._place]))
        field = self.query_one(Input)
        suffix = Path(self._names[FORMS[self._place][0]]).suffix
        field.value = self._suggested() if own is None else str(Path(own).with_suffix(suffix)) if own.strip() else ""
        field.cursor_position = len(field.value)

    @on(Input.Changed)
    def _calm(self) -> None:
        self._replacing = ""
        self.query_one(".wrong", Static).update("")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        written = event.value.strip()
        path = Path(written).expanduser() if written else None
        wrong = _wrong(path)
        if not wrong and path is not None and path.exists() and self._replacing != written:
            self._replacing = written
            wrong = "There is such a file already. Enter again replaces it."
        if wrong:
            self.query_one(".wrong", Static).update(Content(wrong))
        elif path is not None:
            self.dismiss(Destination(FORMS[self._place][0], path))


def _wrong(path: Path | None) -> str:
    if path is None:
        return "Name a file."
    if path.is_dir():
        return "This is a folder. Name a file in it."
    if not path.parent.is_dir():
        return f"There is no folder {clean(str(path.parent))}."
    return ""
