"""Help from a model: asked for, followed, taken in parts or left, stopped, failed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from app.errors import WorkerDiedError
from app.tui.blog.choices import ChoicesScreen
from app.tui.blog.proposal import HunkCard, ProposalScreen
from app.tui.blog.summary_card import SummaryCard
from app.vault.posts.records import Post

from .blog_app import NOW, POSTS, SEA, blog_app, blogging, opened
from .conftest import until
from .scripted import ScriptedRouter, answer

KINDS = ("titles", "headlines", "summary", "rewrite", "continue", "grammar", "draft", "translate", "tags")

TWO = "One is here.\n\nTwo is there.\n\nThree is gone.\n"


async def with_two(vault):
    await vault.open()
    await vault.posts.save(Post(id="a" * 32, title="Counting", body=TWO, created_at=NOW, updated_at=NOW))


async def ask(app, pilot, kind: str) -> None:
    await pilot.press("f3")
    await until(lambda: len(app.screen_stack) == 2)
    await pilot.press(*["down"] * KINDS.index(kind), "enter")
    await pilot.pause()
    if kind in ("rewrite", "translate"):
        await until(lambda: type(app.screen).__name__ == "OptionsDialog")
        await pilot.press("enter")


async def asked(app, pilot, kind: str, screen):
    await ask(app, pilot, kind)
    await until(lambda: isinstance(app.screen, screen) and not app.screen.running)
    await pilot.pause()
    return app.screen


async def test_one_hunk_is_accepted_and_another_rejected(tmp_path: Path):
    router = ScriptedRouter(answer("One was here.\n\nTwo is there.\n\n", "Three went away."))
    app = blog_app(tmp_path, with_two, router=router)
    async with blogging(app) as pilot:
        await opened(app, pilot)
        screen = await asked(app, pilot, "rewrite", ProposalScreen)
        assert len(screen.hunks) == 2
        assert [card.has_class("-chosen") for card in app.screen.query(HunkCard)] == [True, False]
        await pilot.press("a", "r")
        assert screen.verdicts == ["accepted", "rejected"]
        await pilot.press("enter")
        await until(lambda: len(app.screen_stack) == 1)
        await until(lambda: app.blog.desk.editor.text == TWO.replace("One is", "One was"))
        await until(lambda: not app.blog.desk.keeper.unwritten)
        assert (await app.vault.posts.get("a" * 32)).body.startswith("One was here.")
        revisions = await app.vault.posts.revisions("a" * 32)
        assert (await app.vault.posts.revision("a" * 32, revisions[0].number)).body == TWO
        await pilot.press("ctrl+z")
        assert app.blog.desk.editor.text == TWO


async def test_all_are_accepted_with_one_key_but_those_rejected(tmp_path: Path):
    router = ScriptedRouter(answer("1 is here.\n\nTwo is there.\n\n3 is gone."))
    app = blog_app(tmp_path, with_two, router=router)
    async with blogging(app) as pilot:
        await opened(app, pilot)
        await asked(app, pilot, "grammar", ProposalScreen)
        await pilot.press("r", "A")
        await until(lambda: app.blog.desk.editor.text == TWO.replace("Three", "3"))


@pytest.mark.parametrize("keys", [["escape"], ["enter"], ["r", "r", "enter"]])
async def test_nothing_changes_unless_it_is_accepted(tmp_path: Path, keys: list[str]):
    app = blog_app(tmp_path, with_two, router=ScriptedRouter(answer("1 is here.\n\nTwo is there.\n\n3 is gone.")))
    async with blogging(app) as pilot:
        await opened(app, pilot)
        await asked(app, pilot, "grammar", ProposalScreen)
        await pilot.press(*keys)
        await until(lambda: len(app.screen_stack) == 1)
        await pilot.pause()
        assert app.blog.desk.editor.text == TWO
        assert (await app.vault.posts.get("a" * 32)).body == TWO


async def test_the_marked_text_alone_is_worked_on(tmp_path: Path):
    router = ScriptedRouter(answer("2 is there."))
    app = blog_app(tmp_path, with_two, router=router)
    async with blogging(app) as pilot:
        await opened(app, pilot)
        await pilot.press("down", "down", "shift+end")
        await asked(app, pilot, "grammar", ProposalScreen)
        assert "<text>\nTwo is there.\n</text>" in router.requests[0].messages[-1].text
        await pilot.press("A")
        await until(lambda: app.blog.desk.editor.text == TWO.replace("Two", "2"))


async def test_leaving_stops_the_model(tmp_path: Path):
    held = asyncio.Event()
    router = ScriptedRouter([*answer("One was")[:2], held])
    app = blog_app(tmp_path, with_two, router=router)
    async with blogging(app) as pilot:
        await opened(app, pilot)
        await ask(app, pilot, "rewrite")
        await until(lambda: isinstance(app.screen, ProposalScreen) and router.requests)
        assert router.closed == 0
        await pilot.press("escape")
        await until(lambda: router.closed == 1)
        assert app.blog.desk.editor.text == TWO


async def test_locking_stops_the_model(tmp_path: Path):
    router = ScriptedRouter([*answer("One was")[:2], asyncio.Event()])
    app = blog_app(tmp_path, with_two, router=router)
    async with blogging(app) as pilot:
        await app.vault.set_passphrase("correct horse battery staple")
        await opened(app, pilot)
        await ask(app, pilot, "rewrite")
        await until(lambda: router.requests)
        await app.lock()
        await until(lambda: router.closed == 1)


async def test_a_long_post_tells_its_parts_and_a_failure_leaves_those_done(tmp_path: Path):
    paragraphs = [f"Paragraph {number} " + "is rather long, since it has to be. " * 40 + "End." for number in range(3)]
    body = "\n\n".join(paragraphs)

    async def fill(vault):
        await vault.open()
        await vault.posts.save(Post(id="a" * 32, title="Long", body=body, created_at=NOW, updated_at=NOW))

    gate = asyncio.Event()
    router = ScriptedRouter(
        answer("First, shorter."), [gate, WorkerDiedError("The engine ended.", "It is started again by itself.")]
    )
    app = blog_app(tmp_path, fill, router=router)
    async with blogging(app) as pilot:
        await opened(app, pilot)
        await ask(app, pilot, "rewrite")
        await until(lambda: len(router.requests) == 2)
        await until(lambda: "part 2 of 3" in str(app.screen.query_one(".title").visual))
        gate.set()
        await until(lambda: not app.screen.running)
        assert app.screen.failure.message == "The engine ended."
        assert app.blog.desk.editor.text == body
        assert len(app.screen.hunks) == 1
        await pilot.pause()
        await pilot.press("A")
        await until(lambda: app.blog.desk.editor.text.startswith("First, shorter.\n\nParagraph 1"))


async def test_a_title_is_chosen(tmp_path: Path):
    router = ScriptedRouter(answer('1. "Counting up"\n2. Three things\n', "3. Where they went"))
    app = blog_app(tmp_path, with_two, router=router)
    async with blogging(app) as pilot:
        await opened(app, pilot)
        screen = await asked(app, pilot, "titles", ChoicesScreen)
        assert screen.choices == ("Counting up", "Three things", "Where they went")
        await pilot.press("down", "enter")
        await until(lambda: app.blog.desk.post.title == "Three things")
        await until(lambda: not app.blog.desk.keeper.unwritten)
        assert (await app.vault.posts.get("a" * 32)).title == "Three things"
        assert (await app.vault.posts.revisions("a" * 32))[0].title == "Counting"


async def test_tags_are_marked_and_added(tmp_path: Path):
    app = blog_app(tmp_path, router=ScriptedRouter(answer("tide, gulls, winter, rope")))
    async with blogging(app) as pilot:
        await opened(app, pilot)
        await asked(app, pilot, "tags", ChoicesScreen)
        await pilot.press("down", "space", "enter")
        await until(lambda: app.blog.desk.post.tags == ("sea", "winter", "tide", "rope"))


async def test_a_headline_takes_the_place_of_the_one_at_the_cursor(tmp_path: Path):
    router = ScriptedRouter(answer("The tide's gifts\nWhat comes in"))
    app = blog_app(tmp_path, router=router)
    async with blogging(app) as pilot:
        await opened(app, pilot)
        await pilot.press(*["down"] * 7)
        await asked(app, pilot, "headlines", ChoicesScreen)
        assert "What the tide brings" in router.requests[0].messages[-1].text
        await pilot.press("enter")
        await until(lambda: "## The tide's gifts\n" in app.blog.desk.editor.text)
        assert "What the tide brings" not in app.blog.desk.editor.text


async def test_a_summary_is_copied_or_put_in(tmp_path: Path):
    app = blog_app(tmp_path, router=ScriptedRouter(answer("It is ", "about the sea.")))
    async with blogging(app) as pilot:
        await opened(app, pilot)
        await asked(app, pilot, "summary", SummaryCard)
        await pilot.press("c")
        assert app.copied == ["It is about the sea."]
        await pilot.press("i")
        await until(lambda: app.blog.desk.editor.text == "It is about the sea." + SEA)


async def test_going_on_adds_a_paragraph_after_the_cursor(tmp_path: Path):
    router = ScriptedRouter(answer("And then two more."))
    app = blog_app(tmp_path, with_two, router=router)
    async with blogging(app) as pilot:
        await opened(app, pilot)
        screen = await asked(app, pilot, "continue", ProposalScreen)
        assert [hunk.kind for hunk in screen.hunks] == ["added"]
        await pilot.press("A")
        await until(
            lambda: (
                app.blog.desk.editor.text == "One is here.\n\nAnd then two more.\n\nTwo is there.\n\nThree is gone.\n"
            )
        )
        assert "Two is there" not in router.requests[0].messages[-1].text


async def test_what_a_model_says_cannot_command_the_terminal(tmp_path: Path):
    router = ScriptedRouter(answer("One \x1b]52;c;aGk=\x07here.\n\nTwo is there.\n\nThree is gone."))
    app = blog_app(tmp_path, with_two, router=router)
    async with blogging(app) as pilot:
        await opened(app, pilot)
        await asked(app, pilot, "grammar", ProposalScreen)
        await pilot.press("A")
        await until(lambda: app.blog.desk.editor.text != TWO)
        assert "\x1b" not in app.blog.desk.editor.text
        assert "␛" in app.blog.desk.editor.text


async def test_an_empty_answer_is_said_and_can_be_asked_again(tmp_path: Path):
    router = ScriptedRouter(answer(""), answer("Numbers"))
    app = blog_app(tmp_path, with_two, router=router)
    async with blogging(app) as pilot:
        await opened(app, pilot)
        screen = await asked(app, pilot, "titles", ChoicesScreen)
        assert screen.choices == ()
        await pilot.press("t")
        await until(lambda: screen.choices == ("Numbers",))
        await pilot.press("escape")
        assert POSTS
