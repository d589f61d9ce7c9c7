from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from app.chat import AnswerBegun, AnswerEnded, Conversation, Exchange, Outgoing, TextArrived
from app.errors import WorkerDiedError
from app.messages import (
    ChatRequest,
    Delta,
    Finished,
    Message,
    Started,
    TextDelta,
    ThinkingDelta,
    Timings,
    Usage,
    Waiting,
)


class Scripted:
    def __init__(self, *script: Any) -> None:
        self.script = script
        self.closed = False
        self.request: ChatRequest | None = None

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        self.request = request
        try:
            for step in self.script:
                if isinstance(step, BaseException):
                    raise step
                if isinstance(step, asyncio.Event):
                    await step.wait()
                else:
                    yield step
        finally:
            self.closed = True


def asked() -> tuple[Conversation, str]:
    conversation = Conversation()
    return conversation, conversation.append(Message.user("Name three colours.")).id


DONE = Finished("stop", Usage(5, 2), Timings(0, 0.1, 0.2))


async def test_an_answer_is_kept_with_what_it_cost() -> None:
    conversation, question = asked()
    router = Scripted(Waiting("loading", 5, 100), Started("m", "local"), TextDelta("Red, "), TextDelta("blue."), DONE)
    events = [event async for event in Exchange(Outgoing(conversation, "m"), router).run(question)]
    assert [type(event).__name__ for event in events] == [
        "AnswerBegun", "Waiting", "Started", "TextArrived", "TextArrived", "AnswerEnded",
    ]  # fmt: skip
    node = conversation.path()[-1]
    assert (node.message.text, node.status, node.finish) == ("Red, blue.", "complete", "stop")
    assert (node.usage, node.timings, node.model) == (Usage(5, 2), Timings(0, 0.1, 0.2), "m")
    assert node.first_token is not None
    assert router.request is not None
    assert router.request.messages == (Message.user("Name three colours."),)


async def test_the_answer_is_in_the_conversation_before_anything_is_asked_of_a_model() -> None:
    conversation, question = asked()
    router = Scripted(DONE)
    async for event in Exchange(Outgoing(conversation, "m"), router).run(question):
        if isinstance(event, AnswerBegun):
            assert router.request is None
            assert conversation.path()[-1].status == "streaming"


async def test_an_error_keeps_what_came_and_is_a_field_not_text() -> None:
    conversation, question = asked()
    router = Scripted(TextDelta("Red"), ThinkingDelta("hm"), WorkerDiedError("It died.", "Ask again."))
    events = [event async for event in Exchange(Outgoing(conversation, "m"), router).run(question)]
    assert isinstance(events[-1], AnswerEnded)
    node = conversation.path()[-1]
    assert (node.message.text, node.status) == ("Red", "failed")
    assert node.error is not None
    assert (node.error.title, node.error.remedy) == ("The engine stopped", "Ask again.")


async def test_cancelling_the_reader_stops_the_model_and_leaves_a_cut_answer() -> None:
    conversation, question = asked()
    router = Scripted(TextDelta("Red"), asyncio.Event())
    arrived = asyncio.Event()

    async def read() -> None:
        async for event in Exchange(Outgoing(conversation, "m"), router).run(question):
            if isinstance(event, TextArrived):
                arrived.set()

    task = asyncio.create_task(read())
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    node = conversation.path()[-1]
    assert (node.message.text, node.status, node.error) == ("Red", "cut", None)
    assert router.closed


async def test_closing_the_iterator_between_two_pieces_does_the_same() -> None:
    conversation, question = asked()
    router = Scripted(TextDelta("Red"), TextDelta(" and blue"), DONE)
    events = Exchange(Outgoing(conversation, "m"), router).run(question)
    async for event in events:
        if isinstance(event, TextArrived):
            break
    await events.aclose()
    assert (conversation.path()[-1].message.text, conversation.path()[-1].status) == ("Red", "cut")
    assert router.closed


async def test_a_long_answer_is_saved_while_it_streams() -> None:
    conversation, question = asked()
    now = [0.0]
    router = Scripted(TextDelta("a"), TextDelta("b"), TextDelta("c"), DONE)
    async for event in Exchange(Outgoing(conversation, "m"), router, clock=lambda: now[0]).run(question):
        if isinstance(event, TextArrived):
            now[0] += 0.6
            if event.text == "c":
                assert conversation.path()[-1].message.text == "abc"
                assert conversation.path()[-1].status == "streaming"


async def test_asking_again_asks_for_a_fresh_answer() -> None:
    conversation, question = asked()
    router = Scripted(Started("m", "local"), TextDelta("Red."), DONE)
    for fresh in (False, True):
        _ = [event async for event in Exchange(Outgoing(conversation, "m"), router).run(question)]
        assert router.request is not None and router.request.fresh is fresh


async def test_answering_again_makes_a_version() -> None:
    conversation, question = asked()
    for text in ("one", "two"):
        async for _ in Exchange(Outgoing(conversation, "m"), Scripted(TextDelta(text), DONE)).run(question):
            pass
    assert [node.message.text for node in conversation.siblings(conversation.path()[-1].id)] == ["one", "two"]
