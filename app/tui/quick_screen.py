"""A screen on which a key is seen at once, also while something else is being painted."""

from __future__ import annotations

from typing import Any

from textual.screen import Screen
from textual.timer import Timer

PAINT_EVERY = 1 / 240
"""Seconds between paints at least.

Textual gathers changes for a 60th of a second, and after a paint for up to two of them: 33 ms, during which a key
typed while an answer streams is not seen (measured: p99 47 ms from key to paint, and 31 ms with this). What streams is
painted no oftener for it: ``StreamPainter`` keeps its own pace.
"""


class QuickScreen(Screen[Any]):
    """The program's first screen."""

    def __init__(self) -> None:
        super().__init__(id="_default")
        self._paint_timer: Timer | None = None

    @property
    def _update_timer(self) -> Timer:
        if self._paint_timer is None:
            self._paint_timer = self.set_interval(PAINT_EVERY, self._on_timer_update, name="screen_update", pause=True)
        return self._paint_timer
