"""The desk: the head of a post, finding and replacing, the outline, revisions, files, another editor."""

from __future__ import annotations

import time
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import Input

from app.tui.blog.find_bar import FindBar
from app.tui.blog.found_places import places_by_line
from app.tui.blog.particulars import ParticularsDialog, StatusField, date_words, read_date
from app.tui.blog.publish_dialog import PublishDialog
from app.tui.blog.revisions import RevisionsScreen
from app.writing.finding import Match
from app.writing.front_matter import read

from .blog_app import POSTS, SEA, blog_app, blogging, opened
from .conftest import until


async def dialog(app, pilot, kind):
    await until(lambda: isinstance(app.screen, kind))
    await pilot.pause()
    return app.screen


# The head


async def test_the_head_of_a_post_is_changed(tmp_path: Path):
    app = blog_app(tmp_path)
    async with blogging(app) as pilot:
        await opened(app, pilot)
        await pilot.press("ctrl+t")
        screen = await dialog(app, pilot, ParticularsDialog)
        screen.query_one("#of-title", Input).value = "The sea, in winter"
        screen.query_one("#of-slug", Input).value = "A Winter Sea!"
        screen.query_one("#of-tags", Input).value = "#sea,  cold days , sea"
        screen.query_one("#of-date", Input).value = "2026-12-01 09:30"
        screen.query_one(StatusField).focus()
        await pilot.press("space", "enter")
        await until(lambda: app.blog.desk.post.status == "published")
        await app.blog.desk.keeper.settle()
        post = await app.vault.posts.get(POSTS[0].id)
        assert (post.title, post.slug, post.tags) == ("The sea, in winter", "a-winter-sea", ("sea", "cold days"))
        assert post.date == datetime(2026, 12, 1, 9, 30).timestamp()
        assert app.query_one("#post-title", Input).value == "The sea, in winter"
        assert post.body == SEA


async def test_a_date_that_is_none_is_said(tmp_path: Path):
    app = blog_app(tmp_path)
    async with blogging(app) as pilot:
        await until(lambda: app.blog.shelf.chosen is not None)
        await pilot.press("t")
        screen = await dialog(app, pilot, ParticularsDialog)
        screen.query_one("#of-date", Input).value = "next week"
        await pilot.press("enter")
        await pilot.pause()
        assert "is no date" in str(screen.query_one(".wrong").visual)
        screen.query_one("#of-date", Input).value = ""
        await pilot.press("enter")
        await until(lambda: len(app.screen_stack) == 1)


async def test_the_head_is_changed_from_the_list_too(tmp_path: Path):
    app = blog_app(tmp_path)
    async with blogging(app) as pilot:
        await until(lambda: app.blog.shelf.chosen is not None)
        await pilot.press("t")
        screen = await dialog(app, pilot, ParticularsDialog)
        screen.query_one("#of-title", Input).value = "Winter sea"
        await pilot.press("enter")
        await until(lambda: app.blog.shelf.chosen.title == "Winter sea")
        assert (await app.vault.posts.get(POSTS[0].id)).body == SEA


@pytest.mark.parametrize("written", ["", "2026-11-21", "2026-11-21 09:30"])
def test_dates_are_read_as_they_are_written(written: str):
    assert date_words(read_date(written)) == written


# Finding


async def test_words_are_found_one_after_the_other_and_round_again(tmp_path: Path):
    app = blog_app(tmp_path)
    async with blogging(app) as pilot:
        await opened(app, pilot)
        editor = app.blog.desk.editor
        await pilot.press("ctrl+f", *"the")
        await until(lambda: editor.selected_text == "The")
        found = app.query_one(FindBar).query_one(".found")
        assert str(found.visual).startswith("1 of ")
        total = int(str(found.visual).split()[-1])
        places = []
        for _ in range(total):
            places.append(editor.marked[0])
            await pilot.press("enter")
            await pilot.pause()
        assert editor.marked[0] == places[0]
        assert places == sorted(set(places))
        await pilot.press("up")
        await pilot.pause()
        assert editor.marked[0] == places[-1]
        await pilot.press("alt+c")
        await until(lambda: str(found.visual) != f"{total} of {total}")
        assert int(str(found.visual).split()[-1]) < total
        await pilot.press("escape")
        assert not app.query_one(FindBar).display
        assert editor.has_focus


def coloured(editor):
    """The pieces of the text that stand on the colour of what was found, all of them in view."""
    colour = editor.get_component_rich_style("text-area--found").bgcolor
    lines = [editor.render_line(y) for y in range(editor.size.height)]
    return [part.text for line in lines for part in line if part.style and part.style.bgcolor == colour]


