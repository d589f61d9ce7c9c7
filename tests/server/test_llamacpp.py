"""Routes of llama.cpp's server."""

from dataclasses import replace

import httpx
import msgspec
import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import BusyError, EngineError
from app.messages import Finished, Usage
from tests.starter import NAME

from .scripted import served, services_of


@pytest.fixture
async def curl(backend):
    async with (
        served(services_of(backend, unknown_model="refuse")) as address,
        httpx.AsyncClient(base_url=address) as client,
    ):
        yield client


async def test_a_prompt_is_continued(curl, backend):
    backend.steps = ["Hello", " there", Finished("stop", Usage(9, 2, 4), stop="END")]
    asked = {
        "model": "scripted",
        "prompt": "Once",
        "n_predict": 5,
        "temperature": 0.2,
        "seed": -1,
        "stop": ["END"],
        "logit_bias": [[7, -1.5], [8, False]],
    }
    # Without a content type: as curl -d does it.
    answer = (await curl.post("/completion", content=msgspec.json.encode(asked))).json()
    assert (answer["content"], answer["stop"], answer["stop_type"]) == ("Hello there", True, "word")
    assert answer["stopping_word"] == "END"
    assert (answer["tokens_evaluated"], answer["tokens_predicted"], answer["timings"]["prompt_n"]) == (9, 2, 5)
    request = backend.requests[0]
    assert (request.prompt, request.sampling.max_tokens, request.sampling.seed) == ("Once", 5, None)
    assert request.sampling.logit_bias == {7: -1.5, 8: -100.0}


async def test_tokens_and_grammars_are_taken(curl, backend):
    await curl.post("/completions", json={"model": "scripted", "prompt": [1, 2], "grammar": 'root ::= "a"'})
    await curl.post("/completion", json={"model": "scripted", "prompt": "a", "json_schema": {"type": "object"}})
    assert backend.requests[0].prompt == (1, 2)
    assert backend.requests[0].response_format.grammar == 'root ::= "a"'
    assert backend.requests[1].response_format.json_schema == {"type": "object"}


async def test_a_stream_ends_with_its_figures(curl):
    answer = await curl.post("/completion", json={"model": "scripted", "prompt": "Once", "stream": True})
    events = [msgspec.json.decode(line.removeprefix("data: ")) for line in answer.text.splitlines() if line]
    assert "".join(event["content"] for event in events) == "Hello there."
    assert [event["stop"] for event in events] == [False, False, False, True]


async def test_max_tokens_is_a_second_name_for_n_predict(curl, backend):
    await curl.post("/completion", json={"model": "scripted", "prompt": "a", "max_tokens": 7})
    await curl.post("/completions", json={"model": "scripted", "prompt": "a", "max_tokens": 7, "n_predict": 3})
    await curl.post("/completion", json={"model": "scripted", "prompt": "a", "max_tokens": -1})
    assert [asked.sampling.max_tokens for asked in backend.requests] == [7, 3, None]


async def test_a_chat_has_llamacpps_liberties(curl, backend):
    asked = {
        "model": "scripted",
        "messages": [{"role": "user", "content": "Hi"}],
        "max_tokens": -1,
        "seed": -1,
        "cache_prompt": True,
        "id_slot": 0,
        "samplers": ["top_k", "temperature"],
        "xtc_probability": 0,
        "timings_per_token": True,
        "logit_bias": [[7, -1.5], [8, False]],
        "stop": ["1", "2", "3", "4", "5"],
        "response_format": {"type": "json_object", "schema": {"type": "object"}},
    }
    answer = await curl.post("/chat/completions", content=msgspec.json.encode(asked))
    assert answer.json()["choices"][0]["message"]["content"] == "Hello there."
    first = backend.requests[0]
    assert (first.sampling.max_tokens, first.sampling.seed, len(first.sampling.stop)) == (None, None, 5)
    assert first.sampling.logit_bias == {7: -1.5, 8: -100.0}
    assert first.response_format.json_schema == {"type": "object"}
    chat = {"model": "scripted", "messages": asked["messages"], "n_predict": 5, "grammar": 'root ::= "a"'}
    await curl.post("/chat/completions", json=chat)
    second = backend.requests[1]
    assert (second.sampling.max_tokens, second.response_format.grammar) == (5, 'root ::= "a"')


async def test_where_no_model_is_named_the_default_one_answers(backend):
    services = services_of(backend)
    models = msgspec.structs.replace(services.settings.models, default="scripted")
    services = replace(services, settings=msgspec.structs.replace(services.settings, models=models))
    async with served(services) as address, httpx.AsyncClient(base_url=address) as client:
        for body in ({}, {"model": None}, {"stream": True}):
            asked = {**body, "messages": [{"role": "user", "content": "Hi"}]}
            assert (await client.post("/chat/completions", json=asked)).status_code == 200
        refused = await client.post("/embeddings", json={"input": "a"})
    assert [asked.model for asked in backend.requests] == ["scripted"] * 3
    assert refused.status_code == 404
    assert refused.json()["error"]["message"].startswith("No model for embeddings is installed yet.")


