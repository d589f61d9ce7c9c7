"""Requests that pass through as they came: unknown fields kept, whoever answers named, errors as clients know them."""

from __future__ import annotations

import asyncio

import anthropic
import httpx
import ollama
import openai
import pytest

from app.backends.endpoint import EndpointKind
from app.settings.routing import RoutingSettings
from tests.backends.provider import Answer, Call, provider

from .gated import new_vault
from .proxied import KEY, model, place, proxied

WAYS = [
    ("openai", "/v1/chat/completions", {"messages": [{"role": "user", "content": "?"}]}),
    ("openai", "/v1/completions", {"prompt": "Once"}),
    ("openai", "/v1/responses", {"input": "?"}),
    ("anthropic", "/v1/messages", {"max_tokens": 9, "messages": [{"role": "user", "content": "?"}]}),
    ("ollama", "/api/chat", {"messages": [{"role": "user", "content": "?"}]}),
]


async def post(address: str, path: str, body: object, **more: object) -> httpx.Response:
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=20) as client:
        return await client.post(path, json=body, **more)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("kind", "path", "body"), WAYS, ids=[path for _, path, _ in WAYS])
async def test_what_nobody_knows_goes_on_and_comes_back(kind: EndpointKind, path, body, stream):
    async with provider(key=KEY) as there:
        toml = place("cloud", there, kind) + model("gpt", "cloud", 'model = "m1"\naliases = ["nick"]')
        async with proxied(toml) as ours:
            strange = {"brand_new": {"deep": [1, None]}, "temperature": "warm"}
            found = await post(ours.address, path, {"model": "nick", "stream": stream, **body, **strange})
            assert found.status_code == 200, found.text
            sent = there.chats[0].body
            assert {name: sent[name] for name in strange} == strange and sent["model"] == "m1"
            assert there.chats[0].path == path
            assert (found.headers["x-playground-model"], found.headers["x-playground-backend"]) == ("gpt", "cloud")
            assert "x-playground-fallback" not in found.headers and "x-playground-cache" not in found.headers
            assert '"m1"' in found.text and "Hello" in found.text
            stream_types = ("text/event-stream", "application/x-ndjson")
            assert found.headers["content-type"].startswith(stream_types if stream else "application/json")
            assert KEY not in str(found.headers) + found.text
            assert ours.idle()


async def test_what_the_other_protocol_asks_is_translated_and_still_named():
    async with (
        provider(key=KEY) as there,
        proxied(place("cloud", there, "anthropic") + model("claude", "cloud", 'model = "m1"')) as ours,
    ):
        found = await post(
            ours.address,
            "/v1/chat/completions",
            {"model": "claude", "messages": [{"role": "user", "content": "?"}]},
        )
        assert found.json()["model"] == "claude" and there.chats[0].path == "/v1/messages"
        assert found.headers["x-playground-backend"] == "cloud"
        refused = await post(ours.address, "/v1/chat/completions", {"model": "claude", "messages": [], "brand_new": 1})
        assert refused.status_code == 400


async def test_who_leaves_ends_the_request_at_the_provider_at_once():
    async with (
        provider(Answer(text=("a",) * 99, pause=0.05), key=KEY) as there,
        proxied(place("cloud", there) + model("gpt", "cloud")) as ours,
    ):
        async with ours.openai() as client:
            asked = {"model": "gpt", "messages": [{"role": "user", "content": "?"}]}
            stream = await client.chat.completions.create(**asked, stream=True)
            await anext(aiter(stream))
            await stream.close()
            await there.until(lambda one: one.running == 0, 1.0)
            there.plan = Answer(wait=30)
            with pytest.raises(openai.APITimeoutError):
                await client.chat.completions.create(**asked, timeout=0.3)
            await there.until(lambda one: one.running == 0, 1.0)
        assert there.left == 2 and ours.idle()


