"""The command palette: that it lists anything at all depends on names."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator

import textual.widgets
from textual.command import CommandList, CommandPalette
from textual.widget import Widget

import app.tui
from app.tui.app import PlaygroundApp

from .conftest import until

Make = Callable[..., PlaygroundApp]


async def test_it_lists_what_can_be_done(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p")
        await until(lambda: isinstance(app.screen, CommandPalette))
        listed = app.screen.query_one(CommandList)
        await until(lambda: listed.option_count > 20)
        await pilot.pause(0.1)
        assert listed.region.height > 5
        await pilot.press(*"passphr")
        await until(lambda: listed.option_count == 2)
        await pilot.press("down", "enter")
        await until(lambda: not isinstance(app.screen, CommandPalette))


def ours() -> Iterator[type[Widget]]:
    for module in pkgutil.walk_packages(app.tui.__path__, "app.tui."):
        for _, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(found, Widget) and found.__module__ == module.name:
                yield found


def test_no_widget_of_ours_is_called_like_one_of_the_framework() -> None:
    """Styles go by the name of a class: what ``CommandList`` of ours says would hold for the palette's as well."""
    theirs = {
        *vars(textual.widgets)["__all__"],
        *(name for name, _ in inspect.getmembers(textual.command, inspect.isclass)),
    }
    assert sorted(widget.__name__ for widget in ours() if widget.__name__ in theirs) == []