async def test_openais_routes_answer_without_their_prefix(curl):
    client = openai.AsyncOpenAI(base_url=str(curl.base_url), api_key="none", max_retries=0)
    answer = await client.chat.completions.create(model="scripted", messages=[{"role": "user", "content": "Hi"}])
    assert answer.choices[0].message.content == "Hello there."
    assert [model.id async for model in await client.models.list()] == ["scripted"]


@pytest.mark.parametrize(
    ("path", "body", "status", "kind"),
    [
        ("/completion", {"model": "nobody", "prompt": "a"}, 404, "not_found_error"),
        ("/completion", {"prompt": ""}, 400, "invalid_request_error"),
        ("/completion", {"model": "scripted", "prompt": "a", "mirostat": 2}, 400, "invalid_request_error"),
        ("/completion", {"model": "scripted", "prompt": "a", "typical_p": 0.5}, 400, "invalid_request_error"),
        (
            "/completion",
            {"model": "scripted", "prompt": "a", "image_data": [{"id": 1, "data": "aGk="}]},
            400,
            "invalid_request_error",
        ),
        (
            "/completion",
            {"model": "scripted", "prompt": "a", "grammar": "x", "json_schema": {}},
            400,
            "invalid_request_error",
        ),
        ("/chat/completions", {"model": "scripted"}, 400, "invalid_request_error"),
        (
            "/chat/completions",
            {"model": "scripted", "messages": [{"role": "user", "content": "a"}], "mirostat": 2},
            400,
            "invalid_request_error",
        ),
        ("/completion", {"model": "scripted", "prompt": "a", "max_tokens": 0}, 400, "invalid_request_error"),
        ("/embedding", {}, 400, "invalid_request_error"),
        ("/embedding", {"content": "a"}, 404, "not_found_error"),
        ("/tokenize", {"content": 3}, 400, "invalid_request_error"),
        ("/tokenize", {"model": "nobody", "content": "a"}, 404, "not_found_error"),
        ("/detokenize", {"tokens": ["a"]}, 400, "invalid_request_error"),
        ("/apply-template", {"model": "scripted", "messages": []}, 400, "invalid_request_error"),
    ],
)
async def test_what_cannot_be_honoured_is_refused(curl, path, body, status, kind):
    answer = await curl.post(path, json=body)
    assert answer.status_code == status
    assert (answer.json()["error"]["code"], answer.json()["error"]["type"]) == (status, kind)


async def test_failures_are_told(curl, backend):
    backend.steps = ["Half", EngineError("The engine stopped.")]
    answer = await curl.post("/completion", json={"model": "scripted", "prompt": "a", "stream": True})
    assert "The engine stopped." in answer.text.splitlines()[-2]
    backend.steps = [BusyError("Full.")]
    answer = await curl.post("/completion", json={"model": "scripted", "prompt": "a"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_a_real_model_continues_and_shows_its_slots(real_client):
    address = str(real_client.base_url).removesuffix("/v1/")
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        props_before = (await client.get("/props")).json()
        asked = {"prompt": "The capital of France is", "n_predict": 6, "temperature": 0, "stop": ["."]}
        answer = (await client.post("/completion", json=asked)).json()
        before = props_before["default_generation_settings"]["n_ctx"]
        slots = (await client.get("/slots")).json()
        props = (await client.get("/props")).json()
    assert "Paris" in answer["content"]
    assert (answer["stop_type"], answer["stopping_word"]) in (("word", "."), ("limit", ""))
    assert len(slots) == props["total_slots"]
    assert not any(slot["is_processing"] for slot in slots)
    assert props["model_alias"] == NAME
    assert before == props["default_generation_settings"]["n_ctx"] == slots[0]["n_ctx"] > 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    [
        "prompt",
        "n_predict",
        "stop",
        "logit_bias",
        "stream",
        "grammar",
        "content",
        "input",
        "x",
        "messages",
        "seed",
        "response_format",
    ]
)
BODIES = st.binary(max_size=60) | st.builds(
    lambda model, rest: msgspec.json.encode({**model, **rest}),
    st.sampled_from([{}, {"model": "scripted", "prompt": "a"}, {"model": "x"}]),
    st.dictionaries(NAMES, JSON, max_size=5),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES, path=st.sampled_from(["completion", "completions", "embedding", "chat/completions"]))
async def test_garbage_is_answered_in_llamacpps_shape(curl, body, path):
    answer = await curl.post(f"/{path}", content=body)
    assert answer.status_code < 500, answer.text
    if answer.status_code != 200:
        assert answer.json()["error"]["code"] == answer.status_code
