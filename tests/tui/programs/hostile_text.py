"""A program for the tests: shows hostile text in one kind of widget, in the terminal it is started in.

Usage: hostile_text.py KIND SEED STRINGS net|bare|harmless
"""

from __future__ import annotations

import asyncio
import random
import sys

from textual.app import App, ComposeResult
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import (
    Collapsible,
    DataTable,
    Input,
    Label,
    ListItem,
    ListView,
    Log,
    Markdown,
    OptionList,
    RichLog,
    Static,
    TextArea,
    Tree,
)

from app.privacy.terminal import clean
from app.tui.face import Face

ROWS = 120

PAYLOADS = (
    "\x1b]52;c;aGVsbG8=\x07", "\x1b]52;c;aGVsbG8=\x1b\\", "\x1b]0;title\x07", "\x1b]2;title\x1b\\", "\x1b[2J", "\x1bc",
    "\x1b[?1049l", "\x1b[?1049h", "\x1b[3J", "\x1b[777;77H", "\x1b[5;55;5m", "\x1b[6n", "\x1b[c", "\x1bP1;2|x\x1b\\",
    "\x1b_Gf=100;AAAA\x1b\\", "\x1b^x\x1b\\", "\x1bX", "\x9b2J", "\x9d52;c;aGVsbG8=\x9c", "\x90q\x9c", "\x84", "\x85",
    "\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\", "\x1b(0", "\x0e", "\x0f", "\x08\x08", "\x7f", "\x07", "\x0b",
    "\x0c", "\r", "\t", "\u202e", "\u2066", "\u2069", "\u200f", "\u2028", "\u2029", "\U000e0041", "\x00", "\x1b",
    "\x9b", "\ufeff",
)  # fmt: skip
HARMLESS = ("plain ", "wörter ", "日本 ", "👍 ", "**bold** ", "`code` ", "[link](http://x) ")


def hostile(chance: random.Random, harmless: bool) -> str:
    """One short line: payloads whole, cut in the middle, and mixed with harmless words."""
    parts = []
    for _ in range(chance.randint(1, 4)):
        payload = chance.choice(PAYLOADS)
        cut = chance.randint(0, len(payload))
        word = chance.choice(HARMLESS)
        parts += [word] if harmless else [payload, word, payload[:cut], word, payload[cut:]]
    return "".join(parts)


def widget_of(kind: str, lines: list[str]) -> Widget:
    """A widget of one kind that shows all the lines."""
    text = "\n".join(lines)
    match kind:
        case "static":
            return Static(text, markup=False)
        case "label":
            return Label(text, markup=False)
        case "markdown":
            # Cleaned before, as the panes do: on raw line separators Textual's own Markdown fails with an exception.
            return Markdown(clean("\n\n".join(lines[: ROWS // 2])))
        case "code":
            return Markdown("```python\n" + clean(text) + "\n```")
        case "textarea":
            return TextArea(text)
        case "input":
            return Container(*(Input(line, compact=True) for line in lines[:ROWS]))
        case "options":
            return OptionList(*(line.replace("[", "(") for line in lines), markup=False)
        case "list":
            return ListView(*(ListItem(Label(line, markup=False)) for line in lines))
        case "collapsible":
            return Container(
                *(Collapsible(Static(line, markup=False), title=line.replace("[", "(")) for line in lines[:40])
            )
        case "title":
            widget = Static(text, markup=False)
            widget.border_title = lines[0].replace("[", "(")
            widget.border_subtitle = lines[1].replace("[", "(")
            widget.styles.border = ("round", "white")
            return widget
        case "table":
            table: DataTable[str] = DataTable()
            table.add_columns(*(line.replace("[", "(") for line in lines[:3]))
            for index in range(3, len(lines) - 3, 3):
                table.add_row(*(line.replace("[", "(") for line in lines[index : index + 3]))
            return table
        case "tree":
            tree: Tree[None] = Tree(lines[0].replace("[", "("))
            for line in lines[1:]:
                tree.root.add_leaf(line.replace("[", "("))
            tree.root.expand()
            return tree
        case "richlog":
            return RichLog()
        case "log":
            return Log()
    raise ValueError(kind)


class Shown:
    """What both applications do: one screenful after another, then out."""

    kind: str
    seed: int
    strings: int
    harmless: bool

    def compose(self) -> ComposeResult:
        yield Container(id="place")

    async def on_mount(self) -> None:
        self.run_worker(self._show())  # type: ignore[attr-defined]

    async def _show(self) -> None:
        chance = random.Random(self.seed)
        place = self.query_one("#place")  # type: ignore[attr-defined]
        shown = 0
        while shown < self.strings:
            lines = [hostile(chance, self.harmless) for _ in range(ROWS)]
            widget = widget_of(self.kind, lines)
            await place.mount(widget)
            if isinstance(widget, RichLog | Log):
                for line in lines:
                    widget.write(line)
            if self.kind == "static" and shown == 0:
                self.notify(lines[0].replace("[", "("), title=lines[1], markup=False)  # type: ignore[attr-defined]
                self.title = lines[2]
            await asyncio.sleep(0.03)
            await widget.remove()
            shown += ROWS
        self.exit()  # type: ignore[attr-defined]


class Guarded(Shown, Face):
    """With the net."""


class Bare(Shown, App[None]):
    """Without it: shows that the test would see what gets through."""


if __name__ == "__main__":
    app = Bare() if sys.argv[4] == "bare" else Guarded()
    app.kind, app.seed, app.strings, app.harmless = (
        sys.argv[1],
        int(sys.argv[2]),
        int(sys.argv[3]),
        sys.argv[4] == "harmless",
    )
    app.run()
    sys.exit(app.return_code)
