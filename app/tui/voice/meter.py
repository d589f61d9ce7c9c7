"""The line that is there while one speaks: how loud it is, and what is being said."""

from __future__ import annotations

import math
from collections import deque

from msgspec import Struct
from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from app.privacy.terminal import clean
from app.tui.words import bar

_CELLS = 12
_QUIETEST = -54.0
"""Decibels below full scale at which the meter is empty."""


class Speaking(Struct, frozen=True, kw_only=True):
    """What the line says.

    Attributes:
        state: what is going on, while nothing is being said.
        level: how loud it is: root mean square, 0 to 1.
        speaking: whether somebody speaks.
        partial: what is being said.
    """

    state: str = ""
    level: float = 0.0
    speaking: bool = False
    partial: str = ""


class Meter(Widget):
    """One line above the keys."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Meter { dock: bottom; height: 1; width: 1fr; padding: 0 1; background: $surface; color: $text-muted; }
    """

    said: reactive[Speaking] = reactive(Speaking())

    def __init__(self, stop_key: str) -> None:
        super().__init__(id="meter")
        self._stop_key = stop_key
        self._peaks: deque[float] = deque(maxlen=5)

    def watch_said(self, said: Speaking) -> None:
        """The meter falls slower than it rises, so that it can be read."""
        self._peaks.append(loudness(said.level))

    def render(self) -> Content:
        """Dot, meter, words, key."""
        said, width = self.said, self.content_size.width
        height = max(self._peaks, default=0.0)
        dot = ("● ", "$error" if said.speaking else "$text-muted")
        level = (bar(height, _CELLS), f"{'$warning' if height > 0.92 else '$success'} on $panel")
        end = [(f"  {self._stop_key}", "bold $primary"), (" stops", "$text-muted")]
        room = width - 2 - _CELLS - 2 - sum(cell_len(text) for text, _ in end)
        words = clean(said.partial or said.state).replace("\n", " ")
        shown = _tail(words, room)
        return Content.assemble(
            dot,
            level,
            ("  ", ""),
            (shown, "italic $foreground" if said.partial else "$text-muted"),
            (" " * max(0, room - cell_len(shown)), ""),
            *end,
        )


def loudness(rms: float) -> float:
    """How full the meter is, 0 to 1: loudness is heard by its logarithm."""
    if rms <= 0:
        return 0.0
    return max(0.0, min(1.0, 1 - 20 * math.log10(min(rms, 1.0)) / _QUIETEST))


def _tail(words: str, room: int) -> str:
    """The end of what was said: its beginning was read already."""
    if cell_len(words) <= room:
        return words
    while words and cell_len(words) > room - 1:
        words = words[max(1, (cell_len(words) - room) // 2) :]
    return f"…{words}"
