"""Redaction on the real way to a provider and back, in every protocol, over real sockets."""

from __future__ import annotations

import json
from contextlib import aclosing

import pytest

from app.backends.credentials import Credentials
from app.backends.endpoint import Endpoint
from app.backends.remote import RemoteBackend
from app.backends.rules import NoChange
from app.errors import RedactionError
from app.messages import ChatRequest, Message, TextDelta, ThinkingDelta, Tool, ToolCall, ToolCallDelta, ToolResult
from app.privacy.connections import ConnectionPolicy
from app.privacy.redaction import Redactor
from app.routing.redacting import Redaction
from tests.backends.provider import Answer, Call, provider

SAID = 'Write to "jane.doe@example.org", call +49 30 901820, pay 4111 1111 1111 1111 \\ DE89 3704 0044 0532 0130 00.'
PLANTED = ("jane.doe", "901820", "4111 1111", "0532 0130")


def backend(kind, there, redactor=None):
    rules = Redaction(redactor or Redactor.chosen())
    endpoint = Endpoint(name="there", kind=kind, url=there.url(kind))
    return RemoteBackend(endpoint, rules, Credentials({}, None), ConnectionPolicy(local_only=False))


async def answered(remote, request):
    told = {TextDelta: "", ThinkingDelta: "", ToolCallDelta: ""}
    async with aclosing(remote.stream(request)) as deltas:
        async for delta in deltas:
            if isinstance(delta, ToolCallDelta):
                told[ToolCallDelta] += delta.arguments
            elif isinstance(delta, TextDelta | ThinkingDelta):
                told[type(delta)] += delta.text
    return told


def pieces(text, size):
    return tuple(text[place : place + size] for place in range(0, len(text), size))


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("kind", ["openai", "anthropic", "ollama"])
async def test_the_provider_sees_placeholders_and_the_person_what_was_meant(kind, size):
    def echo(seen):
        said = next(text for text in strings(seen.body) if "Write to" in text)
        arguments = json.dumps({"note": said})
        call = Call("call_1", "keep", (arguments,) if kind == "ollama" else pieces(arguments, size))
        return Answer(text=pieces(said, size), thinking=pieces(said, size), calls=(call,), finish="tool_calls")

    request = ChatRequest(
        model="m1",
        messages=(
            Message.system("You serve jane.doe@example.org."),
            Message.user("Look it up."),
            Message("assistant", (ToolCall("c1", "find", json.dumps({"who": "jane.doe@example.org"})),)),
            Message("tool", (ToolResult("c1", "+49 30 901820"),)),
            Message.user(SAID),
        ),
        tools=(Tool("keep", "Keeps a note for jane.doe@example.org", {"type": "object", "properties": {}}),),
    )
    async with provider(echo) as there:
        remote = backend(kind, there)
        try:
            told = await answered(remote, request)
        finally:
            await remote.aclose()
        received = there.chats[-1].raw.decode()
    assert [value for value in PLANTED if value in received] == []
    assert received.count("[EMAIL_1_") >= 4
    assert told[TextDelta] == told[ThinkingDelta] == SAID
    assert json.loads(told[ToolCallDelta]) == {"note": SAID}


def strings(value):
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from strings(inner)


async def test_nothing_is_sent_when_the_search_fails():
    class Failing:
        kinds = frozenset(("email",))

        def find(self, text):
            raise RuntimeError(text)

    async with provider() as there:
        remote = backend("openai", there, Redactor([Failing()]))
        with pytest.raises(RedactionError) as raised:
            await answered(remote, ChatRequest(model="m1", messages=(Message.user(SAID),)))
        await remote.aclose()
        assert there.chats == []
    assert "jane" not in str(raised.value)


async def test_without_it_the_same_request_is_seen_as_it_was_written():
    """The control."""
    async with provider() as there:
        endpoint = Endpoint(name="there", kind="openai", url=there.url("openai"))
        remote = RemoteBackend(endpoint, NoChange(), Credentials({}, None), ConnectionPolicy(local_only=False))
        await answered(remote, ChatRequest(model="m1", messages=(Message.user(SAID),)))
        await remote.aclose()
        assert [value for value in PLANTED if value not in there.chats[-1].raw.decode()] == []
