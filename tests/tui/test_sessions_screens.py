"""The Sessions pane in each of its states, as pictures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from app.tui.sessions.hit_list import HitList
from app.tui.sessions.pane import SessionsPane
from app.tui.sessions.preview import Preview
from app.tui.sessions.shelf_bar import ShelfBar
from app.vault import Vault

from .conftest import until
from .test_sessions_meaning import BREAD, HEATING, Remembered
from .vault_app import NOW, SmallApp, a_vault, empty, with_some

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
Step = Callable[[Pilot[Any]], Awaitable[None]]


@pytest.fixture(autouse=True)
def at_home(utc: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # What an export suggests would else name the folder that the tests were started in.
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)


@pytest.fixture
def picture(snap_compare: Any, tmp_path: Path) -> Callable[..., None]:
    def compare(
        size: tuple[int, int],
        *steps: Step,
        fill: Any = with_some,
        theme: str = "playground-dark",
        memory: Remembered | None = None,
    ) -> None:
        def build(vault: Any) -> SessionsPane:
            return SessionsPane(vault, lambda: NOW, memory)

        app = SmallApp(a_vault(tmp_path), build, fill, theme)

        async def run(pilot: Pilot[Any]) -> None:
            await until(lambda: app.ready)
            for field in app.query(Input):
                field.cursor_blink = False
            await until(lambda: shown(app))
            for step in steps:
                await step(pilot)
            await until(lambda: looked(app))
            await pilot.pause(0.1)

        assert snap_compare(app, terminal_size=size, run_before=run)

    return compare


def shown(app: SmallApp) -> bool:
    return bool(app.pane.has_class("-empty")) or app.pane.chosen_id is not None


def looked(app: SmallApp) -> bool:
    """Whether the preview, where there is one, shows the choice."""
    pane, preview = app.pane, app.pane.query_one(Preview)
    return pane.has_class("-narrow") or pane.has_class("-empty") or (preview.shown or ("",))[0] == pane.chosen_id


def press(*keys: str) -> Step:
    async def step(pilot: Pilot[Any]) -> None:
        await pilot.press(*keys)
        await pilot.pause(0.15)

    return step


def search(words: str) -> Step:
    async def step(pilot: Pilot[Any]) -> None:
        await pilot.press("slash", *words)
        await until(lambda: pilot.app.screen_stack[0].query_one(HitList).display or "zz" in words)

    return step


async def ask(pilot: Pilot[Any]) -> None:
    """Waits for the dialog that the last key opens."""
    await until(lambda: len(pilot.app.screen_stack) == 2)
    for field in pilot.app.screen.query(Input):
        field.cursor_blink = False
    await pilot.pause(0.1)


@SIZES
def test_list(picture: Any, size: Any) -> None:
    picture(size, press("down"))


@pytest.mark.parametrize("theme", ["light", "high-contrast", "terminal"])
def test_themes(picture: Any, theme: str) -> None:
    picture((120, 40), press("down"), theme=f"playground-{theme}")


def test_sixteen_colours_in_a_small_terminal(picture: Any) -> None:
    picture((80, 24), press("down"), theme="playground-terminal")


@SIZES
def test_search(picture: Any, size: Any) -> None:
    picture(size, search("name"))


def test_search_in_sixteen_colours(picture: Any) -> None:
    picture((80, 24), search("name"), theme="playground-terminal")


def search_by_meaning(words: str) -> Step:
    async def step(pilot: Pilot[Any]) -> None:
        await search(words)(pilot)
        await until(lambda: pilot.app.screen_stack[0].query_one(HitList).first_meant)
        await pilot.pause(0.05)

    return step


@SIZES
def test_search_in_other_words(picture: Any, size: Any) -> None:
    picture(size, search_by_meaning("name"), press("down", "down"), memory=Remembered(HEATING, BREAD))


@SIZES
def test_only_in_other_words(picture: Any, size: Any) -> None:
    picture(size, search_by_meaning("radiator"), memory=Remembered(HEATING, BREAD))


def test_search_in_other_words_in_sixteen_colours(picture: Any) -> None:
    memory = Remembered(HEATING, BREAD)
    picture((80, 24), search_by_meaning("name"), press("ctrl+o"), theme="playground-terminal", memory=memory)


@SIZES
def test_looking_for_other_words(picture: Any, size: Any) -> None:
    memory = Remembered(HEATING, seconds=60)

    async def asked(pilot: Pilot[Any]) -> None:
        await until(lambda: memory.asked)

    picture(size, search("zzz"), asked, memory=memory)


@SIZES
def test_remembering(picture: Any, size: Any) -> None:
    memory = Remembered()
    memory.remembering = (1200, 5000)

    async def told(pilot: Pilot[Any]) -> None:
        await until(lambda: pilot.app.screen_stack[0].query_one(ShelfBar).aside)

    picture(size, told, memory=memory)


@SIZES
def test_nothing_found(picture: Any, size: Any) -> None:
    picture(size, search("zzz"))


@SIZES
def test_empty(picture: Any, size: Any) -> None:
    picture(size, fill=empty)


@SIZES
def test_archived_is_empty(picture: Any, size: Any) -> None:
    picture(size, press("tab"))


@SIZES
def test_bin(picture: Any, size: Any) -> None:
    picture(size, press("down", "d"), press("d"), press("shift+tab"))


@SIZES
def test_locked(picture: Any, size: Any) -> None:
    async def locked(vault: Vault) -> None:
        await vault.open()
        await vault.lock()

    picture(size, fill=locked)


@SIZES
def test_protected(picture: Any, size: Any) -> None:
    async def protected(vault: Vault) -> None:
        await with_some(vault)
        await vault.set_passphrase("correct horse battery staple")

    picture(size, press("end"), fill=protected)


@SIZES
@pytest.mark.parametrize("key", ["r", "t", "e", "i"], ids=["rename", "tags", "export", "import"])
def test_dialogs(picture: Any, size: Any, key: str) -> None:
    picture(size, press("down", key), ask)


@SIZES
def test_delete_for_good(picture: Any, size: Any) -> None:
    picture(size, press("down", "d"), press("shift+tab"), press("d"), ask)