@pytest.mark.parametrize("translated", [False, True])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("answer", "openai_class", "anthropic_class", "status"),
    [
        (Answer(status=429, headers={"retry-after": "7"}), openai.RateLimitError, anthropic.RateLimitError, 429),
        (Answer(status=400, error="bad words"), openai.BadRequestError, anthropic.BadRequestError, 400),
        (Answer(status=404), openai.NotFoundError, anthropic.NotFoundError, 404),
        (Answer(status=422), openai.UnprocessableEntityError, anthropic.UnprocessableEntityError, 422),
        (Answer(status=401), openai.InternalServerError, anthropic.InternalServerError, 502),
        (Answer(status=403), openai.InternalServerError, anthropic.InternalServerError, 502),
        (Answer(status=503), openai.InternalServerError, anthropic.InternalServerError, 503),
        (Answer(status=500), openai.InternalServerError, anthropic.InternalServerError, 502),
        (Answer(status=504), openai.InternalServerError, anthropic.InternalServerError, 504),
        (Answer(dies_after=-1), openai.InternalServerError, anthropic.InternalServerError, 502),
        (Answer(body=b"<html>"), openai.InternalServerError, anthropic.InternalServerError, 502),
    ],
    ids=["429", "400", "404", "422", "401", "403", "503", "500", "504", "dies", "no-json"],
)
async def test_failures_are_the_clients_own_classes(answer, openai_class, anthropic_class, status, stream, translated):
    kinds = ("anthropic", "openai") if translated else ("openai", "anthropic")
    async with provider(answer, key=KEY) as there:
        toml = "".join(
            place(f"{kind}-place", there, kind, retries=0) + model(name, f"{kind}-place")
            for name, kind in zip(("gpt", "claude"), kinds, strict=True)
        )
        async with proxied(toml) as ours, ours.openai() as one, ours.anthropic() as other:
            messages = [{"role": "user", "content": "?"}]
            with pytest.raises(openai_class) as told:
                await one.chat.completions.create(model="gpt", messages=messages, stream=stream)
            assert told.value.status_code == status
            assert kinds[0] in str(told.value) or not translated
            with pytest.raises(anthropic_class) as also:
                await other.messages.create(model="claude", messages=messages, max_tokens=9, stream=stream)
            assert also.value.status_code == (529 if status == 503 else status)
            for error in (told.value, also.value):
                assert KEY not in str(error)
                assert error.response.headers.get("retry-after") == (
                    "7" if status == 429 else "1" if status == 503 else None
                )
                assert "www-authenticate" not in error.response.headers
            assert ours.idle()


async def test_a_key_that_is_not_there_is_the_servers_trouble():
    async with (
        provider(key=KEY) as there,
        proxied(place("cloud", there) + model("gpt", "cloud"), KEY="") as ours,
        ours.openai() as client,
    ):
        with pytest.raises(openai.InternalServerError) as told:
            await client.chat.completions.create(model="gpt", messages=[{"role": "user", "content": "?"}])
        assert told.value.status_code == 502 and "env:KEY" in str(told.value)


async def test_what_a_provider_says_of_a_request_is_read_as_it_said_it():
    said = Answer(status=400, error="too long by far", code="context_length_exceeded")
    async with (
        provider(said, key=KEY) as there,
        proxied(place("cloud", there) + model("gpt", "cloud")) as ours,
        ours.openai() as client,
    ):
        with pytest.raises(openai.BadRequestError) as told:
            await client.chat.completions.create(model="gpt", messages=[{"role": "user", "content": "?"}])
        assert told.value.code == "context_length_exceeded" and told.value.body["message"] == "too long by far"


