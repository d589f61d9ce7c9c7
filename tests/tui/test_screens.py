"""Every screen, as a picture. After a wanted change: pytest tests/tui/test_screens.py --snapshot-update, and look."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Markdown

from app.errors import DownloadError, WorkerDiedError
from app.messages import Failure, Message, Started, TextDelta, ThinkingDelta, Timings, Usage, Waiting
from app.tui.app import PlaygroundApp
from app.tui.bars.status import Status, StatusBar
from app.tui.chat.composer import Composer
from app.tui.chat.pane import ChatPane
from app.tui.chat.transcript import Transcript

from .conftest import until
from .scripted import Progress, ScriptedRouter, Store

Make = Callable[..., PlaygroundApp]
SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
CODE = """\
Here is a **small** function:

```python
def add(a: int, b: int) -> int:
    return a + b
```

- `a`, a number
- `b`, another one
"""
READY = Status(model="smollm2-135m", state="ready", used=117, context=8192, speed=98.4, first_token=0.12, device="CPU")


def still(app: PlaygroundApp) -> None:
    app.animation_level = "none"
    app.query_one(Composer).cursor_blink = False


async def fetching(pilot: Pilot[Any]) -> None:
    """Waits until the status bar tells of the download too."""
    bar = pilot.app.query_one(StatusBar)
    await until(lambda: "fetching" in bar.status.note)
    await pilot.pause()


async def talk(pilot: Pilot[Any], error: Failure | None = None) -> None:
    app = pilot.app
    pane = app.query_one(ChatPane)
    pane.conversation.append(Message.user("Write a function that adds two numbers."))
    node = pane.conversation.append(Message.assistant("It begins" if error else CODE), model="smollm2-135m")
    pane.conversation.save(
        msgspec.structs.replace(
            node,
            status="failed" if error else "complete",
            error=error,
            usage=None if error else Usage(53, 64),
            timings=None if error else Timings(0, 0.12, 0.64),
            first_token=0.12,
        )
    )
    pane.parts.scene.arrange()
    await app.query_one(Transcript).show()
    await pilot.pause()
    app.query_one(StatusBar).status = READY
    await pilot.pause()


@pytest.fixture
def picture(snap_compare: Any) -> Callable[..., None]:
    def compare(app: PlaygroundApp, size: tuple[int, int], *steps: Callable[[Pilot[Any]], Awaitable[None]]) -> None:
        async def run(pilot: Pilot[Any]) -> None:
            still(app)
            await until(lambda: app.query_one(ChatPane).keeper is not None)
            await pilot.pause()
            for step in steps:
                await step(pilot)
            await pilot.pause()

        assert snap_compare(app, terminal_size=size, run_before=run)

    return compare


def press(*keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    async def step(pilot: Pilot[Any]) -> None:
        await pilot.press(*keys)
        await pilot.pause(0.2)

    return step


@SIZES
def test_empty(make_app: Make, picture: Any, size: Any) -> None:
    picture(make_app(local_only=True), size)


@SIZES
def test_conversation_with_code(make_app: Make, picture: Any, size: Any) -> None:
    picture(make_app(), size, talk)


@SIZES
@pytest.mark.parametrize("theme", ["light", "high-contrast", "terminal"])
def test_themes(make_app: Make, picture: Any, size: Any, theme: str) -> None:
    picture(make_app(theme=f"playground-{theme}"), size, talk)


@SIZES
@pytest.mark.parametrize("step", [0, -1], ids=["newest", "walked-back"])
def test_branches(make_app: Make, picture: Any, size: Any, step: int) -> None:
    async def branched(pilot: Pilot[Any]) -> None:
        pane = pilot.app.query_one(ChatPane)
        conversation = pane.conversation
        question = conversation.append(Message.user("Name a colour."))
        conversation.append(Message.assistant("Red."), model="smollm2-135m")
        conversation.append(Message.user("Why that one?"))
        conversation.append(Message.assistant("It is warm."), model="smollm2-135m")
        conversation.branch(question.id, Message.assistant("Blue."), model="smollm2-135m")
        conversation.branch(None, Message.user("Name a bird."))
        conversation.append(Message.assistant("A wren."), model="smollm2-135m")
        pane.parts.scene.arrange()
        await pilot.app.query_one(Transcript).show()
        await pilot.pause()
        if step:
            await pane.action_version(step)
            await pilot.pause()
        pilot.app.query_one(StatusBar).status = READY

    picture(make_app(), size, branched)


@SIZES
def test_compact(make_app: Make, picture: Any, size: Any) -> None:
    picture(make_app(density="compact"), size, talk)


@SIZES
def test_streaming(make_app: Make, picture: Any, size: Any) -> None:
    start = Started("smollm2-135m", "local", prompt_tokens=31, context=8192)
    thinking = ThinkingDelta("They want a sum.")
    app = make_app(ScriptedRouter([start, thinking, TextDelta("The first thing to"), asyncio.Event()]))

    async def ask(pilot: Pilot[Any]) -> None:
        pilot.app.query_one(Composer).put("Go on")
        await pilot.press("enter")
        await until(lambda: any("first thing" in view.source for view in pilot.app.query(Markdown)))
        await pilot.pause(0.3)
        pilot.app.query_one(StatusBar).status = msgspec.structs.replace(READY, state="answering")

    picture(app, size, ask)


@SIZES
def test_loading(make_app: Make, picture: Any, size: Any) -> None:
    app = make_app(ScriptedRouter([Waiting("loading", 43, 100), asyncio.Event()]))

    async def ask(pilot: Pilot[Any]) -> None:
        pilot.app.query_one(Composer).put("Go on")
        await pilot.press("enter")
        await pilot.pause(0.4)

    picture(app, size, ask)


@SIZES
def test_error(make_app: Make, picture: Any, size: Any) -> None:
    error = Failure.of(
        WorkerDiedError("The worker of smollm2-135m ended with signal 9.", "Ask again: a fresh one starts.")
    )
    picture(make_app(), size, lambda pilot: talk(pilot, error))


@SIZES
def test_download(make_app: Make, picture: Any, size: Any) -> None:
    half = Progress("downloading", 51_000_000, 98_362_432, 12_300_000.0, 4.0)
    picture(make_app(store=Store(set(), [half], asyncio.Event())), size, fetching)


@SIZES
def test_download_failed(make_app: Make, picture: Any, size: Any) -> None:
    error = DownloadError("The connection was lost after 51 MB of smollm2-135m.", "Check the network.")
    picture(make_app(store=Store(set(), fail_with=error)), size, press())


@SIZES
def test_model_picker(make_app: Make, picture: Any, size: Any) -> None:
    picture(make_app(), size, talk, press("f2"))


@SIZES
def test_models(make_app: Make, picture: Any, size: Any) -> None:
    picture(make_app(), size, press("f8"))


@SIZES
def test_help(make_app: Make, picture: Any, size: Any) -> None:
    picture(make_app(), size, press("f1"))


@SIZES
def test_commands(make_app: Make, picture: Any, size: Any) -> None:
    picture(make_app(), size, press("slash"))
