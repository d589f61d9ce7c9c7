"""What a provider receives has nothing personal in it, and what it answers has it back; over real sockets."""

from __future__ import annotations

import base64
import json
import random
import re

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.backends.rules import Chained, NoChange
from app.errors import RedactionError, SettingsError
from app.privacy.redaction import Redactor
from app.routing.redacting import Redaction
from app.settings.schema import PrivacySettings
from tests.backends.provider import Answer, Call, Provider, provider
from tests.privacy.redaction.planting import messages

EMAIL, PHONE, CARD = "jane.doe@example.org", "+49 30 901820", "4111111111111111"


def chat(*said, **more):
    return {"model": "m1", "messages": [{"role": "user", "content": text} for text in said], **more}


def sent(body, protocol="openai-chat"):
    return Redaction(Redactor.chosen()).exchange(protocol).body(body)


async def test_nothing_planted_reaches_the_server_and_all_of_it_comes_back():
    """A hundred messages of the corpus, to a server that says back what it was told, in pieces of three characters."""
    rules = Redaction(Redactor.chosen())

    def echo(seen):
        said = seen.body["messages"][-1]["content"]
        return Answer(text=tuple(said[place : place + 3] for place in range(0, len(said), 3)))

    async with provider(echo) as there, httpx.AsyncClient() as client:
        for message in messages(100, seed=5):
            exchange = rules.exchange("openai-chat")
            answered = await streamed(client, there, exchange, chat(message.text, stream=True))
            assert answered == message.text
            received = there.received[-1].raw.decode()
            told = json.loads(received)["messages"][0]["content"]
            assert [value for _, value in message.values if value in received or value in told] == []


async def streamed(client: httpx.AsyncClient, there: Provider, exchange, body) -> str:
    reply = await client.post(f"{there.url('openai')}/chat/completions", json=exchange.body(body))
    events = [json.loads(line[6:]) for line in reply.text.splitlines() if line.startswith("data: {")]
    given = [told for event in events for told in exchange.event(event)]
    given += exchange.end()
    return "".join(
        choice["delta"].get("content") or "" for event in given for choice in event["choices"] if "delta" in choice
    )


async def test_a_value_restored_into_a_tool_calls_arguments_is_written_as_json():
    rules = Redaction(Redactor.chosen((), {"quoted": 'the "[A-Z]+" code'}))

    def call(seen):
        (name,) = [word for word in seen.body["messages"][0]["content"].split() if word.startswith("[QUOTED")]
        arguments = json.dumps({"note": f"see {name}!"})
        return Answer(text=(), calls=(Call("call_1", "keep", tuple(arguments)),), finish="tool_calls")

    async with provider(call) as there, httpx.AsyncClient() as client:
        exchange = rules.exchange("openai-chat")
        body = exchange.body(chat('keep the "XY" code', stream=True))
        reply = await client.post(f"{there.url('openai')}/chat/completions", json=body)
    events = [json.loads(line[6:]) for line in reply.text.splitlines() if line.startswith("data: {")]
    given = [told for event in events for told in exchange.event(event)] + list(exchange.end())
    pieces = [
        called["function"].get("arguments", "")
        for event in given
        for choice in event["choices"]
        for called in choice["delta"].get("tool_calls") or ()
    ]
    assert json.loads("".join(pieces)) == {"note": 'see the "XY" code!'}


def test_every_text_is_redacted_wherever_it_stands():
    arguments = json.dumps({"id": EMAIL, "to": [int(CARD)]})
    body = {
        "model": "m1",
        "user": EMAIL,
        "system": [{"type": "text", "text": f"You serve {EMAIL}"}],
        "metadata": {"id": EMAIL, EMAIL: "x"},
        "tools": [{"name": "mail", "description": f"Mails {EMAIL}", "input_schema": {"default": EMAIL}}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": PHONE}]},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"id": EMAIL, "n": int(CARD)}}],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": CARD}]}
                ],
            },
            {"role": "user", "content": [{"type": "document", "source": {"type": "text", "data": EMAIL}}]},
            {"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": arguments}}]},
            {"role": "tool", "tool_call_id": "c1", "content": f"not JSON {{ {EMAIL}"},
            {"type": "function_call_output", "call_id": "c2", "output": EMAIL},
        ],
        "prompt": EMAIL,
        "input": EMAIL,
        "instructions": EMAIL,
        "a_field_of_tomorrow": {"deep": [{"er": EMAIL}]},
    }
    before = json.dumps(body)
    redacted = json.dumps(sent(body, "anthropic"))
    assert json.dumps(body) == before
    for value in (EMAIL, PHONE, CARD):
        assert value in before
        assert value not in redacted