@pytest.mark.parametrize("translated", [False, True])
async def test_a_stream_that_breaks_ends_in_the_protocols_own_error_event(translated):
    async with provider(Answer(text=("One", " two", " three"), dies_after=3), key=KEY) as there:
        kinds = ("anthropic", "openai", "openai") if translated else ("openai", "anthropic", "ollama")
        if translated:
            there.plan = lambda seen: Answer(
                text=("One", " two", " three"), dies_after=5 if "messages" in seen.path else 3
            )
        else:
            there.plan = lambda seen: Answer(
                text=("One", " two", " three"), dies_after=4 if "messages" in seen.path else 3
            )
        toml = "".join(
            place(f"place{number}", there, kind) + model(name, f"place{number}")
            for number, (name, kind) in enumerate(zip(("gpt", "claude", "llama"), kinds, strict=True))
        )
        messages = [{"role": "user", "content": "?"}]
        async with proxied(toml) as ours, ours.openai() as one, ours.anthropic() as other:
            said = ""
            with pytest.raises(openai.APIError) as told:
                async for chunk in await one.chat.completions.create(model="gpt", messages=messages, stream=True):
                    said += chunk.choices[0].delta.content or ""
            assert said.startswith("One") and not isinstance(told.value, openai.APIConnectionError)
            said = ""
            with pytest.raises(anthropic.APIStatusError):
                async with other.messages.stream(model="claude", messages=messages, max_tokens=9) as stream:
                    async for text in stream.text_stream:
                        said += text
            assert said.startswith("One")
            said = ""
            client = ollama.AsyncClient(host=ours.address, trust_env=False)
            with pytest.raises(ollama.ResponseError):
                async for line in await client.chat("llama", messages, stream=True):
                    said += line.message.content
            assert said.startswith("One")
            events = []
            with pytest.raises(openai.APIError):
                async for event in await one.responses.create(model="gpt", input="?", stream=True):
                    events.append(event.type)
                    if event.type in ("error", "response.failed"):
                        raise openai.APIError(event.type, None, body=None)
            assert events[-1] in ("error", "response.failed")
            assert ours.idle()


async def test_tokens_are_counted_by_those_who_know():
    async with provider(key=KEY) as there:
        toml = place("a", there, "anthropic") + model("claude", "a") + place("b", there) + model("gpt", "b")
        async with proxied(toml) as ours, ours.anthropic() as client:
            messages = [{"role": "user", "content": "?"}]
            found = await client.messages.count_tokens(model="claude", messages=messages)
            assert found.input_tokens == 14
            with pytest.raises(anthropic.BadRequestError, match="gpt"):
                await client.messages.count_tokens(model="gpt", messages=messages)


async def test_the_servers_most_tokens_hold_for_what_passes_too():
    async with provider(key=KEY) as there:
        toml = place("a", there) + model("gpt", "a") + place("b", there, "ollama") + model("llama", "b")
        async with proxied(toml, server={"max_output_tokens": 50}) as ours:
            messages = [{"role": "user", "content": "?"}]
            for asked, sent in (
                ({}, {"max_completion_tokens": 50}),
                ({"max_tokens": 10**9}, {"max_tokens": 50}),
                ({"max_tokens": 7}, {"max_tokens": 7}),
                ({"max_completion_tokens": -1, "max_tokens": "x"}, {"max_completion_tokens": 50, "max_tokens": 50}),
            ):
                await post(ours.address, "/v1/chat/completions", {"model": "gpt", "messages": messages, **asked})
                assert {name: value for name, value in there.chats[-1].body.items() if "max" in name} == sent
            await post(ours.address, "/api/chat", {"model": "llama:latest", "messages": messages, "options": {"a": 1}})
            assert there.chats[-1].body["options"] == {"a": 1, "num_predict": 50}


async def test_a_model_elsewhere_is_not_loaded_here():
    async with provider(key=KEY) as there, proxied(place("a", there) + model("gpt", "a")) as ours:
        found = await post(ours.address, "/models/load", {"model": "gpt"})
        assert found.status_code == 400 and "gpt" in found.text