async def test_every_place_is_coloured_the_marked_one_more_and_the_count_follows_the_text(tmp_path: Path):
    app = blog_app(tmp_path)
    async with blogging(app) as pilot:
        await opened(app, pilot)
        editor = app.blog.desk.editor
        found = app.query_one(FindBar).query_one(".found")
        await pilot.press("ctrl+f", *"boat")
        await until(lambda: str(found.visual) == "1 of 2")
        await pilot.pause()
        assert coloured(editor) == ["boat"]
        assert editor.selected_text == "boat"
        editor.focus()
        await pilot.press("ctrl+end", *"a boat")
        await until(lambda: str(found.visual) == "3 found")
        await pilot.pause()
        assert coloured(editor) == ["boat"] * 3
        await pilot.press("backspace")
        await until(lambda: str(found.visual) == "2 found")
        await pilot.press("ctrl+f", "enter")
        await until(lambda: str(found.visual) == "1 of 2")
        await pilot.press("alt+a")
        await until(lambda: str(found.visual) == "2 replaced")
        await pilot.press("escape", "ctrl+z")
        await until(lambda: "boat" in editor.text)
        await pilot.pause()
        assert coloured(editor) == []


async def test_in_a_text_where_a_search_would_be_felt_it_waits_for_a_pause(tmp_path: Path):
    app = blog_app(tmp_path)
    async with blogging(app) as pilot:
        await opened(app, pilot)
        editor = app.blog.desk.editor
        found = app.query_one(FindBar).query_one(".found")
        await pilot.press("ctrl+f", *"boat")
        await until(lambda: str(found.visual) == "1 of 2")
        editor.focus()
        app.blog.desk.finder.took = 1.0
        await pilot.press("ctrl+end", *"a boat")
        assert coloured(editor) == []
        await until(lambda: str(found.visual) == "3 found")


@given(st.text("ab\n", max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30))))
def test_places_are_the_same_by_line_as_in_the_whole_text(text: str, spans: list[tuple[int, int]]):
    lines = text.split("\n")
    found = [Match(start, end) for start, end in spans if start < end <= len(text)]
    for match in found:
        places = places_by_line(lines, [match])
        said = [lines[row][start:end] for row in sorted(places) for start, end in places[row]]
        assert "".join(said) == text[match.start : match.end].replace("\n", "")


async def test_one_place_is_replaced_and_then_all(tmp_path: Path):
    app = blog_app(tmp_path)
    async with blogging(app) as pilot:
        await opened(app, pilot)
        editor = app.blog.desk.editor
        await pilot.press("ctrl+f", *"boat", "tab", *"ship", "enter")
        await until(lambda: "ships that was" in editor.text)
        assert "the boat." in editor.text
        await pilot.press("alt+a")
        await until(lambda: "boat" not in editor.text)
        revisions = await app.vault.posts.revisions(POSTS[0].id)
        assert revisions[0].reason == "replaced"
        await pilot.press("escape", "ctrl+z")
        assert "the boat." in editor.text


async def test_a_pattern_with_groups(tmp_path: Path):
    app = blog_app(tmp_path)
    async with blogging(app) as pilot:
        await opened(app, pilot)
        editor = app.blog.desk.editor
        await pilot.press("ctrl+f", "alt+x", *r"(\d):(\d+", "tab", *r"\1.\2")
        await until(lambda: "no pattern" in str(app.query_one(FindBar).query_one(".found").visual))
        await pilot.press("tab", "end", ")", "alt+a")
        await until(lambda: "5.40" in editor.text)


async def test_the_outline_leads_to_a_heading(tmp_path: Path):
    app = blog_app(tmp_path)
    async with blogging(app) as pilot:
        await opened(app, pilot)
        await pilot.press("ctrl+o")
        await until(lambda: len(app.screen_stack) == 2)
        await pilot.pause()
        await pilot.press("end", "enter")
        await until(lambda: len(app.screen_stack) == 1)
        row, _ = app.blog.desk.editor.cursor_location
        assert app.blog.desk.editor.document.get_line(row) == "## Getting there"


# Revisions


async def test_a_revision_is_gone_back_to_and_what_was_there_is_kept(tmp_path: Path):
    app = blog_app(tmp_path)
    async with blogging(app) as pilot:
        await opened(app, pilot)
        editor = app.blog.desk.editor
        await pilot.press(*"Oh! ")
        await pilot.press("ctrl+r")
        screen = await dialog(app, pilot, RevisionsScreen)
        await until(lambda: "1 change since" in str(screen.query_one(".body").visual))
        assert "Oh!" in str(screen.query_one(".body").visual)
        await pilot.press("enter")
        await until(lambda: editor.text == SEA)
        revisions = await app.vault.posts.revisions(POSTS[0].id)
        kept = await app.vault.posts.revision(POSTS[0].id, revisions[0].number)
        assert (kept.reason, kept.body) == ("restored", "Oh! " + SEA)
        await app.blog.desk.keeper.settle()
        assert (await app.vault.posts.get(POSTS[0].id)).body == SEA


async def test_a_post_without_revisions_says_so(tmp_path: Path):
    app = blog_app(tmp_path)
    async with blogging(app) as pilot:
        await pilot.press("n")
        await until(lambda: app.blog.writing)
        await pilot.press("ctrl+r")
        await until(lambda: any("none yet" in words for words in app.said))


# Files


