from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual.widgets import OptionList

from app.tui.app import PlaygroundApp
from app.tui.bars.tabs import TabBar
from app.tui.chat.pane import ChatPane
from app.tui.models.pane import ModelsPane

from .conftest import until
from .scripted import Progress, Store

Make = Callable[..., PlaygroundApp]


def rows(app: PlaygroundApp) -> list[str]:
    options = app.query_one(ModelsPane).query_one(OptionList)
    return [str(options.get_option_at_index(place).prompt) for place in range(options.option_count)]


async def test_the_recommended_model_stands_first_and_what_does_not_fit_says_so(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f8")
        await until(lambda: "recommended" in rows(app)[0])
        assert "qwen3-4b" in rows(app)[0]
        assert any("llama" in row and "too large" in row for row in rows(app))
        assert app.query_one(TabBar).current == "models"


async def test_a_model_is_fetched_with_progress_cancelled_and_fetched_again(make_app: Make) -> None:
    store = Store({"smollm2-135m"}, [Progress("downloading", 50, 100, 10.0, 5.0)], asyncio.Event())
    app = make_app(store=store)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f8")
        await until(lambda: "recommended" in rows(app)[0])
        await pilot.press("p")
        await until(lambda: "fetching 50 %" in rows(app)[0])
        await pilot.press("escape")
        await until(lambda: "stopped at 50 %" in rows(app)[0])
        assert store.hold is not None
        store.hold.set()
        await pilot.press("p")
        await until(lambda: "qwen3-4b" in store.here)
        await pilot.press("enter")
        await pilot.pause()
        assert app.query_one(ChatPane).model == "qwen3-4b"
        assert app.query_one(TabBar).current == "chat"


async def test_a_model_is_loaded_unloaded_and_removed_after_a_question(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f8")
        await until(lambda: "recommended" in rows(app)[0])
        await until(lambda: "loaded" in rows(app)[1])
        await pilot.press("down", "x")
        await until(lambda: "loaded" not in rows(app)[1])
        await pilot.press("l")
        await until(lambda: "loaded" in rows(app)[1])
        await pilot.press("d")
        await pilot.pause()
        await pilot.press("n")
        await pilot.pause()
        assert "smollm2-135m" in app._playground.store.here
        await pilot.press("d")
        await pilot.pause()
        await pilot.press("y")
        await until(lambda: "smollm2-135m" not in app._playground.store.here)
