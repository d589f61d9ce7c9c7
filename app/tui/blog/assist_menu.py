"""What a model can do for a post, and how."""

from __future__ import annotations

from typing import ClassVar, Literal, get_args

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Input, OptionList, Static

from app.tui.dialogs.dialog import Dialog
from app.tui.dialogs.dialog_lines import choice_words, key_line
from app.writing.assists import ASSISTS, AssistKind, Options

Length = Literal["shorter", "same", "longer"]
_LENGTH_WORDS: dict[Length, str] = {"shorter": "shorter", "same": "as long", "longer": "longer"}


class AssistMenu(Dialog[AssistKind]):
    """The assists, one a line."""

    CSS_PATH: ClassVar[CSSPathType | None] = ["../dialogs/dialogs.tcss", "dialogs.tcss"]
    AUTO_FOCUS = "OptionList"

    def __init__(self, about: str) -> None:
        """``about``: what they are done to, and by whom."""
        super().__init__()
        self._about = about

    def compose(self) -> ComposeResult:
        """The list."""
        with Vertical(classes="dialog"):
            yield Static(Content("Help with writing"), classes="title")
            width = max(len(assist.title) for assist in ASSISTS.values()) + 2
            yield OptionList(
                *(
                    Content.assemble((f"{assist.title:<{width}}", "$foreground"), (assist.hint, "$text-muted"))
                    for assist in ASSISTS.values()
                ),
                compact=True,
            )
            yield Static(Content(self._about), classes="about")
            yield key_line(("⏎", "ask"), ("↑↓", "move"), ("esc", "leave"))

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(list(ASSISTS)[event.option_index])


class OptionsDialog(Dialog[Options]):
    """A tone and a length to rewrite in, or a language to translate into."""

    CSS_PATH: ClassVar[CSSPathType | None] = ["../dialogs/dialogs.tcss", "dialogs.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "turn(-1)", "Length", show=False, priority=True, id="options.shorter"),
        Binding("down,tab", "turn(1)", "Length", show=False, priority=True, id="options.longer"),
    ]

    def __init__(self, kind: AssistKind) -> None:
        super().__init__()
        self._kind = kind
        self._place = 1

    def compose(self) -> ComposeResult:
        """The field, and for rewriting the lengths."""
        rewriting = self._kind == "rewrite"
        with Vertical(classes="dialog"):
            yield Static(Content("In which tone?" if rewriting else "Into which language?"), classes="title")
            placeholder = "plain and warm; nothing: clearer and livelier" if rewriting else "Portuguese"
            yield Input("" if rewriting else "German", placeholder=placeholder, compact=True)
            if rewriting:
                yield Static(classes="forms")
            length = [("↑↓", "length")] if rewriting else []
            yield key_line(("⏎", "ask"), *length, ("esc", "leave"))

    def on_mount(self) -> None:
        """Shows the length."""
        self._show()

    def action_turn(self, step: int) -> None:
        """Another length."""
        self._place = (self._place + step) % len(_LENGTH_WORDS)
        self._show()

    def _show(self) -> None:
        for line in self.query(".forms").results(Static):
            names = list(_LENGTH_WORDS.values())
            line.update(choice_words(names, names[self._place]))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        written = " ".join(event.value.split())[:80]
        if self._kind == "rewrite":
            length: Length = get_args(Length)[self._place]
            self.dismiss(Options(tone=written, length=length))
        else:
            self.dismiss(Options(language=written or "German"))