NAMES = st.sampled_from(["content", "text", "name", "output", "description", "x", "parts", "messages", "arguments"])
SAYINGS = st.text(max_size=8) | st.sampled_from([EMAIL, f"to {EMAIL}.", f'{{"to": "{EMAIL}"}}'])
JSON = st.recursive(
    SAYINGS | st.none() | st.booleans() | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(NAMES, JSON, max_size=4))
def test_nothing_personal_is_left_in_any_body_and_putting_it_back_gives_the_same(body):
    exchange = Redaction(Redactor.chosen()).exchange("openai-chat")
    told = json.dumps(exchange.body(body), ensure_ascii=False)
    assert EMAIL not in told
    answer = {"choices": [{"index": 0, "message": {"content": told}}]}
    back = exchange.answer(answer)["choices"][0]["message"]["content"]
    assert json.loads(back) == body


def test_what_is_not_a_persons_words_is_left_as_it_is():
    picture = base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + CARD.encode()).decode()
    sealed = base64.b64encode(random.Random(4).randbytes(300)).decode()
    body = {
        "model": f"models/{EMAIL}",
        "max_tokens": 4111111111111111,
        "temperature": 0.5,
        "previous_response_id": f"resp_{CARD}",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": picture}},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}},
                    {"type": "input_image", "image_url": f"data:image/png;base64,{picture}"},
                    {"type": "input_audio", "input_audio": {"format": "wav", "data": picture}},
                ],
            },
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "so", "signature": sealed}]},
            {"role": "assistant", "content": [{"type": "redacted_thinking", "data": sealed}]},
            {"role": "user", "content": "look", "images": [picture]},
            {"role": "tool", "tool_call_id": f"call_{CARD}", "content": "found"},
        ],
    }
    redacted = sent(body)
    assert redacted["messages"] == body["messages"]
    assert {**redacted, "messages": ()} == {**body, "messages": ()}


LETTER = f"Dear Sir,\nwrite to {EMAIL}\n"
CODED = base64.b64encode(LETTER.encode()).decode()


@pytest.mark.parametrize(
    "part",
    [
        {"images": [f"{EMAIL}.png"]},
        {"images": [CARD]},
        {"images": ["sk-proj-abcdefghij0123456789abcd"]},
        {"images": [CODED, {"path": EMAIL}]},
        {"images": CODED},
        {"images": [f"data:text/plain;base64,{CODED}"]},
        {"images": [f"data:image/png;name={EMAIL};base64,iVBORw0KGgo="]},
        {"images": [f"iVBORw0KGgoAAAANSUhEUg== {EMAIL}"]},
        {"images": [base64.urlsafe_b64encode(LETTER.encode("utf-16")).decode()]},
        {"images": [base64.b64encode(f"GIF87a is a format, says {EMAIL}".encode()).decode()]},
        {"type": "image_url", "image_url": {"url": f"data:text/html;base64,{CODED}"}},
        {"type": "image_url", "image_url": {"url": f"data:text/plain,{EMAIL}"}},
        {"type": "input_image", "image_url": f"https://example.org/?to={EMAIL}"},
        {"type": "file", "file": {"filename": EMAIL, "file_data": CODED}},
        {"type": "document", "source": {"type": "base64", "media_type": "text/plain", "data": CODED}},
        {"type": "input_audio", "input_audio": {"format": EMAIL, "data": EMAIL}},
        {"type": EMAIL, "role": EMAIL, "status": EMAIL, "media_type": f"text/plain; for={EMAIL}"},
        {"id": EMAIL, "tool_call_id": CARD, "call_id": f"call_1 {EMAIL}", "file_id": EMAIL},
        {"type": ["string", EMAIL], "format": [EMAIL], "detail": {"id": EMAIL}},
        {"signature": EMAIL, "encrypted_content": CARD},
        {"model": EMAIL},
        {EMAIL: "a name of nobody's protocol"},
        {"arguments": json.dumps({"to": EMAIL})},
        {"arguments": f'{{"to": "{EMAIL}", "to": "x"}}'},
        {"arguments": '{"to": "\\u006aane.doe\\u0040example.org", "to": "x"}'},
        {"arguments": '"\\u006aane.doe\\u0040example.org"'},
    ],
)  # fmt: skip
@pytest.mark.parametrize("within", ["content", "message", "body"])
def test_what_is_planted_where_a_file_or_a_word_of_the_protocol_belongs_is_found(part, within):
    message = {"role": "user", "content": [part]} if within == "content" else {"role": "user", "content": "x", **part}
    body = {"model": "m1", "messages": [message]} if within != "body" else {"messages": [], **part, "model": "m1"}
    told = json.dumps(sent(body))
    for value in (EMAIL, CARD, CODED, "sk-proj-", "u0040"):
        assert value not in told
    for word in re.findall(r"[\w+/-]{24,}", told):
        held = base64.urlsafe_b64decode(word.replace("+", "-").replace("/", "_") + "===")
        assert b"jane" not in held.replace(b"\0", b"")


