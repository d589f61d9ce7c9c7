"""Models that argue a question, and a judge who sums up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from app.lab.debate import Debate, Part, Turn

from .lane_view import LaneView
from .lanes_screen import LanesScreen

_HEADINGS: dict[Part, str] = {
    "opening": "Opening",
    "criticism": "On the others",
    "position": "In the end",
    "judgement": "The judge",
}

Keep = Callable[[Debate], Awaitable[str | None]]
"""Keeps what was said; gives the session's id, or ``None`` where nothing is kept."""


class DebateScreen(LanesScreen[str]):
    """The debate as it goes on. Its answer is the session of the transcript, to be opened."""

    HELP = """\
Each model states its case, says what it thinks of the others, and where it stands in the end; the first one sums up.
What was said is kept among the sessions, also when you leave early. **Enter** opens it, and you can go on asking.
"""
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "open", "Open", id="lab.open")]

    def __init__(self, debate: Debate, keep: Keep) -> None:
        super().__init__("Debate", debate.question, debate.models)
        self._debate, self._keep = debate, keep
        self._judge = LaneView(debate.judge)
        self._kept: str | None = None

    def below(self) -> ComposeResult:
        """The judge, once there is something to judge."""
        self._judge.add_class("-judge")
        self._judge.display = False
        yield self._judge

    async def run_lanes(self) -> None:
        """See ``LanesScreen``."""
        shown: set[Turn] = set()
        try:
            async with aclosing(self._debate.run()) as turns:
                async for turn in turns:
                    view = self._judge if turn.part == "judgement" else self.views[turn.model]
                    if turn not in shown:
                        shown.add(turn)
                        view.display = True
                        view.begin(turn.lane, _HEADINGS[turn.part])
                    view.follow()
        finally:
            if self._debate.turns:
                self._kept = await self._keep(self._debate)

    def keys(self) -> list[tuple[str, str]]:
        """See ``LanesScreen``."""
        return [("⏎", "open it as a chat")] if self._kept else []

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing is opened that was not kept."""
        return not (action == "open" and (self.running or self._kept is None))

    def action_open(self) -> None:
        """Opens the transcript."""
        self.dismiss(self._kept)
