"""Garbage never makes the server fail: nonsense bodies, and bodies near to sound ones."""

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.server.app import build

from .scripted import ScriptedBackend, services_of

PATHS = ("/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings")

application = build(services_of(ScriptedBackend(["Hello", "."])))

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
names = st.sampled_from(
    [
        "messages", "model", "input", "prompt", "stop", "tools", "tool_choice", "response_format", "logit_bias", "n",
        "stream", "stream_options", "seed", "max_tokens", "temperature", "text", "instructions", "include", "top_p",
        "metadata", "logprobs", "top_logprobs", "encoding_format", "dimensions", "echo", "reasoning", "user",
    ]
)  # fmt: skip
roles = st.sampled_from(["user", "assistant", "system", "developer", "tool", "function"])
messages = st.lists(st.fixed_dictionaries({"role": roles, "content": anything}), max_size=3)
nearly = st.builds(
    lambda sound, wrong: {**sound, **wrong},
    st.fixed_dictionaries({"model": st.just("scripted"), "messages": messages, "input": messages | st.text()}),
    st.dictionaries(names, anything, max_size=2),
)


async def send(path, body):
    transport = httpx.ASGITransport(application, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        return await http.post(path, content=body, headers={"content-type": "application/json"})


def check(answer):
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        error = answer.json()["error"]
        assert error["message"]
        assert error["type"] == "invalid_request_error"


garbage = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@garbage
@given(path=st.sampled_from(PATHS), body=st.binary(max_size=200))
async def test_bytes(path, body):
    check(await send(path, body))


@garbage
@given(path=st.sampled_from(PATHS), body=anything)
async def test_any_json(path, body):
    check(await send(path, msgspec.json.encode(body)))


@garbage
@given(path=st.sampled_from(PATHS), body=nearly)
async def test_bodies_that_are_nearly_right(path, body):
    if path != "/v1/responses" and path != "/v1/embeddings":
        body.pop("input", None)
    if path != "/v1/chat/completions":
        body.pop("messages", None)
    check(await send(path, msgspec.json.encode(body)))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("inner", [b'"\\ud800"', b'{"a":"\\udfff"}', b"1e999", b"NaN", b"9" * 6000, b'"\\u0000"'])
async def test_values_that_json_libraries_stumble_over(path, inner):
    for name in (b"tools", b"metadata", b"messages", b"input", b"seed", b"model", b"user", b"response_format"):
        check(await send(path, b'{"model":"scripted","' + name + b'":' + inner + b"}"))