async def test_parallel_requests_do_not_mix():
    def plan(seen):
        return Answer(text=tuple(f"{seen.body['messages'][0]['content']}-{place} " for place in range(9)), pause=0.001)

    async with provider(plan, key=KEY) as there, proxied(place("a", there) + model("gpt", "a")) as ours:
        async with ours.openai() as client:

            async def one(number: int) -> None:
                messages = [{"role": "user", "content": f"q{number}"}]
                stream = await client.chat.completions.create(model="gpt", messages=messages, stream=True)
                said = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
                assert said == "".join(f"q{number}-{place} " for place in range(9))

            await asyncio.gather(*map(one, range(40)))
        assert ours.idle()


async def test_what_is_no_json_or_names_nobody_is_for_the_routes():
    async with provider(key=KEY) as there, proxied(place("a", there) + model("gpt", "a")) as ours:
        async with httpx.AsyncClient(base_url=ours.address, trust_env=False) as client:
            for content in (b"", b"{", b"[]", b'{"model": 7}', b'{"model": "nobody", "messages": []}', b"\xff"):
                for path in ("/v1/chat/completions", "/v1/messages", "/api/chat"):
                    found = await client.post(path, content=content, headers={"content-type": "application/json"})
                    assert 400 <= found.status_code < 500 and "error" in found.json()
            found = await client.post(
                "/v1/chat/completions", content=b'{"model": "gpt"}', headers={"content-type": "text/plain"}
            )
            assert found.status_code == 400
        assert not there.chats


async def test_calls_of_tools_pass_whole():
    calls = (Call("c1", "add", ('{"a":', "1}")), Call("c2", "sub", ('{"b": 2}',)))
    async with (
        provider(Answer(text=(), calls=calls, finish="tool_calls"), key=KEY) as there,
        proxied(place("a", there) + model("gpt", "a")) as ours,
        ours.openai() as client,
    ):
        tools = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in ("add", "sub")]
        found = await client.chat.completions.create(
            model="gpt", messages=[{"role": "user", "content": "?"}], tools=tools
        )
        assert [call.id for call in found.choices[0].message.tool_calls] == ["c1", "c2"]


async def test_an_answer_that_was_given_before_says_so_unless_a_fresh_one_is_wanted(tmp_path):
    vault = await new_vault(tmp_path / "vault")
    async with provider(key=KEY) as there:
        toml = place("a", there, "anthropic") + model("far", "a")
        async with proxied(toml, routing=RoutingSettings(cache=True), vault=vault) as ours:
            body = {"model": "far", "messages": [{"role": "user", "content": "?"}], "temperature": 0}

            async def hit(**more: object) -> str | None:
                found = await post(ours.address, "/v1/chat/completions", {**body, **more.pop("body", {})}, **more)
                assert found.status_code == 200, found.text
                await asyncio.sleep(0.2)
                return found.headers.get("x-playground-cache")

            assert await hit() is None
            assert await hit() == "hit" and await hit(body={"stream": True}) == "hit"
            assert await hit(headers={"cache-control": "no-cache"}) is None
            assert await hit(headers={"cache-control": "max-age=0, No-Store"}) is None
            assert len(there.chats) == 3
    await vault.close()


async def test_what_fails_before_the_routes_is_told_in_the_protocols_own_words(monkeypatch):
    def broken(*_: object) -> None:
        raise RuntimeError("nobody had foreseen this")

    monkeypatch.setattr("app.server.passing.passing.Passing._asked", broken)
    async with provider(key=KEY) as there, proxied(place("cloud", there) + model("gpt", "cloud")) as ours:
        found = await post(ours.address, "/v1/chat/completions", {"model": "gpt", "messages": []})
        other = await post(ours.address, "/v1/messages", {"model": "gpt", "messages": []})
    assert found.status_code == other.status_code == 500 and "nobody" not in found.text + other.text
    assert found.json()["error"]["type"] == "server_error" and other.json()["type"] == "error"
    assert found.headers["x-request-id"]
