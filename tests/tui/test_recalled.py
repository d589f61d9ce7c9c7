"""Memory in the chat: what was recalled stands above the answer, can be forgotten, and can be switched off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any

import msgspec
from textual.widgets import Static

from app.chat.recalling import Recaller
from app.errors import EngineError
from app.memory.recall import Recalled
from app.messages import Message, Node
from app.tui.app import PlaygroundApp
from app.tui.bars.tabs import TabBar
from app.tui.blog.pane import BlogPane
from app.tui.chat.composer import Composer
from app.tui.chat.pane import ChatPane
from app.tui.chat.recalled_view import RecalledView
from app.tui.chat.transcript import Transcript
from app.vault import Session, WholeSession
from app.vault.posts.records import Post

from .conftest import until
from .scripted import ScriptedRouter, answer


def passage(text: str, title: str, source_id: str, **chosen: Any) -> Recalled:
    values: dict[str, Any] = {
        "source": "message",
        "session_id": "s1",
        "role": "user",
        "date": 1_750_000_000.0,
        "why": "meaning",
        "score": 1.0,
    }
    return Recalled(text=text, title=title, source_id=source_id, **(values | chosen))


PASSAGE = passage("The dog is called Bella.\x1b]52;c;eA==\x07", "Pets\x1b[2J", "m1")
POST = passage("Dogs bark.", "On dogs", "p1", source="post", session_id="")


DOG = "The dog is called Bella."


class Memory:
    def __init__(self, *passages: Recalled) -> None:
        self.passages = passages

    async def recall(
        self, question: str, *, without: Collection[str] = frozenset(), most_tokens: int | None = None
    ) -> tuple[Recalled, ...]:
        return self.passages


def recalling(*passages: Recalled) -> Callable[..., Recaller]:
    return lambda model, session: Recaller(Memory(*passages), session)


recaller = recalling(PASSAGE)


async def ask(app: PlaygroundApp, pilot: Any, text: str) -> ChatPane:
    app.query_one(Composer).put(text)
    await pilot.press("enter")
    pane = app.query_one(ChatPane)
    await until(lambda: not pane.answering)
    await pilot.pause()
    return pane


async def forgotten(app: PlaygroundApp) -> int:
    return (await app._playground.vault.vectors.standing("m")).forgotten


async def until_forgotten(app: PlaygroundApp, number: int) -> None:
    async with asyncio.timeout(5):
        while await forgotten(app) != number:
            await asyncio.sleep(0.02)


async def test_what_was_recalled_stands_above_the_answer_and_can_be_forgotten(
    make_app: Callable[..., PlaygroundApp],
) -> None:
    router = ScriptedRouter(answer("Bella."))
    app = make_app(router, recaller=recaller)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(lambda: app.query_one(ChatPane).keeper is not None)
        await ask(app, pilot, "What is my dog called?")
        view = app.query_one(RecalledView)
        assert str(view.query(".heading").first(Static).render()).startswith("▸ recalled from “Pets")
        assert "> The dog is called Bella." in router.requests[0].at_home().messages[-1].text
        view.unfold(True)
        await pilot.pause()
        assert "\x1b" not in "".join(str(line.render()) for line in view.query(Static))
        view.query_one("#forget-0").scroll_visible(animate=False)
        await pilot.pause()
        assert await pilot.click("#forget-0")
        await until_forgotten(app, 1)
        await until(lambda: "undo" in str(view.query_one("#forget-0", Static).render()))
        assert await pilot.click("#forget-0")
        await until_forgotten(app, 0)


async def test_everything_about_what_was_recalled_can_be_done_by_keys(make_app: Callable[..., PlaygroundApp]) -> None:
    app = make_app(ScriptedRouter(answer("Bella.")), recaller=recalling(PASSAGE, POST))
    async with app.run_test(size=(100, 30)) as pilot:
        await until(lambda: app.query_one(ChatPane).keeper is not None)
        assert "recalled" not in offered(app), "nothing was recalled yet"
        await ask(app, pilot, "What is my dog called?")
        view = app.query_one(RecalledView)
        assert "alt+m" in str(view.query(".heading").first(Static).render()), "the line says which key"
        assert not view.focusable, "no stop of the Tab key while it is folded"
        assert "recalled" in offered(app)
        await pilot.press("alt+m")
        assert view.open and view.has_focus
        assert {"open", "forget", "leave"} <= offered(app)
        assert view.chosen.region.y >= 0, "it is in view although the transcript follows its end"
        await pilot.press("f")
        await until_forgotten(app, 1)
        await until(lambda: view.chosen.forgotten)
        assert "undo" in offered(app) and "forget" not in offered(app)
        await pilot.press("u")
        await until_forgotten(app, 0)
        await until(lambda: not view.chosen.forgotten)
        await pilot.press("down")
        assert view.chosen.passage is POST
        assert "open" in offered(app)
        await pilot.press("down", "escape")
        assert not view.open
        assert isinstance(app.focused, Composer)
        await pilot.press("shift+tab", "m")
        assert view.has_focus
        await pilot.press("alt+m")
        assert isinstance(app.focused, Transcript), "the keys go back to where they were"


async def test_a_recalled_post_is_opened_in_the_blog_pane(make_app: Callable[..., PlaygroundApp]) -> None:
    app = make_app(ScriptedRouter(answer("They do.")), recaller=recalling(POST))
    async with app.run_test(size=(100, 30)) as pilot:
        await until(lambda: app.query_one(ChatPane).keeper is not None)
        await app._playground.vault.posts.save(
            Post(id="p1", title="On dogs", body="Dogs bark.", created_at=1.0, updated_at=1.0)
        )
        await ask(app, pilot, "What do dogs do?")
        await pilot.press("alt+m", "enter")
        await until(lambda: bool(app.query(BlogPane)) and app.query_one(BlogPane).writing)
        desk = app.query_one(BlogPane).desk
        assert desk.post is not None and desk.post.title == "On dogs"
        assert app.query_one(TabBar).current == "blog"


async def test_a_recalled_passage_is_opened_where_it_was_said(make_app: Callable[..., PlaygroundApp]) -> None:
    app = make_app(ScriptedRouter(answer("Bella.")), recaller=recaller)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(lambda: app.query_one(ChatPane).keeper is not None)
        await app._playground.vault.sessions.add(
            WholeSession(
                Session(id="s1", title="Pets", head_id="m2"),
                (
                    Node(id="m1", parent_id=None, message=Message.user("The dog is called Bella."), created_at=1.0),
                    Node(id="m2", parent_id="m1", message=Message.assistant("A fine name."), created_at=2.0),
                ),
            )
        )
        pane = await ask(app, pilot, "What is my dog called?")
        await pilot.press("alt+m", "enter")
        await until(lambda: pane.keeper is not None and pane.keeper.session.id == "s1")
        await until(lambda: pane.query_one(Transcript).chosen == "m1")
        assert not app.query(RecalledView), "nothing was recalled there"
        await pilot.pause()
        assert "recalled" not in offered(app)


async def test_it_stays_above_its_answer_when_that_is_built_again(make_app: Callable[..., PlaygroundApp]) -> None:
    app = make_app(ScriptedRouter(answer("Bella.")), recaller=recaller)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(lambda: app.query_one(ChatPane).keeper is not None)
        pane = await ask(app, pilot, "What is my dog called?")
        transcript = pane.query_one(Transcript)
        before = app.query_one(RecalledView)
        await transcript.refresh_view(pane.conversation.path()[-1].id)
        await pilot.pause()
        assert app.query_one(RecalledView) is not before
        await pane.action_new_chat()
        await pilot.pause()
        assert transcript._recalled == {}, "nothing of it is kept with another conversation"


async def test_memory_that_fails_says_so_in_a_quiet_line(make_app: Callable[..., PlaygroundApp]) -> None:
    class Broken(Memory):
        async def recall(
            self, question: str, *, without: Collection[str] = frozenset(), most_tokens: int | None = None
        ) -> tuple[Recalled, ...]:
            raise EngineError("The model is \x1b[2J gone.")

    app = make_app(ScriptedRouter(answer("No idea.")), recaller=lambda model, session: Recaller(Broken(), session))
    async with app.run_test(size=(100, 30)) as pilot:
        await until(lambda: app.query_one(ChatPane).keeper is not None)
        await ask(app, pilot, "What is my dog called?")
        (line,) = [str(each.render()) for each in app.query(".answer > .note").results(Static)]
        assert line.startswith("nothing was recalled: the model is") and "\x1b" not in line
        assert not app.query(RecalledView)


async def keep_pets(app: PlaygroundApp) -> None:
    """An earlier conversation about the dog, in the vault."""
    await until(lambda: app.query_one(ChatPane).keeper is not None)
    await app._playground.vault.sessions.add(
        WholeSession(
            Session(id="s1", title="Pets", head_id="m1"),
            (Node(id="m1", parent_id=None, message=Message.user(DOG), created_at=1.0),),
        )
    )


async def test_it_is_there_again_when_the_conversation_is_opened_later(make_app: Callable[..., PlaygroundApp]) -> None:
    app = make_app(ScriptedRouter(answer("Bella.")), recaller=recalling(msgspec.structs.replace(PASSAGE, text=DOG)))
    async with app.run_test(size=(100, 30)) as pilot:
        await keep_pets(app)
        pane = await ask(app, pilot, "What is my dog called?")
        assert pane.keeper is not None
        session_id = pane.keeper.session.id
        await pane.action_new_chat()
        assert not app.query(RecalledView)
        assert await pane.open_session(session_id)
        await pilot.pause()
        await pilot.press("alt+m")
        assert app.query_one(RecalledView).chosen.passage.text == DOG
        await pilot.press("f")
        await until_forgotten(app, 1)
        await pane.action_new_chat()
        assert await pane.open_session(session_id)
        await pilot.pause()
        assert not app.query(RecalledView), "what is forgotten is not shown again either"


async def test_it_is_there_again_on_the_branches_that_are_shown_later(make_app: Callable[..., PlaygroundApp]) -> None:
    app = make_app(
        ScriptedRouter(answer("Bella."), answer("Perhaps Bella.")),
        recaller=recalling(msgspec.structs.replace(PASSAGE, text=DOG)),
    )
    async with app.run_test(size=(100, 30)) as pilot:
        await keep_pets(app)
        pane = await ask(app, pilot, "What is my dog called?")
        await pilot.press("ctrl+r")
        await until(lambda: not pane.answering and pane.conversation.path()[-1].message.text == "Perhaps Bella.")
        assert pane.keeper is not None
        session_id = pane.keeper.session.id
        await pane.action_new_chat()
        assert await pane.open_session(session_id)
        await pilot.press("alt+left")
        await until(lambda: pane.conversation.path()[-1].message.text == "Bella.")
        await pilot.pause()
        assert app.query(RecalledView)


def offered(app: PlaygroundApp) -> set[str]:
    return {
        active.binding.action.partition("(")[0]
        for active in app.screen.active_bindings.values()
        if active.enabled and active.binding.show
    }


async def test_memory_is_switched_off_for_one_conversation(make_app: Callable[..., PlaygroundApp]) -> None:
    router = ScriptedRouter(answer("I do not know."))
    app = make_app(router, recaller=recaller)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(lambda: app.query_one(ChatPane).keeper is not None)
        pane = await ask(app, pilot, "/memory off")
        assert pane.keeper is not None
        assert not pane.keeper.session.remembers
        await ask(app, pilot, "What is my dog called?")
        assert not app.query(RecalledView)
        assert router.requests[0].at_home().messages[-1].text == "What is my dog called?"
