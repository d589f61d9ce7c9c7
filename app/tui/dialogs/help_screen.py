"""Help for the part of the screen that has the focus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Markdown, Static

from app.tui.key_line import KeyLine

from .dialog import Dialog


class HelpScreen(Dialog[None]):
    """What the focused part is for, and every key that works in it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1,question_mark,q", "leave", "Close", show=False, id="help.leave"),
    ]

    def __init__(self, texts: Sequence[str], keys: Sequence[KeyLine]) -> None:
        """``texts``: Markdown, nearest part first. ``keys``: in the order in which they are shown."""
        super().__init__()
        self._texts = texts
        self._keys = keys

    def compose(self) -> ComposeResult:
        """The keys, which one looks for most often, and below them what the part is for."""
        with Vertical(classes="dialog"):
            yield Static(Content("Help"), classes="title")
            with VerticalScroll():
                yield Static(self._table())
                yield Markdown("\n\n".join(self._texts), open_links=False)
                yield Static(Content.styled(_MOVING, "$text-muted"))
            yield Static(
                Content.assemble(("esc", "bold $primary"), " close    ", ("↑↓", "bold $primary"), " scroll"),
                classes="hint",
            )

    def _table(self) -> Content:
        keys = {line.name: _keys(line.displays) for line in self._keys}
        width = max(map(len, keys.values()), default=0)
        lines: list[Content] = []
        for title, everywhere in (("Here", False), ("Everywhere", True)):
            group = sorted(
                (line for line in self._keys if line.everywhere is everywhere), key=lambda line: not line.now
            )
            if group:
                lines.append(Content.styled(title, "bold $foreground"))
            for line in group:
                colours = ("bold $primary", "$foreground") if line.now else ("$text-disabled", "$text-disabled")
                lines.append(
                    Content.assemble(
                        (f"  {keys[line.name]:<{width}}", colours[0]),
                        (f"   {line.description:<24}", colours[1]),
                        (line.name, "$text-disabled"),
                    )
                )
            lines.append(Content(""))
        return Content("\n").join(lines)


_MOVING = (
    "Faint keys have nothing to do just now. Every key can be moved: the names on the right go under [tui.keys] in the"
    " settings."
)

_MOST_KEYS = 2
"""Keys shown of those that do the same."""


def _keys(displays: Sequence[str]) -> str:
    return ", ".join(displays[:_MOST_KEYS])
