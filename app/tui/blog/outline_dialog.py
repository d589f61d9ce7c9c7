"""The headings of a post, to jump to."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import OptionList, Static

from app.privacy.terminal import clean
from app.tui.dialogs.dialog import Dialog
from app.tui.dialogs.dialog_lines import key_line

from .editor import PostEditor

if TYPE_CHECKING:
    from app.tui.surroundings import Surroundings
    from app.writing.outline import Heading


class OutlineDialog(Dialog[int]):
    """One heading a line, set in by its level. Its answer is the line of the chosen one."""

    CSS_PATH: ClassVar[CSSPathType | None] = ["../dialogs/dialogs.tcss", "dialogs.tcss"]
    AUTO_FOCUS = "OptionList"

    def __init__(self, headings: tuple[Heading, ...], line: int) -> None:
        """``line``: where the cursor is; the heading above it is marked first."""
        super().__init__()
        self._headings, self._line = headings, line

    def compose(self) -> ComposeResult:
        """The headings."""
        highest = min(heading.level for heading in self._headings)
        with Vertical(classes="dialog"):
            yield Static(Content("Outline"), classes="title")
            yield OptionList(
                *(
                    Content.assemble(
                        ("  " * (heading.level - highest), ""),
                        (clean(heading.title) or "no words", "bold" if heading.level == highest else ""),
                        (f"   {heading.line + 1}", "$text-disabled"),
                    )
                    for heading in self._headings
                ),
                compact=True,
            )
            yield key_line(("⏎", "go there"), ("↑↓", "move"), ("esc", "leave"))

    def on_mount(self) -> None:
        """Marks where one is."""
        above = [place for place, heading in enumerate(self._headings) if heading.line <= self._line]
        self.query_one(OptionList).highlighted = above[-1] if above else 0

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._headings[event.option_index].line)


def ask_for_heading(editor: PostEditor, around: Surroundings) -> None:
    """Asks to which heading of the text to go, and goes there."""
    from app.writing.outline import outline

    headings = outline(editor.text)
    if not headings:
        around.say("There is no heading yet. A line that begins with # is one.", seconds=3)
        return

    def chosen(line: int | None) -> None:
        if line is not None:
            editor.go_to_line(line)
            editor.focus()

    around.ask(OutlineDialog(headings, editor.cursor_location[0]), chosen)
