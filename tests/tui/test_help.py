"""F1: every key of the place where one is, whether it has something to do just now or not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.geometry import Region
from textual.widgets import Static

from app.errors import OfflineError
from app.tui.app import PlaygroundApp
from app.tui.dialogs.help_screen import HelpScreen
from app.tui.dialogs.model_picker import ModelPicker
from app.tui.models.pane import ModelsPane

from .conftest import until
from .scripted import Store

Make = Callable[..., PlaygroundApp]


async def test_it_lists_keys_that_have_nothing_to_do_now_and_ctrl_c(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f1")
        await until(lambda: isinstance(app.screen, HelpScreen))
        await pilot.pause()
        table = str(app.screen.query(Static)[1].render())
        for name in ("composer.send", "chat.stop", "chat.go_on", "app.interrupt", "app.chat", "app.quit"):
            assert f" {name}" in table
        assert table.splitlines()[1].split() == ["⏎", "Send", "composer.send"]


async def test_moved_keys_are_shown_where_they_lie_now(make_app: Make) -> None:
    app = make_app(keys={"chat.stop": "ctrl+x"})
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f1")
        await until(lambda: isinstance(app.screen, HelpScreen))
        table = str(app.screen.query(Static)[1].render())
        assert next(line for line in table.splitlines() if "chat.stop" in line).split()[0] == "^x"


@pytest.mark.parametrize("size", [(80, 24), (60, 15), (40, 10)])
async def test_the_keys_of_the_model_picker_are_on_the_screen(make_app: Make, size: tuple[int, int]) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await pilot.press("f2")
        await until(lambda: isinstance(app.screen, ModelPicker))
        await pilot.pause()
        hint = app.screen.query_one(".hint")
        assert Region(0, 0, *size).contains_region(hint.region)
        assert hint.region.height == 1


async def test_why_a_download_failed_is_on_the_screen(make_app: Make) -> None:
    store = Store({"smollm2-135m"}, fail_with=OfflineError("The model hub cannot be reached.", "Check the network."))
    app = make_app(store=store)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f8")
        pane = app.query_one(ModelsPane)
        await until(lambda: pane.chosen == "qwen3-4b")
        await pilot.press("p")
        detail = pane.query_one("#model-detail", Static)
        await until(lambda: "cannot be reached" in str(detail.render()))
        words = str(detail.render()).splitlines()
        assert words.index("Check the network.") < detail.content_size.height
