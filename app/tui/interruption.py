"""Ctrl+C, the same everywhere: marked text is copied, what is open or under way is left, twice leaves the program."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from textual.app import App

_LEAVING = frozenset(
    {
        "chat.close_commands",
        "chat.leave_rewriting",
        "chat.stop",
        "recalled.leave",
        "sessions.search_clear",
        "sessions.leave_search",
        "blog.all",
        "find.leave",
        "requests.all",
        "models.cancel",
    }
)
"""The names of the keys that end something: where one of them would do something now, Ctrl+C does the same.

A post that is written on is not among them: Ctrl+C there is mostly meant to copy, and finds nothing marked.
"""

_AGAIN_WITHIN = 2.0
"""Seconds within which the second Ctrl+C leaves the program."""


@dataclass(frozen=True)
class UnderWay:
    """Something that goes on whatever part has the keys.

    Attributes:
        runs: whether it goes on now.
        end: ends it.
    """

    runs: Callable[[], bool]
    end: Callable[[], Awaitable[None]]


class Interruption:
    """Knows what Ctrl+C ends. Texts and dialogs have the key themselves: those copy, these are left by it.

    Args:
        app: whose keys are looked through, and which is left.
        under_way: what else can be ended, the first that runs before the others.

    Attributes:
        asked: whether the program is left by the next one.
    """

    def __init__(self, app: App[Any], under_way: Sequence[UnderWay]) -> None:
        self._app, self._under_way = app, under_way
        self.asked = False

    async def handle(self) -> None:
        """Ends what is under way, nearest to the keys first; where nothing is, twice leaves."""
        for active in self._app.screen.active_bindings.values():
            if active.enabled and active.binding.id in _LEAVING:
                await self._app.run_action(active.binding.action, active.node)
                return
        running = next((work for work in self._under_way if work.runs()), None)
        if running is not None:
            await running.end()
        elif self.asked:
            self._app.exit()
        else:
            self.asked = True
            self._app.notify("Once more to leave.", timeout=_AGAIN_WITHIN)
            self._app.set_timer(_AGAIN_WITHIN, self._forget)

    def _forget(self) -> None:
        self.asked = False
