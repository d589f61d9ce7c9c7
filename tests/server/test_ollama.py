"""Ollama's API, driven by the unmodified ``ollama`` client on a real socket."""

from array import array
from dataclasses import replace
from types import SimpleNamespace

import httpx
import msgspec
import ollama
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.engine.embeddings import Embeddings
from app.errors import BusyError, EngineError
from app.messages import (
    ChosenToken,
    Finished,
    Image,
    Message,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    TokenLogprob,
    Tool,
    ToolCall,
    ToolCallDelta,
    ToolResult,
    Usage,
)
from tests.starter import NAME

from .scripted import served, services_of

HELLO = [{"role": "user", "content": "Hello"}]
PIXEL = b"\x89PNG\r\n\x1a\n"
ADD = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Adds.",
        "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
    },
}


@pytest.fixture
def llama(address):
    return ollama.AsyncClient(host=address)


async def test_a_chat_is_answered(llama, backend):
    answer = await llama.chat(
        "scripted:latest",
        [{"role": "system", "content": "Be kind."}, *HELLO],
        options={"temperature": 0.5, "top_k": 7, "num_predict": 20, "seed": 3, "stop": ["END"], "num_ctx": 4096},
        format="json",
    )
    assert (answer.message.role, answer.message.content, answer.done_reason) == ("assistant", "Hello there.", "stop")
    assert (answer.prompt_eval_count, answer.eval_count, answer.done) == (9, 2, True)
    assert (answer.prompt_eval_duration, answer.eval_duration) == (200_000_000, 500_000_000)
    assert answer.model == "scripted:latest"
    asked = backend.requests[0]
    assert (asked.model, asked.messages) == ("scripted", (Message.system("Be kind."), Message.user("Hello")))
    sampling = asked.sampling
    assert (sampling.temperature, sampling.top_k, sampling.max_tokens, sampling.seed) == (0.5, 7, 20, 3)
    assert sampling.stop == ("END",)
    assert asked.response_format.json_schema == {}


async def test_a_chat_streams_lines(llama, address):
    pieces = [piece async for piece in await llama.chat("scripted", HELLO, stream=True)]
    assert [piece.message.content for piece in pieces] == ["Hello", " there", ".", ""]
    assert [piece.done for piece in pieces] == [False, False, False, True]
    async with httpx.AsyncClient() as client:
        # No content type, and streamed unless told otherwise: as curl -d does it.
        raw = await client.post(
            f"{address}/api/chat", content=msgspec.json.encode({"model": "scripted", "messages": HELLO})
        )
    assert raw.headers["content-type"] == "application/x-ndjson"
    assert len(raw.text.splitlines()) == 4


@pytest.mark.parametrize("streamed", [False, True])
async def test_tools_are_offered_and_called(llama, backend, streamed):
    backend.steps = [
        ToolCallDelta(0, '{"a":', "c1", "add"),
        ToolCallDelta(0, "1}"),
        ToolCallDelta(1, '{"a":2}', "c2", "add"),
        Finished("tool_calls", Usage(1, 2)),
    ]
    if streamed:
        pieces = [piece async for piece in await llama.chat("scripted", HELLO, tools=[ADD], stream=True)]
        calls = [call for piece in pieces for call in piece.message.tool_calls or ()]
    else:
        calls = (await llama.chat("scripted", HELLO, tools=[ADD])).message.tool_calls
    assert [(call.function.name, call.function.arguments) for call in calls] == [("add", {"a": 1}), ("add", {"a": 2})]
    assert backend.requests[0].tools == (Tool("add", "Adds.", ADD["function"]["parameters"]),)


