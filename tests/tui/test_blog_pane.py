"""The Blog pane: posts are found, begun, written, put away and brought back."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from textual.widgets import Input

from app.tui.blog.live_preview import LivePreview
from app.tui.blog.post_list import PostList
from app.tui.blog.state_line import StateLine

from .blog_app import POSTS, SEA, blog_app, blogging, empty, opened
from .conftest import until


def titles(app) -> list[str]:
    rows = app.blog.query_one(PostList)
    return [rows.row(place).line.title for place in range(rows.count)]


async def test_the_list_shows_the_latest_first_and_is_searched(tmp_path: Path):
    app = blog_app(tmp_path)
    async with blogging(app) as pilot:
        await until(lambda: len(titles(app)) == 4)
        assert titles(app)[0] == "The sea in winter"
        await pilot.press("slash", *"bread time")
        await until(lambda: titles(app) == ["Bread without kneading"])
        await pilot.press("enter", "enter")
        await until(lambda: app.blog.writing)
        assert app.blog.desk.editor.text == "Time does the work.\n"
        await pilot.press("escape")
        await until(lambda: not app.blog.writing)
        await pilot.press("escape")
        await until(lambda: len(titles(app)) == 4)


async def test_what_is_typed_is_in_the_vault_within_two_seconds(tmp_path: Path):
    app = blog_app(tmp_path, empty)
    async with blogging(app) as pilot:
        await pilot.press("n")
        await until(lambda: app.blog.writing)
        await pilot.press(*"Rain", "enter", *"It began at four.")
        typed = time.monotonic()
        post_id = app.blog.desk.post.id
        while await app.vault.posts.count() == 0 or (await app.vault.posts.get(post_id)).body != "It began at four.":
            assert time.monotonic() - typed < 2
            await asyncio.sleep(0.05)
        assert (await app.vault.posts.get(post_id)).title == "Rain"
        await until(lambda: app.query_one(StateLine).state.saved)
        assert app.query_one(StateLine).state.words == 4


async def test_an_empty_post_leaves_no_trace(tmp_path: Path):
    app = blog_app(tmp_path, empty)
    async with blogging(app) as pilot:
        await pilot.press("n")
        await until(lambda: app.blog.writing)
        await pilot.press("escape")
        await until(lambda: not app.blog.writing)
        assert await app.vault.posts.count() == 0


async def test_opening_changes_nothing(tmp_path: Path):
    app = blog_app(tmp_path)
    async with blogging(app) as pilot:
        await opened(app, pilot)
        await pilot.press("down", "end", "escape")
        await until(lambda: not app.blog.writing)
        assert await app.vault.posts.get(POSTS[0].id) == POSTS[0]


async def test_leaving_the_program_keeps_what_was_just_typed(tmp_path: Path):
    app = blog_app(tmp_path)
    closing = app.vault.close
    app.vault.close = lambda: asyncio.sleep(0)  # the test looks into it afterwards
    async with blogging(app) as pilot:
        await opened(app, pilot)
        await pilot.press(*"Now. ")
    assert (await app.vault.posts.get(POSTS[0].id)).body == "Now. " + SEA
    await closing()


async def test_the_list_is_searched_as_one_types(tmp_path: Path):
    app = blog_app(tmp_path)
    async with blogging(app) as pilot:
        await until(lambda: len(titles(app)) == 4)
        await pilot.press("slash", *"gull")
        await until(lambda: titles(app) == ["The sea in winter"])
        rows = app.query_one("#post-list")
        await pilot.pause()
        assert "gulls" in rows.render_line(0).text
        await pilot.press("enter", "enter")
        await until(lambda: app.blog.writing)
        await pilot.press("escape")
        await until(lambda: not app.blog.writing)
        await pilot.press("escape")
        await until(lambda: len(titles(app)) == 4)


async def test_a_deleted_post_comes_back(tmp_path: Path):
    app = blog_app(tmp_path)
    async with blogging(app) as pilot:
        await until(lambda: len(titles(app)) == 4)
        await pilot.press("d")
        await until(lambda: len(titles(app)) == 3)
        await pilot.press("u")
        await until(lambda: len(titles(app)) == 4)
        await pilot.press("home", "d")
        await until(lambda: len(titles(app)) == 3)
        await pilot.press("tab")
        await until(lambda: titles(app) == ["The sea in winter"])
        await pilot.press("b")
        await until(lambda: titles(app) == [])
        await pilot.press("escape")
        await until(lambda: len(titles(app)) == 4)


async def test_deleting_for_good_asks_first(tmp_path: Path):
    app = blog_app(tmp_path)
    async with blogging(app) as pilot:
        await until(lambda: len(titles(app)) == 4)
        await pilot.press("d")
        await until(lambda: len(titles(app)) == 3)
        await pilot.press("tab")
        await until(lambda: len(titles(app)) == 1)
        await pilot.press("d")
        await until(lambda: len(app.screen_stack) == 2)
        await pilot.press("y")
        await until(lambda: titles(app) == [])
        assert await app.vault.posts.count("bin") == 0


async def test_locking_keeps_everything_and_shows_nothing(tmp_path: Path):
    app = blog_app(tmp_path)
    async with blogging(app) as pilot:
        await app.vault.set_passphrase("correct horse battery staple")
        await opened(app, pilot)
        await pilot.press(*"Secret. ")
        await app.lock()
        desk = app.blog.desk
        assert desk.keeper is None
        assert desk.editor.text == ""
        assert app.query_one("#post-title", Input).value == ""
        assert titles(app) == []
        desk.editor.undo()
        assert desk.editor.text == ""
        await app.vault.open("correct horse battery staple")
        assert (await app.vault.posts.get(POSTS[0].id)).body == "Secret. " + SEA
        await app.blog.vault_opened(app.vault)
        await until(lambda: app.blog.writing)
        assert desk.editor.text == "Secret. " + SEA


async def test_a_full_disk_is_told_and_the_text_stays(tmp_path: Path):
    from app.errors import DiskFullError

    app = blog_app(tmp_path)
    async with blogging(app) as pilot:
        await opened(app, pilot)
        real = app.vault.posts.save

        async def full(_post: object) -> None:
            raise DiskFullError("There is no room on the disk.", "Make room.")

        app.vault.posts.save = full
        await pilot.press("x")
        await until(lambda: "no room" in app.query_one(StateLine).state.trouble)
        await pilot.press("escape")
        await until(lambda: any("stays open" in words for words in app.said))
        assert app.blog.writing
        app.vault.posts.save = real
        await until(lambda: app.query_one(StateLine).state.saved, 6)
        assert app.query_one(StateLine).state.trouble == ""


@pytest.mark.parametrize(("width", "beside"), [(80, False), (99, False), (100, True), (120, True)])
async def test_the_preview_is_there_when_there_is_room(tmp_path: Path, width: int, beside: bool):
    app = blog_app(tmp_path)
    async with blogging(app, (width, 30)) as pilot:
        await opened(app, pilot)
        await pilot.pause()
        assert app.query_one(LivePreview).display is beside
        assert app.blog.desk.editor.display
        await pilot.press("f4")
        await pilot.pause()
        assert app.query_one(LivePreview).display is not beside
        assert app.blog.desk.editor.display is (width >= 100)
        await pilot.press("f4")
        await pilot.pause()
        assert app.blog.desk.editor.has_focus


@pytest.mark.parametrize("back", ["f4", "enter"])
async def test_where_only_the_preview_is_seen_it_scrolls_and_letters_change_nothing(tmp_path: Path, back: str):
    app = blog_app(tmp_path)
    async with blogging(app, (80, 16)) as pilot:
        await opened(app, pilot)
        desk, preview = app.blog.desk, app.query_one(LivePreview)
        before = desk.post
        await pilot.press("f4")
        await until(lambda: preview.has_focus and preview._lines)
        assert app.screen.active_bindings["f4"].binding.description == "Text"
        await pilot.press("x", "y", "backspace", "delete")
        assert (desk.post.title, desk.post.body) == (before.title, before.body)
        preview.virtual_size = preview.virtual_size.with_height(200)
        await pilot.press("pagedown")
        await until(lambda: preview.scroll_offset.y > 0)
        await pilot.press(back)
        await until(lambda: desk.editor.has_focus and desk.editor.display)
        await pilot.press("x")
        assert desk.post.title == before.title
        assert desk.editor.text != before.body


async def test_the_keys_go_along_when_the_terminal_becomes_wider(tmp_path: Path):
    app = blog_app(tmp_path)
    async with blogging(app, (80, 24)) as pilot:
        await opened(app, pilot)
        preview = app.query_one(LivePreview)
        await pilot.press("f4")
        await until(lambda: preview.has_focus)
        await pilot.resize_terminal(120, 24)
        await until(lambda: app.blog.desk.editor.has_focus)
        await pilot.resize_terminal(80, 24)
        await until(lambda: preview.has_focus)


async def test_the_preview_follows_what_is_typed(tmp_path: Path):
    app = blog_app(tmp_path)
    async with blogging(app) as pilot:
        await opened(app, pilot)
        preview = app.query_one(LivePreview)
        await until(lambda: any("It comes back" in line.text for line in preview._lines))
        await pilot.press("ctrl+end", "enter", *"# New heading")
        await until(lambda: any(line.text.strip() == "New heading" for line in preview._lines))
