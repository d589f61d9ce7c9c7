"""Help for the part of the screen that has the focus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Markdown, Static

from .dialog import Dialog


class HelpScreen(Dialog[None]):
    """What the focused part is for, and every key that works in it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1,question_mark,q", "leave", "Close", show=False, id="help.leave"),
    ]

    def __init__(self, texts: Sequence[str], keys: Sequence[tuple[str, str, str]]) -> None:
        """``texts``: Markdown, nearest part first. ``keys``: display, description, id of each."""
        super().__init__()
        self._texts = texts
        self._keys = keys

    def compose(self) -> ComposeResult:
        """Text above, keys below."""
        with Vertical(classes="dialog"):
            yield Static(Content("Help"), classes="title")
            with VerticalScroll():
                yield Markdown("\n\n".join(self._texts), open_links=False)
                yield Static(self._table())
            yield Static(
                Content.assemble(("esc", "bold $primary"), " close    ", ("↑↓", "bold $primary"), " scroll"),
                classes="hint",
            )

    def _table(self) -> Content:
        width = max((len(display) for display, _, _ in self._keys), default=0)
        lines = [
            Content.assemble(
                (f"{display:>{width}}", "bold $primary"), f"  {description:<26}", (binding_id, "$text-disabled")
            )
            for display, description, binding_id in self._keys
        ]
        moved = Content.styled(
            "Every key can be moved: the names on the right go under [tui.keys] in the settings.", "$text-muted"
        )
        return Content("\n").join([*lines, Content(""), moved])
