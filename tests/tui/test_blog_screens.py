"""The Blog pane in each of its states, as pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from app.errors import WorkerDiedError
from app.settings.writing import WritingSettings
from app.tui.blog.live_preview import LivePreview
from app.tui.blog.state_line import StateLine
from app.vault import Vault

from .blog_app import SEA, BlogApp, begun, blog_app, empty, with_posts
from .conftest import until
from .scripted import ScriptedRouter, answer
from .vault_app import DAY, NOW

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
Step = Callable[[Pilot[Any]], Awaitable[None]]

REWRITTEN = SEA.replace("was empty", "lay empty").replace("boats that was", "boats that were").partition("```")[0]
REST = SEA.rpartition("```\n\n")[2].replace("train. It leaves", "train: it leaves").replace("; bring", ". Bring")


@pytest.fixture(autouse=True)
def at_home(utc: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = tmp_path / "person"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)


@pytest.fixture
def picture(snap_compare: Any, tmp_path: Path) -> Callable[..., None]:
    def compare(
        size: tuple[int, int],
        *steps: Step,
        fill: Any = with_posts,
        router: ScriptedRouter | None = None,
        theme: str = "playground-dark",
        suggestions: bool = False,
    ) -> None:
        app = blog_app(tmp_path, fill, router=router, choices=WritingSettings(suggestions=suggestions), theme=theme)

        async def run(pilot: Pilot[Any]) -> None:
            await begun(app)
            await until(lambda: app.blog.shelf.chosen is not None or fill is not with_posts)
            for step in steps:
                await step(pilot)
            await until(lambda: painted(app))
            calm(app)
            await pilot.pause(0.3)

        assert snap_compare(app, terminal_size=size, run_before=run)

    return compare


def painted(app: BlogApp) -> bool:
    """Whether the preview, where there is one, and the line below the text have caught up."""
    if not app.blog.writing:
        return True
    preview = app.screen_stack[0].query_one(LivePreview)
    text = app.blog.desk.editor.text
    saved = app.screen_stack[0].query_one(StateLine).state.saved
    return saved and (not preview.display or not text or bool(preview._lines))


def calm(app: BlogApp) -> None:
    for screen in app.screen_stack:
        for field in screen.query(Input):
            field.cursor_blink = False


def press(*keys: str) -> Step:
    async def step(pilot: Pilot[Any]) -> None:
        await pilot.press(*keys)
        calm(pilot.app)  # type: ignore[arg-type]
        await pilot.pause(0.2)

    return step


async def open_it(pilot: Pilot[Any]) -> None:
    await pilot.press("enter")
    await until(lambda: pilot.app.blog.writing)  # type: ignore[attr-defined]
    await pilot.pause(0.2)


def ask(downs: int, *more: str) -> Step:
    """Opens the menu of assists, takes one, and waits for its end."""

    async def step(pilot: Pilot[Any]) -> None:
        await pilot.press("f3")
        await until(lambda: len(pilot.app.screen_stack) == 2)
        await pilot.press(*["down"] * downs, "enter")
        await pilot.pause(0.1)
        if more:
            await pilot.press(*more)
        await until(lambda: not getattr(pilot.app.screen, "running", True))
        await pilot.pause(0.1)

    return step


@SIZES
def test_list(picture: Any, size: Any) -> None:
    picture(size, press("down"))


@SIZES
def test_empty(picture: Any, size: Any) -> None:
    picture(size, fill=empty)


@SIZES
def test_nothing_found(picture: Any, size: Any) -> None:
    picture(size, press("slash", *"zzz"), press("enter"))


@SIZES
def test_bin(picture: Any, size: Any) -> None:
    picture(size, press("d"), press("tab"))


@SIZES
def test_locked(picture: Any, size: Any) -> None:
    async def locked(vault: Vault) -> None:
        await vault.open()
        await vault.lock()

    picture(size, fill=locked)


@SIZES
def test_writing(picture: Any, size: Any) -> None:
    picture(size, open_it)


@pytest.mark.parametrize("theme", ["light", "high-contrast", "terminal"])
def test_writing_in_other_colours(picture: Any, theme: str) -> None:
    picture((120, 40), open_it, theme=f"playground-{theme}")


@SIZES
def test_a_new_post(picture: Any, size: Any) -> None:
    picture(size, press("n"), fill=empty)


def test_preview_in_a_small_terminal(picture: Any) -> None:
    picture((80, 24), open_it, press("f4"))


@SIZES
def test_faint_words(picture: Any, size: Any) -> None:
    async def pause(pilot: Pilot[Any]) -> None:
        await until(lambda: pilot.app.blog.desk.editor.suggestion)  # type: ignore[attr-defined]

    router = ScriptedRouter(answer(" shouting at boats that were not there."))
    picture(size, press("n", "enter", *"The gulls went on"), pause, fill=empty, router=router, suggestions=True)


@SIZES
def test_find(picture: Any, size: Any) -> None:
    picture(size, open_it, press("ctrl+f", *"the"), press("tab", *"a"))


def test_found_in_sixteen_colours(picture: Any) -> None:
    picture((80, 24), open_it, press("ctrl+f", *"the"), press("enter"), theme="playground-terminal")


@SIZES
def test_what_is_being_said(picture: Any, size: Any) -> None:
    async def say(pilot: Pilot[Any]) -> None:
        editor = pilot.app.blog.desk.editor  # type: ignore[attr-defined]
        editor.move_cursor((2, 22))
        editor.show_spoken("and the boats that had gone out at four did not come back before it was dark", 44)
        await pilot.pause(0.2)

    picture(size, open_it, say)


@SIZES
def test_searched(picture: Any, size: Any) -> None:
    async def found(pilot: Pilot[Any]) -> None:
        await until(lambda: pilot.app.blog.shelf.query_one("#post-list").count == 3)  # type: ignore[attr-defined]

    picture(size, press("slash", *"ti"), found)


@SIZES
def test_outline(picture: Any, size: Any) -> None:
    picture(size, open_it, press("ctrl+o"))


@SIZES
def test_particulars(picture: Any, size: Any) -> None:
    picture(size, open_it, press("ctrl+t"))


@SIZES
def test_export(picture: Any, size: Any) -> None:
    picture(size, open_it, press("alt+e"), press("down", "down"))


@SIZES
def test_menu(picture: Any, size: Any) -> None:
    picture(size, open_it, press("f3"), press("down"))


@SIZES
def test_tone(picture: Any, size: Any) -> None:
    picture(size, open_it, press("f3"), press("down", "down", "down", "enter"))


@SIZES
def test_proposal(picture: Any, size: Any) -> None:
    picture(size, open_it, ask(5), press("a"), router=ScriptedRouter(answer(REWRITTEN), answer(REST)))


def test_proposal_in_sixteen_colours(picture: Any) -> None:
    router = ScriptedRouter(answer(REWRITTEN), answer(REST))
    picture((80, 24), open_it, ask(5), press("r"), router=router, theme="playground-terminal")


@SIZES
def test_proposal_on_its_way(picture: Any, size: Any) -> None:
    async def half(pilot: Pilot[Any]) -> None:
        await pilot.press("f3")
        await until(lambda: len(pilot.app.screen_stack) == 2)
        await pilot.press(*["down"] * 5, "enter")
        await until(lambda: "> It" in str(pilot.app.screen.query_one(".nothing").visual))
        await pilot.pause(0.4)

    held = ScriptedRouter(answer(REWRITTEN), [0.4, *answer("> It")[:2], asyncio.Event()])
    picture(size, open_it, half, router=held)


@SIZES
def test_proposal_that_failed(picture: Any, size: Any) -> None:
    error = WorkerDiedError("The engine ended while it answered.", "It is started again by itself: ask once more.")
    picture(size, open_it, ask(5), router=ScriptedRouter(answer(REWRITTEN), [error]))


@SIZES
def test_titles(picture: Any, size: Any) -> None:
    router = ScriptedRouter(answer("1. The sea in winter\n2. What the tide brings\n3. The 5:40 to the sea"))
    picture(size, open_it, ask(0), router=router)


@SIZES
def test_tags(picture: Any, size: Any) -> None:
    picture(size, open_it, ask(8), press("space"), router=ScriptedRouter(answer("tide, gulls, harbour, train")))


@SIZES
def test_summary(picture: Any, size: Any) -> None:
    said = "A winter day at an empty harbour: what the tide leaves, what an old woman says of it, and the way there."
    picture(size, open_it, ask(2), router=ScriptedRouter(answer(said)))


@SIZES
def test_revisions(picture: Any, size: Any) -> None:
    async def opened_then(pilot: Pilot[Any]) -> None:
        vault = pilot.app.vault  # type: ignore[attr-defined]
        vault.posts._clock = lambda: NOW - 3 * 400 * DAY
        await pilot.press("enter")
        await until(lambda: pilot.app.blog.writing)  # type: ignore[attr-defined]
        await pilot.press(*"Oh! ")
        await pilot.press("ctrl+r")
        await until(lambda: len(pilot.app.screen_stack) == 2)
        await until(lambda: "since" in str(pilot.app.screen.query_one(".body").visual))

    picture(size, opened_then)
