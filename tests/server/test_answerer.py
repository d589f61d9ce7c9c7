"""Every route tells alike who answers: in headers, and over a WebSocket in the first message of an answer."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
import websockets

from app.settings.routing import RoutingSettings
from tests.backends.provider import Answer, provider
from tests.server.gated import new_vault

from .proxied import KEY, model, place, proxied
from .whole import EMBEDDING, MODEL, SPEECH, whole_server

MESSAGES = [{"role": "user", "content": "?"}]
CHATS = {
    "/v1/chat/completions": {"messages": MESSAGES},
    "/v1/completions": {"prompt": "?"},
    "/v1/responses": {"input": "?"},
    "/v1/messages": {"messages": MESSAGES, "max_tokens": 9},
    "/api/chat": {"messages": MESSAGES},
    "/api/generate": {"prompt": "?"},
    "/generate": {"prompt": "?"},
    "/completion": {"prompt": "?"},
    "/completions": {"prompt": "?"},
    "/chat/completions": {"messages": MESSAGES},
}
OTHERS = {
    "/analyze": {"text": "Lovely."},
    "/v1/embeddings": {"model": EMBEDDING, "input": "?"},
    "/api/embed": {"model": EMBEDDING, "input": "?"},
    "/api/embeddings": {"model": EMBEDDING, "prompt": "?"},
    "/embedding": {"model": EMBEDDING, "content": "?"},
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    with whole_server(tmp_path_factory.mktemp("whole")) as running:
        yield running


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", CHATS)
def test_every_chat_says_who_answers(whole, path, stream):
    answer = httpx.post(whole.address + path, json={"model": MODEL, "stream": stream, **CHATS[path]}, trust_env=False)
    assert answer.status_code == 200, answer.text
    assert told(answer.headers) == {"model": MODEL, "backend": "scripted"}
    assert answer.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize("path", OTHERS)
def test_other_answers_say_it_too(whole, path):
    answer = httpx.post(whole.address + path, json=OTHERS[path], trust_env=False)
    expected = (
        {"model": MODEL, "backend": "scripted"} if path == "/analyze" else {"model": EMBEDDING, "backend": "local"}
    )
    assert answer.status_code == 200, answer.text
    assert told(answer.headers) == expected


def test_a_transcription_says_it_too(whole):
    files = {"file": ("a.wav", _silence()), "model": (None, SPEECH)}
    answer = httpx.post(f"{whole.address}/v1/audio/transcriptions", files=files, trust_env=False)
    assert answer.status_code == 200, answer.text
    assert told(answer.headers) == {"model": SPEECH, "backend": "local"}


def test_what_nobody_answers_says_nothing(whole):
    with httpx.Client(base_url=whole.address, trust_env=False) as http:
        for answer in (
            http.get("/v1/models"),
            http.post("/generate", json={"prompt": "?", "model": "nobody"}),
            http.post("/api/chat", json={"model": MODEL}),
        ):
            assert told(answer.headers) == {} and answer.headers["x-request-id"]


@pytest.mark.parametrize("path", CHATS)
async def test_every_route_says_that_another_answers(path):
    async with provider(Answer(status=500, error="No."), key=KEY) as there:
        toml = place("cloud", there, "openai", retries=0) + model("gpt", "cloud", 'fallback = ["small"]')
        async with (
            proxied(toml) as ours,
            httpx.AsyncClient(base_url=ours.address, trust_env=False, timeout=20) as client,
        ):
            for stream in (False, True):
                found = told((await client.post(path, json={"model": "gpt", "stream": stream, **CHATS[path]})).headers)
                assert found.pop("fallback").startswith("gpt: ")
                assert found == {"model": "small", "backend": "wire"}


async def test_the_first_message_of_an_answer_over_a_websocket_says_it(tmp_path):
    vault = await new_vault(tmp_path / "data")
    async with provider(Answer(text=("Fine.",)), key=KEY) as there:
        toml = place("cloud", there, "openai", retries=0) + model("gpt", "cloud", 'fallback = ["small"]')
        async with (
            proxied(toml, routing=RoutingSettings(cache=True), vault=vault) as ours,
            websockets.connect(f"{ours.address.replace('http', 'ws')}/v1/chat/ws") as socket,
        ):
            number = socket.response.headers["x-request-id"]
            assert await started(socket, "gpt") == {"model": "gpt", "backend": "cloud", "request": number}
            async with asyncio.timeout(5):  # it is kept in the background
                while "cache" not in (again := await started(socket, "gpt")):
                    await asyncio.sleep(0.05)
            assert again == {"model": "gpt", "backend": "cloud", "cache": "hit", "request": number}
            there.plan = Answer(status=500, error="No.")
            other = await started(socket, "gpt", "Something else?")
            assert other.pop("fallback").startswith("gpt: ")
            assert other == {"model": "small", "backend": "wire", "request": number}
            # What was told of one answer is not told of the next.
            assert await started(socket, "small") == {"model": "small", "backend": "wire", "request": number}
    await vault.close()


async def started(socket, name: str, question: str = "?") -> dict[str, str]:
    messages = [{"role": "user", "content": question}]
    await socket.send(json.dumps({"type": "chat", "id": "1", "model": name, "messages": messages, "temperature": 0}))
    first = json.loads(await socket.recv())
    said = first
    while said["type"] != "finished":
        said = json.loads(await socket.recv())
        assert said["type"] != "error", said
    assert (first.pop("type"), first.pop("id")) == ("started", "1")
    return first


def told(headers: httpx.Headers) -> dict[str, str]:
    begin = "x-playground-"
    return {name.removeprefix(begin): value for name, value in headers.multi_items() if name.startswith(begin)}


def _silence() -> bytes:
    import io
    import wave

    held = io.BytesIO()
    with wave.open(held, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(16_000)
        written.writeframes(b"\0\0" * 16_000)
    return held.getvalue()
