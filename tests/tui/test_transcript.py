"""What the transcript does with long answers, long conversations and filtered answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static
from textual.widgets.markdown import MarkdownBlock

from app.chat import Conversation, pacing
from app.messages import Message
from app.settings import ChatSettings
from app.tui.app import PlaygroundApp
from app.tui.chat.answer_text import AnswerText
from app.tui.chat.message_view import AnswerView
from app.tui.chat.pane import ChatPane
from app.tui.chat.transcript import Transcript

from .conftest import until
from .scripted import ScriptedRouter, answer

Make = Callable[..., PlaygroundApp]

BLOCKS = [
    f"## Part {number}\n\nSome *words* that go on for long enough to need a second line, number {number}, or so.\n\n"
    f"- one\n- two\n\n> said {number}\n\n```python\nx = {number}\n```\n\n"
    for number in range(14)
]


async def open_conversation(pilot: Pilot[Any], conversation: Conversation) -> Transcript:
    pane = pilot.app.query_one(ChatPane)
    pane.parts.current.conversation = conversation
    pane.parts.scene.arrange()
    transcript = pilot.app.query_one(Transcript)
    await transcript.show()
    await pilot.pause(0.2)
    return transcript


def tops(text: AnswerText) -> dict[MarkdownBlock, int]:
    """The screen line of every block that is awake."""
    return {child: child.region.y for child in text.children if isinstance(child, MarkdownBlock) and child.display}


async def test_what_is_far_above_the_reader_rests_and_nothing_moves(make_app: Make) -> None:
    router = ScriptedRouter([step for piece in answer(*BLOCKS) for step in (piece, 0.03)])
    app = make_app(router)
    async with app.run_test(size=(80, 24)) as pilot:
        pane = app.query_one(ChatPane)
        await pane.ask("go")
        await until(lambda: not pane.answering, 20)
        await pilot.pause(0.2)
        transcript, text = app.query_one(Transcript), app.query_one(AnswerText)
        assert text.resting > 30
        assert text.source == "".join(BLOCKS)
        height = transcript.virtual_size.height
        woken = 0
        while transcript.scroll_y > 0:
            before, resting = tops(text), text.resting
            transcript.scroll_to(y=transcript.scroll_y - 9, animate=False)
            await pilot.pause()
            await pilot.pause()
            after = tops(text)
            moves = {after[block] - before[block] for block in after.keys() & before.keys()}
            assert len(moves) == 1, moves
            assert moves <= set(range(10))
            assert transcript.virtual_size.height == height
            woken += resting - text.resting
        assert woken > 30
        assert text.resting == 0


async def test_another_width_wakes_what_rests(make_app: Make) -> None:
    router = ScriptedRouter([step for piece in answer(*BLOCKS) for step in (piece, 0.01)])
    app = make_app(router)
    async with app.run_test(size=(80, 24)) as pilot:
        pane = app.query_one(ChatPane)
        await pane.ask("go")
        await until(lambda: not pane.answering, 20)
        await pilot.pause(0.2)
        text = app.query_one(AnswerText)
        assert text.resting
        await pilot.resize_terminal(60, 24)
        await pilot.pause(0.2)
        assert not text.resting
        assert all(block.display for block in text.query(MarkdownBlock))


async def test_ten_thousand_short_messages_open_at_once_and_can_be_scrolled(make_app: Make) -> None:
    conversation = Conversation()
    for number in range(5_000):
        conversation.append(Message.user(f"question {number}"))
        conversation.append(Message.assistant(f"answer {number}"))
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        began = time.thread_time()
        transcript = await open_conversation(pilot, conversation)
        assert time.thread_time() - began < 1.0
        assert len(app.query(".message")) <= 30
        assert transcript.max_scroll_y > 6
        assert transcript.scroll_y == transcript.max_scroll_y
        first = transcript._sliding.views[0].node.id
        transcript.scroll_to(y=0, animate=False)
        await until(lambda: transcript._sliding.views[0].node.id != first)


async def test_a_filtered_answer_says_so_and_the_original_is_a_key_away(make_app: Make) -> None:
    said = "Certainly! Rome is old.\n\nI hope this helps!"
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        transcript = app.query_one(Transcript)
        transcript._filtered = True
        conversation = Conversation()
        conversation.append(Message.user("Tell me"))
        conversation.append(Message.assistant(said))
        await open_conversation(pilot, conversation)
        text = app.query_one(AnswerText)
        assert text.source == "Rome is old."
        assert "2 sentences left out" in str(app.query_one(".footer", Static).render())
        assert await transcript.toggle_original()
        assert text.source == said
        assert "the original" in str(app.query_one(".footer", Static).render())
        assert await transcript.toggle_original()
        assert text.source == "Rome is old."
        assert conversation.path()[-1].message.text == said


async def test_an_answer_is_filtered_while_it_streams_and_nothing_is_lost_when_switching(make_app: Make) -> None:
    go_on = asyncio.Event()
    script = answer("Certainly! ", "Rome is ", "old. ", "It stands on seven hills. ", "I hope this helps!")
    script.insert(4, go_on)
    app = make_app(ScriptedRouter(script))
    async with app.run_test(size=(80, 24)) as pilot:
        app.query_one(Transcript)._filtered = True
        pane = app.query_one(ChatPane)
        await pane.ask("go")
        await until(lambda: any("Rome" in text.source for text in app.query(AnswerText)))
        text, view = app.query_one(AnswerText), app.query_one(AnswerView)
        assert text.source.startswith("Rome")
        assert await view.toggle_original()
        assert text.source.startswith("Certainly! Rome")
        go_on.set()
        await until(lambda: not pane.answering)
        await pilot.pause(0.1)
        assert text.source == "Certainly! Rome is old. It stands on seven hills. I hope this helps!"
        assert await view.toggle_original()
        assert text.source == "Rome is old. It stands on seven hills."


async def test_an_answer_without_boilerplate_has_no_original_to_show(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        transcript = app.query_one(Transcript)
        transcript._filtered = True
        conversation = Conversation()
        conversation.append(Message.assistant("Rome is old."))
        await open_conversation(pilot, conversation)
        assert not await transcript.toggle_original()
        assert "left out" not in str(app.query_one(".footer", Static).render())


async def test_a_paced_answer_comes_in_groups_and_whole(make_app: Make) -> None:
    story = "Once upon a time there was a keeper, and he was old. " * 3
    app = make_app(ScriptedRouter(answer(story)))
    async with app.run_test(size=(80, 24)) as pilot:
        pane = app.query_one(ChatPane)
        pane.parts.answers._choices = ChatSettings(pacing=True)
        await pane.ask("go")
        await until(lambda: app.query(AnswerText) and app.query_one(AnswerText).source)
        assert len(app.query_one(AnswerText).source) < len(story)
        await until(lambda: not pane.answering)
        await pilot.pause()
        assert app.query_one(AnswerText).source == story


async def test_stopping_a_paced_answer_shows_what_came_at_once(make_app: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "BEHIND", 60.0)
    story = "Once upon a time there was a keeper, and he was old. " * 20
    script = answer(story)
    script.insert(2, asyncio.Event())
    app = make_app(ScriptedRouter(script))
    async with app.run_test(size=(80, 24)):
        pane = app.query_one(ChatPane)
        pane.parts.answers._choices = ChatSettings(pacing=True)
        await pane.ask("go")
        await until(lambda: app.query(AnswerText) and app.query_one(AnswerText).source)
        began = time.monotonic()
        await pane.action_stop()
        await until(lambda: not pane.answering)
        assert time.monotonic() - began < 4.0  # at its pace it would take fifteen
        assert app.query_one(AnswerText).source == story


LISTS = [
    "1. One\n2. Two *strong*\n3. Three\n   more of it\n\n   - nested\n   - two\n4. Four\n",
    "\n".join(f"{number}. item {number}" for number in range(7, 14)) + "\n\nThe end.\n",
    "- a\n- b\n\n- c\n  ```python\n  x = 1\n  ```\n- d\n\n1. e\n1. f\n1. g\n",
]


@pytest.mark.parametrize("text", LISTS)
async def test_a_list_that_grew_piece_by_piece_looks_as_if_it_had_come_whole(make_app: Make, text: str) -> None:
    def look(app: PlaygroundApp) -> list[str]:
        screen = app.screen
        lines = screen._compositor.render_strips()
        return [strip.text for strip in lines]

    pictures = []
    for size in (3, len(text)):
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        app = make_app()
        async with app.run_test(size=(60, 40)) as pilot:
            conversation = Conversation()
            node = conversation.append(Message.assistant(""), status="complete")
            transcript = await open_conversation(pilot, conversation)
            view = transcript.answer_view(node.id)
            assert view is not None
            for piece in pieces:
                await view.append(piece)
            await pilot.pause(0.2)
            pictures.append([line.rstrip() for line in look(app)])
    assert pictures[0] == pictures[1]
