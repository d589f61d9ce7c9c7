"""One question, several models, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from typing import ClassVar

import msgspec
from textual.binding import Binding, BindingType

from app.lab.lane import Lane
from app.lab.side_by_side import side_by_side
from app.messages import ChatRequest, Message, Sampling
from app.tui.model_desk import ModelDesk

from .lanes_screen import LanesScreen


class CompareScreen(LanesScreen[str]):
    """The answers, each with its figures. Its own answer is the model to go on with."""

    HELP = """\
Every model answers the same question. Those of this machine take turns, so that each is as fast as it is. **Tab** goes
from one to the next, **c** copies what it said, **Enter** goes on with it in the chat.
"""
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "use", "Use", id="lab.use")]

    def __init__(
        self,
        desk: ModelDesk,
        question: str,
        models: Sequence[str],
        system: str = "",
        sampling: Sampling = Sampling(),  # noqa: B008 (immutable)
    ) -> None:
        super().__init__("Compare", question, models)
        self._desk = desk
        said = (Message.system(system),) if system else ()
        self._request = ChatRequest(model="", messages=(*said, Message.user(question)), sampling=sampling)

    async def run_lanes(self) -> None:
        """See ``LanesScreen``."""
        lanes = {Lane(model, self._desk.cost): view for model, view in self.views.items()}
        for lane, view in lanes.items():
            view.begin(lane)
        asked = [(lane, msgspec.structs.replace(self._request, model=lane.model)) for lane in lanes]
        async with aclosing(side_by_side(self._desk.router, asked)) as changes:
            async for lane in changes:
                lanes[lane].follow()

    def keys(self) -> list[tuple[str, str]]:
        """See ``LanesScreen``."""
        return [("⏎", "go on with this one")]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """One is chosen once all have answered."""
        return not (action == "use" and self.running)

    def action_use(self) -> None:
        """Goes on with the chosen model."""
        view = self.chosen
        if view is not None:
            self.dismiss(view.model)
