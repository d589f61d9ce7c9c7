"""The theme that the settings name."""

from __future__ import annotations

from collections.abc import Callable

from app.tui.app import PlaygroundApp

from .conftest import until

Make = Callable[..., PlaygroundApp]


async def test_a_theme_that_there_is_not_is_said(make_app: Make) -> None:
    app = make_app(theme="solarised")
    async with app.run_test():
        await until(lambda: any("no theme 'solarised'" in note.message for note in app._notifications))
        assert app.theme == "playground-dark"


async def test_a_theme_of_ours_needs_no_first_name(make_app: Make) -> None:
    app = make_app(theme="light")
    async with app.run_test() as pilot:
        await pilot.pause()
        assert app.theme == "playground-light"
        assert not app._notifications
