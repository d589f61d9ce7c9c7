"""One question to several models in the interface: choosing, comparing, debating."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from textual.widgets import Input, OptionList

from app.errors import EngineError
from app.lab import lane
from app.messages import Finished, Started, TextDelta, Timings, Usage
from app.tui.chat.pane import ChatPane
from app.tui.lab.compare_screen import CompareScreen
from app.tui.lab.debate_screen import DebateScreen
from app.tui.lab.lane_view import LaneView
from app.tui.lab.question_dialog import QuestionDialog

from .conftest import until
from .elsewhere import LINES
from .scripted import ScriptedRouter, Store
from .test_screens import still

SAYS = {
    "smollm2-135m": "Red, green and **blue**.\n\n- Red is warm.\n- Blue is cold.",
    "qwen3-4b": "Ochre, teal, plum.",
    "gpt-5-mini": "Vermilion, viridian and cobalt: three that painters know.",
}


class Models(ScriptedRouter):
    """Each model says its own."""

    def __init__(self, says: dict[str, Any] = SAYS, **more: Any) -> None:
        super().__init__((), **more)
        self._says = says

    async def stream(self, request: Any) -> Any:
        self.requests.append(request)
        yield Started(request.model, "scripted")
        said = self._says[request.model]
        if isinstance(said, EngineError):
            raise said
        yield TextDelta(said)
        yield Finished("stop", Usage(30, 24), Timings(0.0, 0.1, 0.5))


@pytest.fixture(autouse=True)
def clock_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "time", SimpleNamespace(monotonic=lambda: 0.0))


@pytest.fixture
def two(make_app: Any) -> Any:
    def make(says: dict[str, Any] = SAYS, **more: Any) -> Any:
        return make_app(Models(says, **more), store=Store({"smollm2-135m", "qwen3-4b"}))

    return make


async def asked(pilot: Any, command: str) -> None:
    """The dialog is open, and both models of this machine are marked."""
    still(pilot.app)
    chat = pilot.app.query_one(ChatPane)
    await until(lambda: chat.keeper is not None)
    chat.parts.composer.put(f"/{command} Name three colours.")
    await pilot.press("enter")
    await until(lambda: isinstance(pilot.app.screen, QuestionDialog))
    await pilot.press("tab")
    await until(lambda: pilot.app.focused is pilot.app.screen.query_one(OptionList))
    await pilot.press("down", "space")


async def over(pilot: Any, screen: type) -> None:
    await pilot.press("enter")
    await until(lambda: isinstance(pilot.app.screen, screen))
    await until(lambda: not pilot.app.screen.running)
    await pilot.pause()


async def test_nobody_is_asked_before_there_are_a_question_and_two_models(two: Any) -> None:
    app = two()
    async with app.run_test() as pilot:
        await asked(pilot, "compare")
        await pilot.press("space", "enter")
        assert isinstance(app.screen, QuestionDialog)
        app.screen.query_one(Input).value = " "
        await pilot.press("space", "enter")
        assert isinstance(app.screen, QuestionDialog) and not app._playground.router.requests
        await pilot.press("escape")
        assert app.screen is app.screen_stack[0]


async def test_what_each_says_can_be_copied_and_one_is_gone_on_with(two: Any) -> None:
    app = two({**SAYS, "smollm2-135m": EngineError("It fell over.")})
    async with app.run_test(size=(100, 30)) as pilot:
        await asked(pilot, "compare")
        await over(pilot, CompareScreen)
        failed, well = app.screen.query(LaneView)
        assert "It fell over." in str(failed.query_one(".wrong").render())
        assert well.text == SAYS["qwen3-4b"]
        await pilot.press("tab", "c")
        assert app.clipboard == SAYS["qwen3-4b"]
        await pilot.press("enter")
        await until(lambda: app.query_one(ChatPane).parts.model.name == "qwen3-4b")
    assert [request.messages[-1].text for request in app._playground.router.requests] == ["Name three colours."] * 2


async def test_a_debate_is_kept_and_opens_as_a_chat(two: Any) -> None:
    app = two()
    async with app.run_test(size=(100, 30)) as pilot:
        await asked(pilot, "debate")
        await over(pilot, DebateScreen)
        await pilot.press("enter")
        chat = app.query_one(ChatPane)
        await until(lambda: len(chat.conversation.path()) == 14)
        assert chat.conversation.path()[0].message.text.startswith("Name three colours.")
        assert [node.model for node in chat.conversation.path()[1::2]] == ["smollm2-135m", "qwen3-4b"] * 3 + [
            "smollm2-135m"
        ]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
def test_three_side_by_side(two: Any, snap_compare: Any, size: tuple[int, int]) -> None:
    async def run(pilot: Any) -> None:
        await asked(pilot, "compare")
        await until(lambda: pilot.app.screen.query_one(OptionList).option_count > 3)
        await pilot.press("down", "space")
        await over(pilot, CompareScreen)

    assert snap_compare(two(lines=LINES), terminal_size=size, run_before=run)