async def test_every_kind_of_content_becomes_neutral(llama, backend):
    await llama.chat(
        "scripted",
        [
            {"role": "user", "content": "What is this?", "images": [PIXEL]},
            {
                "role": "assistant",
                "thinking": "Hm.",
                "tool_calls": [
                    {"function": {"name": "add", "arguments": {"a": 1}}},
                    {"function": {"name": "take", "arguments": {}}},
                ],
            },
            {"role": "tool", "tool_name": "take", "content": "taken"},
            {"role": "tool", "tool_name": "add", "content": "2"},
        ],
    )
    assert backend.requests[0].messages == (
        Message("user", (Text("What is this?"), Image("image/png", data=PIXEL))),
        Message(
            "assistant", (Thinking("Hm."), ToolCall("call_1_0", "add", '{"a":1}'), ToolCall("call_1_1", "take", "{}"))
        ),
        Message("tool", (ToolResult("call_1_1", "taken"),)),
        Message("tool", (ToolResult("call_1_0", "2"),)),
    )


async def test_thoughts_and_probabilities_are_told(llama, backend):
    token = ChosenToken(TokenLogprob("Yes", b"Yes", -0.5), (TokenLogprob("No", b"No", float("-inf")),))
    backend.steps = [ThinkingDelta("Hm."), TextDelta("Yes", (token,))]
    answer = await llama.chat("scripted", HELLO, think=True, logprobs=True, top_logprobs=1)
    assert (answer.message.thinking, answer.message.content) == ("Hm.", "Yes")
    assert (answer.logprobs[0].logprob, answer.logprobs[0].top_logprobs[0].logprob) == (-0.5, -9999.0)
    pieces = [piece async for piece in await llama.chat("scripted", HELLO, think=False, stream=True)]
    assert not any(piece.message.thinking for piece in pieces)


async def test_a_prompt_is_answered_plain_or_raw(llama, backend):
    answer = await llama.generate("scripted", "Hello", system="Be kind.")
    assert (answer.response, answer.done_reason) == ("Hello there.", "stop")
    pieces = [piece async for piece in await llama.generate("scripted", "Once upon", raw=True, stream=True)]
    assert "".join(piece.response for piece in pieces) == "Hello there."
    plain, raw = backend.requests
    assert plain.messages == (Message.system("Be kind."), Message.user("Hello"))
    assert (raw.prompt, raw.messages) == ("Once upon", ())


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("chat", {"model": "nobody", "messages": HELLO}, 404, "nobody"),
        ("chat", {"messages": HELLO}, 400, "model"),
        ("chat", {"model": "scripted", "messages": HELLO, "options": {"mirostat": 2}}, 400, "mirostat"),
        ("chat", {"model": "scripted", "messages": [{"role": "user", "images": ["%"]}]}, 400, "base64"),
        ("generate", {"model": "scripted", "prompt": "a", "suffix": "b"}, 400, "suffix"),
        ("show", {"model": "nobody"}, 404, "nobody"),
        ("embed", {"model": "scripted", "input": "a"}, 404, "scripted"),
    ],
)
async def test_what_cannot_be_honoured_is_refused(address, path, body, status, said):
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{address}/api/{path}", json=body)
    assert answer.status_code == status
    assert said in answer.json()["error"]


async def test_failures_raise_the_clients_own_class(llama, backend):
    with pytest.raises(ollama.ResponseError, match="nobody") as caught:
        await llama.chat("nobody", HELLO)
    assert caught.value.status_code == 404
    backend.steps = ["Half", EngineError("The engine stopped.")]
    with pytest.raises(ollama.ResponseError, match="The engine stopped"):
        async for _piece in await llama.chat("scripted", HELLO, stream=True):
            pass

    async def full(request):
        raise BusyError("Full.")
        yield

    backend.stream = full
    with pytest.raises(ollama.ResponseError, match="Full") as caught:
        await llama.chat("scripted", HELLO)
    assert caught.value.status_code == 503


async def test_who_leaves_stops_the_answer(llama, backend):
    backend.steps = ["word ", 0.01] * 2000
    stream = await llama.chat("scripted", HELLO, stream=True)
    async for _piece in stream:
        break
    await stream.aclose()
    await backend.idle()
    assert backend.given < 200


