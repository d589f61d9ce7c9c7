"""The top line: it names the key of every pane wherever there is room."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.tui.app import PlaygroundApp
from app.tui.bars.keys import KeyBar
from app.tui.bars.status import StatusBar
from app.tui.bars.tabs import TabBar
from app.tui.chat.pane import ChatPane

from .conftest import until

Make = Callable[..., PlaygroundApp]


def words(app: PlaygroundApp, bar: type[TabBar | StatusBar | KeyBar]) -> str:
    return str(app.query_one(bar).render())


@pytest.mark.parametrize(
    ("columns", "tabs", "said_in"),
    [
        (
            120,
            "◆ playground    F5 Chat   F6 Blog   F7 Sessions   F8 Models   F9 Dashboard   F10 Server   F12 Requests",
            TabBar,
        ),
        (96, "◆  F5 Chat   F6 Blog   F7 Sessions   F8 Models   F9 Dashboard   F10 Server   F12 Requests", StatusBar),
        (80, "◆  F5 Chat F6 Blog F7 Sessions F8 Models F9 Dashboard F10 Server F12 Requests", StatusBar),
        (72, "◆  Chat   Blog   Sessions   Models   Dashboard   Server   Requests", None),
        (40, "◆  F5 Chat  F6 F7 F8 F9 F10 F12", None),
    ],
)
async def test_as_much_as_fits_and_the_missing_passphrase_elsewhere(
    make_app: Make, columns: int, tabs: str, said_in: type[TabBar | StatusBar] | None
) -> None:
    app = make_app()
    async with app.run_test(size=(columns, 24)) as pilot:
        await until(lambda: app.query_one(ChatPane).keeper is not None)
        await pilot.pause()
        assert words(app, TabBar).startswith(tabs)
        for bar in (TabBar, StatusBar):
            assert ("no passphrase" in words(app, bar)) == (bar is said_in)
        assert "Sessions" not in words(app, KeyBar)


async def test_the_note_moves_when_the_terminal_does(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(120, 24)) as pilot:
        await until(lambda: app.query_one(ChatPane).keeper is not None)
        await pilot.resize_terminal(80, 24)
        await until(lambda: "no passphrase" in words(app, StatusBar))
        assert "no passphrase" not in words(app, TabBar)
        await pilot.resize_terminal(120, 24)
        await until(lambda: "no passphrase" not in words(app, StatusBar))
        assert "no passphrase" in words(app, TabBar)


async def test_moved_keys_are_named_and_a_click_finds_its_tab(make_app: Make) -> None:
    app = make_app(keys={"app.models": "ctrl+s"})
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        line = words(app, TabBar)
        assert "^s Models" in line
        await pilot.click(TabBar, offset=(1 + line.index("Models"), 0))
        await until(lambda: app.query_one(TabBar).current == "models")