async def test_a_post_goes_into_a_hugo_folder_and_a_foreign_file_is_left_alone(tmp_path: Path):
    app = blog_app(tmp_path)
    site = tmp_path / "site"
    async with blogging(app) as pilot:
        await opened(app, pilot)
        await pilot.press("alt+e")
        screen = await dialog(app, pilot, PublishDialog)
        screen.query_one(Input).value = str(site)
        await pilot.press("down", "down")
        assert screen.form == "hugo"
        target = site / "content" / "posts" / "the-sea-in-winter" / "index.md"
        assert str(target) in str(screen.query_one(".target").visual)
        await pilot.press("enter")
        await until(lambda: len(app.screen_stack) == 1)
        head, body = read(target.read_text())
        assert (head.title, head.tags, head.status) == ("The sea in winter", ("sea", "winter"), "draft")
        assert body == SEA
        assert any("index.md" in words for words in app.said)

        target.write_text("somebody else's")
        await pilot.press("alt+e")
        screen = await dialog(app, pilot, PublishDialog)
        assert screen.form == "hugo"
        await pilot.press("enter")
        await until(lambda: "Enter again" in str(screen.query_one(".wrong").visual))
        assert target.read_text() == "somebody else's"
        await pilot.press("enter")
        await until(lambda: len(app.screen_stack) == 1)
        assert "somebody" not in target.read_text()


async def test_a_second_enter_replaces_only_what_the_first_has_named(tmp_path: Path):
    app = blog_app(tmp_path)
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    target = site / "content" / "posts" / "the-sea-in-winter" / "index.md"
    target.parent.mkdir(parents=True)
    target.symlink_to(elsewhere)
    async with blogging(app) as pilot:
        await opened(app, pilot)
        await pilot.press("alt+e")
        screen = await dialog(app, pilot, PublishDialog)
        screen.query_one(Input).value = str(site)
        await pilot.press("down", "down", "enter")
        await until(lambda: "leads out" in str(screen.query_one(".wrong").visual))
        target.unlink()
        target.write_text("somebody else's")
        await pilot.press("enter")
        await until(lambda: "Enter again" in str(screen.query_one(".wrong").visual))
        assert target.read_text() == "somebody else's" and not elsewhere.exists()


async def test_what_is_written_into_a_site_keeps_its_address(tmp_path: Path):
    app = blog_app(tmp_path)
    naming = POSTS[3]
    async with blogging(app) as pilot:
        await until(lambda: app.blog.shelf.chosen is not None)
        await app.vault.posts.save(msgspec.structs.replace(naming, title="Naming", updated_at=time.time()))
        app.blog.shelf.reload(naming.id)
        await until(lambda: app.blog.shelf.chosen.id == naming.id)
        await pilot.press("e")
        screen = await dialog(app, pilot, PublishDialog)
        screen.query_one(Input).value = str(tmp_path / "site")
        await pilot.press("down", "down", "enter")
        await until(lambda: len(app.screen_stack) == 1)
        await pilot.press("enter")
        await until(lambda: app.blog.writing and app.blog.desk.post is not None)
        await until(lambda: app.blog.desk.post.slug == "naming")

        app.query_one("#post-title", Input).value = "On names"
        await pilot.press("alt+e")
        screen = await dialog(app, pilot, PublishDialog)
        await until(lambda: "posts/naming/index.md" in str(screen.query_one(".target").visual))


async def test_what_is_out_has_an_address(tmp_path: Path):
    app = blog_app(tmp_path)
    async with blogging(app) as pilot:
        await opened(app, pilot)
        app.blog.desk.kept.adopt(slug="", title="Two seas")
        await pilot.press("ctrl+t")
        screen = await dialog(app, pilot, ParticularsDialog)
        screen.query_one(StatusField).focus()
        await pilot.press("space", "enter")
        await until(lambda: app.blog.desk.post.status == "published")
        assert app.blog.desk.post.slug == "two-seas"


async def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    app = blog_app(tmp_path)
    async with blogging(app) as pilot:
        await until(lambda: app.blog.shelf.chosen is not None)
        await pilot.press("e")
        screen = await dialog(app, pilot, PublishDialog)
        screen.query_one(Input).value = str(blocked / "deeper")
        await pilot.press("enter")
        await until(lambda: "cannot be written" in str(screen.query_one(".wrong").visual))


async def test_the_persons_own_editor(tmp_path: Path):
    script = tmp_path / "editor"
    script.write_text('#!/bin/sh\nprintf "Written elsewhere.\\n" > "$1"\n')
    script.chmod(0o700)
    app = blog_app(tmp_path, environ={"EDITOR": str(script), "PATH": "/usr/bin:/bin"})
    async with blogging(app) as pilot:
        await opened(app, pilot)
        app.suspend = nullcontext
        await pilot.press("ctrl+g")
        await until(lambda: app.blog.desk.editor.text == "Written elsewhere.")
        revisions = await app.vault.posts.revisions(POSTS[0].id)
        assert (await app.vault.posts.revision(POSTS[0].id, revisions[0].number)).body == SEA