@pytest.mark.parametrize(("unknown_model", "status"), [("default", 200), ("refuse", 404)])
async def test_who_looks_before_they_ask_finds_the_model_that_would_answer(backend, unknown_model, status):
    services = services_of(backend, unknown_model=unknown_model)
    models = msgspec.structs.replace(services.settings.models, default="scripted")
    services = replace(services, settings=msgspec.structs.replace(services.settings, models=models))
    async with served(services) as address, httpx.AsyncClient(base_url=address) as client:
        of_ollama = await client.post("/api/show", json={"model": "llama3"})
        of_openai = await client.get("/v1/models/gpt-4o")
        asked = await client.post("/v1/chat/completions", json={"model": "gpt-4o", "messages": HELLO})
        itself = await client.get("/v1/models/scripted")
    assert (of_ollama.status_code, of_openai.status_code, asked.status_code) == (status,) * 3
    assert itself.json()["id"] == "scripted"
    if status == 200:
        assert (of_ollama.json()["modelfile"], of_openai.json()["id"]) == ("FROM scripted\n", "gpt-4o")


async def test_vectors_come_from_the_pool(backend):
    vector = array("f", [0.5, 0.25]).tobytes()

    async def embed(model, texts):
        return Embeddings(vector * len(texts), 2, 3 * len(texts))

    entry = SimpleNamespace(name="tiny", role="embed")
    services = replace(
        services_of(backend),
        pool=SimpleNamespace(embed=embed),
        catalogue=SimpleNamespace(entries=(entry,)),
        store=SimpleNamespace(path_of=lambda entry: None),
    )
    async with served(services) as address:
        client = ollama.AsyncClient(host=address)
        answer = await client.embed("tiny:latest", ["a", "b"])
        older = await client.embeddings("tiny", "a")
    assert [list(vector) for vector in answer.embeddings] == [[0.5, 0.25], [0.5, 0.25]]
    assert answer.prompt_eval_count == 6
    assert list(older.embedding) == [0.5, 0.25]


async def test_the_client_drives_a_real_model(real_client):
    address = str(real_client.base_url).removesuffix("/v1/")
    client = ollama.AsyncClient(host=address)
    (here,) = (await client.list()).models
    assert here.model == NAME
    told = (here.details.family, here.details.parameter_size, here.details.quantization_level)
    assert told == ("llama", "134.52M", "Q4_1")
    loaded = await client.generate(NAME)
    assert loaded.done_reason == "load"
    answer = await client.chat(
        f"{NAME}:latest",
        [{"role": "user", "content": "What is the capital of France? One word."}],
        options={"temperature": 0, "num_predict": 24},
    )
    assert "Paris" in answer.message.content
    running = (await client.ps()).models
    assert [model.name for model in running] == [NAME]
    assert running[0].context_length > 0
    assert running[0].details == here.details
    shown = await client.show(NAME)
    assert shown.capabilities == ["completion"]
    assert shown.modelinfo["general.architecture"] == "llama"
    assert shown.details == here.details
    assert (await client.generate(NAME, keep_alive=0)).done_reason == "unload"
    assert (await client.ps()).models == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(["messages", "prompt", "options", "format", "stream", "think", "images", "tools", "input", "x"])
BODIES = st.binary(max_size=60) | st.builds(
    lambda model, rest: msgspec.json.encode({**model, **rest}),
    st.sampled_from([{}, {"model": "scripted"}, {"model": "x"}]),
    st.dictionaries(NAMES, JSON, max_size=5),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES, path=st.sampled_from(["chat", "generate", "embed", "embeddings", "show"]))
async def test_garbage_is_answered_in_ollamas_shape(address, body, path):
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{address}/api/{path}", content=body)
    assert answer.status_code < 500, answer.text
    if answer.status_code != 200:
        assert list(answer.json()) == ["error"]
        assert answer.json()["error"]
