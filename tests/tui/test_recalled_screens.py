"""What memory recalled above an answer, as pictures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from app.messages import Message
from app.tui.app import PlaygroundApp
from app.tui.bars.status import StatusBar
from app.tui.chat.pane import ChatPane
from app.tui.chat.transcript import Transcript

from .conftest import until
from .test_recalled import passage as told
from .test_screens import READY, still

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
Step = Callable[[Pilot[Any]], Awaitable[None]]
DOG = told("We called the puppy Bella, after my grandmother.", "A new puppy", "m1")
VET = told(
    "Then the vet is the one in Harbour Street, who also knows how to calm an old cat down. Ask for the first "
    "appointment of the day, for the waiting room is empty then, and take the blanket along that she sleeps on.",
    "Which vet for a puppy?",
    "m2",
    role="assistant",
)


pytestmark = pytest.mark.usefixtures("utc")


@pytest.fixture
def picture(snap_compare: Any, make_app: Callable[..., PlaygroundApp]) -> Callable[..., None]:
    def compare(size: tuple[int, int], *steps: Step, theme: str = "playground-dark") -> None:
        app = make_app(theme=theme)

        async def run(pilot: Pilot[Any]) -> None:
            still(app)
            pane, transcript = app.query_one(ChatPane), app.query_one(Transcript)
            await until(lambda: pane.keeper is not None)
            pane.conversation.append(Message.user("What is my dog called?"))
            node = pane.conversation.append(Message.assistant("Your dog is called **Bella**."), model="smollm2-135m")
            pane.parts.scene.arrange()
            await transcript.show()
            await transcript.show_recalled(node.id, (DOG, VET))
            app.query_one(StatusBar).status = READY
            await pilot.pause()
            for step in steps:
                await step(pilot)
            app.clear_notifications()
            await pilot.pause(0.1)

        assert snap_compare(app, terminal_size=size, run_before=run)

    return compare


def press(*keys: str) -> Step:
    async def step(pilot: Pilot[Any]) -> None:
        await pilot.press(*keys)
        await pilot.pause(0.1)

    return step


@SIZES
def test_folded(picture: Any, size: Any) -> None:
    picture(size)


@SIZES
def test_focused(picture: Any, size: Any) -> None:
    picture(size, press("alt+m", "down"))


@pytest.mark.parametrize("theme", ["light", "high-contrast", "terminal"])
def test_focused_in_other_themes(picture: Any, theme: str) -> None:
    picture((80, 24), press("alt+m"), theme=f"playground-{theme}")


@SIZES
def test_forgotten(picture: Any, size: Any) -> None:
    async def forgotten(pilot: Pilot[Any]) -> None:
        await pilot.press("alt+m", "f")
        await until(lambda: pilot.app.query(".passage.-forgotten"))

    picture(size, forgotten)


@SIZES
def test_help(picture: Any, size: Any) -> None:
    picture(size, press("alt+m"), press("f1"))
