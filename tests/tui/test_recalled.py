"""Memory in the chat: what was recalled stands above the answer, can be forgotten, and can be switched off."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from textual.widgets import Static

from app.chat.recalling import Recaller
from app.memory.recall import Recalled
from app.tui.app import PlaygroundApp
from app.tui.chat.composer import Composer
from app.tui.chat.pane import ChatPane
from app.tui.chat.recalled_view import RecalledView

from .conftest import until
from .scripted import ScriptedRouter, answer

PASSAGE = Recalled(
    source="message",
    source_id="m1",
    session_id="s1",
    title="Pets\x1b[2J",
    role="user",
    date=1_750_000_000.0,
    text="The dog is called Bella.\x1b]52;c;eA==\x07",
    why="meaning",
    score=1.0,
)


class Memory:
    async def recall(
        self, question: str, *, without: Collection[str] = frozenset(), most_tokens: int | None = None
    ) -> tuple[Recalled, ...]:
        return (PASSAGE,)


def recaller(model: str, session: Callable[[], bool]) -> Recaller:
    return Recaller(Memory(), session)


async def ask(app: PlaygroundApp, pilot: Any, text: str) -> ChatPane:
    app.query_one(Composer).put(text)
    await pilot.press("enter")
    pane = app.query_one(ChatPane)
    await until(lambda: not pane.answering)
    await pilot.pause()
    return pane


async def test_what_was_recalled_stands_above_the_answer_and_can_be_forgotten(
    make_app: Callable[..., PlaygroundApp],
) -> None:
    router = ScriptedRouter(answer("Bella."))
    app = make_app(router, recaller=recaller)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(lambda: app.query_one(ChatPane).keeper is not None)
        pane = await ask(app, pilot, "What is my dog called?")
        view = app.query_one(RecalledView)
        assert str(view.query(".heading").first(Static).render()).startswith("▸ recalled from “Pets")
        assert "> The dog is called Bella." in router.requests[0].messages[-1].text
        view.unfold(True)
        await pilot.pause()
        assert "\x1b" not in "".join(str(line.render()) for line in view.query(Static))
        view.query_one("#forget-0").scroll_visible(animate=False)
        await pilot.pause()
        assert await pilot.click("#forget-0")
        vault = pane.keeper and app._playground.vault
        assert vault is not None

        async def forgotten() -> int:
            return (await vault.vectors.standing("m")).forgotten

        await pilot.pause(0.3)
        assert await forgotten() == 1


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
        assert router.requests[0].messages[-1].text == "What is my dog called?"