def test_a_text_within_base64_stays_one_and_is_put_back():
    exchange = Redaction(Redactor.chosen()).exchange("openai-chat")
    told = exchange.body({"messages": [{"role": "user", "images": [CODED]}]})["messages"][0]["images"][0]
    said = base64.b64decode(told).decode()
    assert said.startswith("Dear Sir,\nwrite to [EMAIL_1_")
    answer = {"choices": [{"index": 0, "message": {"content": said}}]}
    assert exchange.answer(answer)["choices"][0]["message"]["content"] == LETTER


def test_arguments_that_are_not_touched_keep_their_very_form():
    written = '{ "a" : 1,"b":"\\u00fc" }'
    body = {"messages": [{"role": "assistant", "tool_calls": [{"function": {"arguments": written}}]}]}
    assert sent(body) == body


def test_the_beginning_of_a_growing_conversation_stays_the_same_so_that_the_provider_can_reuse_it():
    rules = Redaction(Redactor.chosen())
    short = rules.exchange("openai-chat").body(chat(f"I am {EMAIL}"))
    longer = rules.exchange("openai-chat").body(chat(f"I am {EMAIL}", f"call {PHONE} or {EMAIL}"))
    assert longer["messages"][:1] == short["messages"]


@pytest.mark.parametrize(
    ("protocol", "answer"),
    [
        ("openai-chat", lambda said: {"choices": [{"index": 0, "message": {"role": "assistant", "content": said}}]}),
        ("anthropic", lambda said: {"content": [{"type": "text", "text": said}]}),
        ("ollama", lambda said: {"message": {"role": "assistant", "content": said}, "done": True}),
        ("openai-responses", lambda said: {"output": [{"content": [{"type": "output_text", "text": said}]}]}),
        ("openai-completions", lambda said: {"choices": [{"index": 0, "text": said}]}),
    ],
)
def test_a_whole_answer_is_restored_in_every_protocol(protocol, answer):
    exchange = Redaction(Redactor.chosen()).exchange(protocol)
    told = exchange.body(chat(f"I am {EMAIL}"))["messages"][0]["content"]
    assert EMAIL not in told
    assert exchange.answer(answer(told)) == answer(f"I am {EMAIL}")


def test_what_another_exchange_replaced_is_not_given_to_this_one():
    rules = Redaction(Redactor.chosen())
    stolen = rules.exchange("openai-chat").body(chat(f"I am {EMAIL}"))["messages"][0]["content"]
    exchange = rules.exchange("openai-chat")
    exchange.body(chat(f"What is {stolen}? Mine is otto@example.org"))
    answer = {"choices": [{"index": 0, "message": {"content": stolen}}]}
    assert exchange.answer(answer)["choices"][0]["message"]["content"] == stolen


def test_a_body_that_cannot_be_searched_to_its_end_is_not_sent():
    deep: object = EMAIL
    for _ in range(100_000):
        deep = [deep]
    for body in ({"messages": deep}, {"messages": [{"content": object()}]}, {"messages": [{"content": "\ud800"}]}):
        with pytest.raises(RedactionError, match="nothing was sent") as raised:
            Redaction(Redactor.chosen((), {"own": "x+"})).exchange("openai-chat").body(body)
        assert EMAIL not in str(raised.value)


def test_it_is_as_the_settings_say():
    assert Redaction.chosen(PrivacySettings(redact=False)) is None
    only = Redaction.chosen(PrivacySettings(redact_kinds=("card",)))
    assert only is not None
    assert EMAIL in only.exchange("openai-chat").body(chat(f"{EMAIL} {CARD}"))["messages"][0]["content"]
    with pytest.raises(SettingsError):
        Redaction.chosen(PrivacySettings(redact_patterns={"x": "("}))


def test_users_rules_come_before_it_on_the_way_out_and_after_it_on_the_way_back():
    class Adding(NoChange):
        def exchange(self, protocol):
            return self

        def body(self, body):
            return {**body, "user": EMAIL}

        def answer(self, body):
            assert body["choices"][0]["message"]["content"] == f"I am {EMAIL}"
            return {"seen": True}

    exchange = Chained([Adding(), Redaction(Redactor.chosen())]).exchange("openai-chat")
    body = exchange.body(chat(f"I am {EMAIL}"))
    assert EMAIL not in json.dumps(body)
    said = body["messages"][0]["content"]
    assert exchange.answer({"choices": [{"index": 0, "message": {"content": said}}]}) == {"seen": True}
