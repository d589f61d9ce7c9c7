"""A program for the tests: shows hostile text in kinds of widget, one after another, in the terminal it is started in.

Usage: hostile_text.py SEED net|bare|harmless KIND=STRINGS...

Each string ends with a mark of its own, by which the test knows that the terminal really got it. After each kind
stands ``END`` with its name.
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass

from textual.app import App, ComposeResult
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import (
    Collapsible,
    DataTable,
    Header,
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
from textual.widgets._tooltip import Tooltip

from app.privacy.terminal import clean
from app.tui.face import Face

PAYLOADS = (
    "\x1b]52;c;aGVsbG8=\x07", "\x1b]52;c;aGVsbG8=\x1b\\", "\x1b]0;title\x07", "\x1b]2;title\x1b\\", "\x1b[2J", "\x1bc",
    "\x1b[?1049l", "\x1b[?1049h", "\x1b[3J", "\x1b[777;77H", "\x1b[5;55;5m", "\x1b[6n", "\x1b[c", "\x1bP1;2|x\x1b\\",
    "\x1b_Gf=100;AAAA\x1b\\", "\x1b^x\x1b\\", "\x1bX", "\x9b2J", "\x9d52;c;aGVsbG8=\x9c", "\x90q\x9c", "\x84", "\x85",
    "\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\", "\x1b(0", "\x0e", "\x0f", "\x08\x08", "\x7f", "\x07", "\x0b",
    "\x0c", "\r", "\t", "\u202e", "\u2066", "\u2069", "\u200f", "\u2028", "\u2029", "\U000e0041", "\x00", "\x1b",
    "\x9b", "\ufeff", "\udc9b",
)  # fmt: skip
HARMLESS = ("plain ", "wörter ", "日本 ", "👍 ", "**bold** ", "`code` ", "[link](http://x) ", "_a_ ", "$x$ ")
NOISE = (*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), *"\u202a\u202e\u2067[]?;0152mHJKlhc\\")
ENOUGH_CELLS = 500
"""Width of the terminal; ``ON_A_LINE`` strings are narrower than this together."""
ON_A_LINE = 4
END = "=== {} ==="
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
"""They cut marks in two where a word is highlighted."""
FEW = 35
"""Lines for widgets to which other controls end lines too: there must be room for all."""


@dataclass
class Source:
    """Strings without end, numbered."""

    chance: random.Random
    harmless: bool
    count: int = 0

    def one(self) -> str:
        """A payload whole, noise, and a payload that a word cuts in two; then the mark."""
        word, other = self.chance.choice(HARMLESS), self.chance.choice(HARMLESS)
        self.count += 1
        mark = f" q{self.count:06d}q "
        if self.harmless:
            return word + other + mark
        payload, noise = self.chance.choice(PAYLOADS), self.chance.choices(NOISE, k=self.chance.randint(0, 5))
        cut = self.chance.randint(0, len(payload))
        # In one widget a line is one line: newlines are harmless and would only move the rest out of sight.
        return (payload + word + payload[:cut] + other + payload[cut:] + "".join(noise) + mark).replace("\n", "")

    def line(self, strings: int = ON_A_LINE) -> str:
        """Several strings."""
        return "".join(self.one() for _ in range(strings))

    def lines(self, count: int, strings: int = ON_A_LINE) -> list[str]:
        """Several lines."""
        return [self.line(strings) for _ in range(count)]

    def labels(self, count: int, strings: int = ON_A_LINE) -> list[str]:
        """Lines for widgets that read markup in square brackets."""
        return [line.replace("[", "(") for line in self.lines(count, strings)]


def _titled(source: Source) -> Widget:
    widget = Static("", markup=False)
    widget.styles.border = ("round", "white")
    widget.border_title, widget.border_subtitle = source.labels(2)
    return widget


def _table(source: Source) -> Widget:
    table: DataTable[str] = DataTable()
    table.add_columns(*source.labels(3, 1))
    for _ in range(100):
        table.add_row(*source.labels(3, 1))
    return table


def _tree(source: Source) -> Widget:
    tree: Tree[None] = Tree(source.labels(1)[0])
    for line in source.labels(100):
        tree.root.add_leaf(line)
    tree.root.expand()
    return tree


def _rich_log(source: Source) -> Widget:
    log = RichLog(min_width=ENOUGH_CELLS)
    for line in source.lines(100):
        log.write(line)
    return log


def _log(source: Source) -> Widget:
    log = Log()
    log.write_lines(source.lines(FEW))
    return log


def _markdown_table(source: Source) -> str:
    rows = (
        f"| {clean(source.line(1)).replace('|', '/')} | {clean(source.line(1)).replace('|', '/')} |" for _ in "x" * 30
    )
    return "| a | b |\n| --- | --- |\n" + "\n".join(rows)


MAKERS: dict[str, Callable[[Source], Widget]] = {
    "static": lambda source: Static("\n".join(source.lines(100)), markup=False),
    "label": lambda source: Label("\n".join(source.lines(100)), markup=False),
    # Cleaned before, as the panes do: on raw line separators Textual's own Markdown fails with an exception.
    "markdown": lambda source: Markdown("\n\n".join(map(clean, source.lines(50)))),
    "list-markdown": lambda source: Markdown("\n".join(f"- {clean(line)}" for line in source.lines(90))),
    "table-markdown": lambda source: Markdown(_markdown_table(source)),
    "code": lambda source: Markdown("```python\n" + clean("\n".join(source.lines(90))) + "\n```"),
    "textarea": lambda source: TextArea("\n".join(source.lines(FEW)), soft_wrap=False),
    "input": lambda source: Container(
        *(Input(line, compact=True, select_on_focus=False) for line in source.lines(100))
    ),
    "options": lambda source: OptionList(*source.labels(100), markup=False),
    "list": lambda source: ListView(*(ListItem(Label(line, markup=False)) for line in source.lines(100))),
    "collapsible": lambda source: Container(
        *(
            Collapsible(Static(line, markup=False), title=title, collapsed=False)
            for line, title in zip(source.lines(20), source.labels(20), strict=True)
        )
    ),
    "title": lambda source: Container(*(_titled(source) for _ in range(30))),
    "table": _table,
    "tree": _tree,
    "richlog": _rich_log,
    "log": _log,
    "tooltip": lambda source: Tooltip("\n".join(source.lines(100)), markup=False),
    "header": lambda source: Header(),
    "toast": lambda source: Static(""),
}


def crash(source: Source) -> Widget:
    """What happens when a part of the program chokes on what a model said."""
    said = "a secret of the conversation"
    raise ValueError(f"{PAYLOADS[0]} after {len(said)} characters")


class Shown:
    """What both applications do: one screenful after another, then out."""

    CSS = """
    #place { width: 100%; height: 100%; overflow: hidden; }
    #place * { max-height: 100h; }
    #place Tooltip { max-width: 100%; width: 100%; display: block; offset: 0 0; }
    .title Static { height: 2; }
    """
    kind: str
    source: Source
    strings: int

    def compose(self) -> ComposeResult:
        yield Container(id="place")

    async def on_mount(self) -> None:
        self._written: list[str] = []
        driver = self._driver  # type: ignore[attr-defined]
        write = driver.write

        def noted(data: str) -> None:
            self._written.append(data)
            write(data)

        driver.write = noted
        self.run_worker(self._show())  # type: ignore[attr-defined]

    async def _show(self) -> None:
        place = self.query_one("#place")  # type: ignore[attr-defined]
        place.add_class(self.kind)
        while self.source.count < self.strings:
            widget = MAKERS.get(self.kind, crash)(self.source)
            await place.mount(widget)
            if self.kind == "header":
                self.title, self.sub_title = self.source.labels(2, 1)  # type: ignore[attr-defined]
            if self.kind == "toast":
                for line in self.source.lines(20, 1):
                    self.notify(line, title=self.source.line(1).replace("[", "("), markup=False)  # type: ignore[attr-defined]
            await self._painted()
            await widget.remove()
            self.clear_notifications()  # type: ignore[attr-defined]
        self.exit()  # type: ignore[attr-defined]

    async def _painted(self) -> None:
        """Waits until the last string has been written, or it is cut at an edge and nothing more comes.

        The test counts what never came.
        """
        last = f"q{self.source.count:06d}q"
        seen, quiet = "", 0
        while last not in seen and quiet < 200:
            await asyncio.sleep(0.005)
            quiet = 0 if self._written else quiet + 1
            seen = seen[-len(last) :] + COLOURS.sub("", "".join(self._written))
            self._written.clear()


class Guarded(Shown, Face):
    """With the net."""


class Bare(Shown, App[None]):
    """Without it: shows that the test would see what gets through."""


def main(seed: int, mode: str, kinds: list[str]) -> int:
    """Runs an application for each kind; the first return code that is an error."""
    for kind, strings in (kind.split("=") for kind in kinds):
        app = Bare() if mode == "bare" else Guarded()
        app.kind, app.strings = kind, int(strings)
        app.source = Source(random.Random(seed), mode == "harmless")
        app.run()
        if app.return_code:
            return app.return_code
        print(END.format(kind), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
