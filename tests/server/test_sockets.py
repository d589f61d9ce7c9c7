"""Chat over a WebSocket, driven by the ``websockets`` client."""

import asyncio

import msgspec
import pytest
import websockets
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import EngineError
from app.messages import ThinkingDelta
from app.server import sockets
from app.server.serving import Serving, listen
from app.server.sockets import grouped
from tests.starter import NAME

from .scripted import services_of

HELLO = {"type": "chat", "id": "1", "model": "scripted", "messages": [{"role": "user", "content": "Hello"}]}


class Talk:
    """A connection whose frames are objects."""

    def __init__(self, socket):
        self.socket = socket

    async def say(self, **what):
        await self.socket.send(msgspec.json.encode(what).decode())

    async def hear(self):
        async with asyncio.timeout(55):  # a model may have to be loaded first
            return msgspec.json.decode(await self.socket.recv())

    async def hear_all(self):
        heard = [await self.hear()]
        while heard[-1]["type"] not in ("finished", "error", "cancelled"):
            heard.append(await self.hear())
        return heard


@pytest.fixture
async def talk(address):
    async with websockets.connect(f"{address.replace('http', 'ws')}/v1/chat/ws") as socket:
        yield Talk(socket)


async def test_an_answer_comes_in_groups_of_words(talk, backend):
    backend.steps = [*"one two three four five six seven eight"]
    await talk.say(**HELLO)
    heard = await talk.hear_all()
    number = heard[0].pop("request")
    assert number == talk.socket.response.headers["x-request-id"]
    assert heard[0] == {"type": "started", "id": "1", "model": "scripted", "backend": "scripted"}
    groups = [message["text"] for message in heard if message["type"] == "words"]
    assert "".join(groups) == "one two three four five six seven eight"
    assert all(2 <= len(group.split()) <= 5 for group in groups[:-1])
    assert heard[-1]["reason"] == "stop"
    assert heard[-1]["usage"] == {"prompt_tokens": 9, "completion_tokens": 2}
    assert all(message["id"] == "1" for message in heard)


async def test_pacing_keeps_every_letter(talk, backend):
    backend.steps = ["one two three four five six seven."]
    await talk.say(**HELLO, pacing=True)
    heard = await talk.hear_all()
    groups = [message["text"] for message in heard if message["type"] == "words"]
    assert "".join(groups) == "one two three four five six seven."
    assert len(groups) > 1


async def test_thoughts_are_told_apart(talk, backend):
    backend.steps = [ThinkingDelta("Hm."), "Yes."]
    await talk.say(**HELLO)
    heard = await talk.hear_all()
    assert [message["type"] for message in heard] == ["started", "thinking", "words", "finished"]


async def test_a_cancelled_answer_stops_and_another_may_be_asked(talk, backend):
    backend.steps = ["word ", 0.01] * 2000
    await talk.say(**HELLO)
    await talk.hear()
    await talk.say(**{**HELLO, "id": "2"})
    await talk.say(type="cancel", id="1")
    heard = await talk.hear_all()
    while heard[-1]["type"] != "cancelled":
        assert heard[-1]["id"] == "2"
        assert heard[-1]["error"]["code"] == "busy"
        heard = await talk.hear_all()
    await backend.idle()
    backend.steps = ["Yes."]
    await talk.say(**{**HELLO, "id": "3"})
    assert (await talk.hear_all())[-1]["type"] == "finished"


async def test_who_leaves_stops_the_answer(talk, backend):
    backend.steps = ["word ", 0.01] * 2000
    await talk.say(**HELLO)
    await talk.hear()
    await talk.socket.close()
    await backend.idle()
    assert backend.given < 200


async def test_errors_leave_the_connection_open(talk, backend):
    await talk.say(**{**HELLO, "model": "nobody"})
    assert (await talk.hear())["error"]["code"] == "unknown_model"
    backend.steps = ["Half of ", "it", EngineError("The engine stopped.")]
    await talk.say(**HELLO)
    assert (await talk.hear_all())[-1]["error"]["message"] == "The engine stopped."
    await talk.say(type="ping")
    assert await talk.hear() == {"type": "pong"}


async def test_silence_is_filled_with_heartbeats(backend):
    app = FastAPI()
    app.include_router(sockets.routes(services_of(backend), heartbeat_s=0.05))
    async with (
        Serving(app, listen("127.0.0.1", 0), shutdown_s=1).running() as address,
        websockets.connect(f"{address.replace('http', 'ws')}/v1/chat/ws") as socket,
    ):
        talk = Talk(socket)
        assert [await talk.hear(), await talk.hear()] == [{"type": "heartbeat"}] * 2


async def test_a_real_model_answers(real_client):
    address = str(real_client.base_url).removesuffix("/v1/").replace("http", "ws")
    async with websockets.connect(f"{address}/v1/chat/ws") as socket:
        talk = Talk(socket)
        question = [{"role": "user", "content": "What is the capital of France? One word."}]
        await talk.say(type="chat", model=NAME, messages=question, temperature=0, max_tokens=24)
        heard = await talk.hear_all()
    assert "Paris" in "".join(message.get("text", "") for message in heard)


@settings(max_examples=80, deadline=None)
@given(texts=st.lists(st.text(alphabet="ab \n", max_size=12), max_size=30))
async def test_groups_are_the_text(texts):
    async def source():
        for text in texts:
            yield text

    groups = [group async for group in grouped(source())]
    assert "".join(groups) == "".join(texts)
    assert all(len(group.split()) <= 5 for group in groups[:-1])


MESSAGES = (
    st.binary(max_size=60)
    | st.text(max_size=60)
    | st.dictionaries(
        st.sampled_from(["type", "messages", "id", "model", "stop", "pacing", "x"]),
        st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.lists(st.text(max_size=5), max_size=3),
        max_size=5,
    ).map(lambda found: msgspec.json.encode(found).decode())
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(message=MESSAGES)
async def test_garbage_is_answered_by_an_error(address, message):
    async with websockets.connect(f"{address.replace('http', 'ws')}/v1/chat/ws") as socket:
        talk = Talk(socket)
        await socket.send(message)
        assert (await talk.hear())["error"]["code"] == "invalid_request"
        await talk.say(type="ping")
        assert await talk.hear() == {"type": "pong"}
