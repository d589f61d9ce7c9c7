"""The official clients through our server to providers that speak another protocol: nothing of either is lost."""

from __future__ import annotations

import base64

import httpx
import ollama
import pytest

from app.messages import Usage
from tests.backends.provider import Answer, Call, provider

from .proxied import KEY, model, place, proxied

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PICTURE = base64.b64encode(PIXEL).decode()
CALLS = (Call("call_1", "weather", ('{"city":', ' "Oslo"}')), Call("call_2", "time", ('{"zone": "CET"}',)))
USAGE = Usage(29, 7, 12)
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
OPENAI_TOOLS = [
    {"type": "function", "function": {"name": name, "description": f"The {name}.", "parameters": SCHEMA}}
    for name in ("weather", "time")
]
ANTHROPIC_TOOLS = [
    {"name": name, "description": f"The {name}.", "input_schema": SCHEMA} for name in ("weather", "time")
]
FINISHES = [("stop", "stop", "end_turn"), ("length", "length", "max_tokens"), ("content_filter",) * 2 + ("refusal",)]


def through(there, kind):
    return place("cloud", there, kind, redact=False) + model("far", "cloud", 'model = "m1"')


@pytest.mark.parametrize("stream", [False, True])
async def test_openai_client_calls_tools_of_an_anthropic_model(stream):
    answer = Answer(text=("Let me", " look."), calls=CALLS, finish="tool_calls", usage=USAGE)
    async with (
        provider(answer, key=KEY) as there,
        proxied(through(there, "anthropic")) as ours,
        ours.openai() as client,
    ):
        asked = {
            "model": "far",
            "messages": [
                {"role": "system", "content": "Be short."},
                {"role": "user", "content": "Weather and time?"},
            ],
            "tools": OPENAI_TOOLS,
            "tool_choice": "auto",
        }
        if stream:
            options = {"include_usage": True}
            async with client.chat.completions.stream(**asked, stream_options=options) as events:
                async for _event in events:
                    pass
                found = await events.get_final_completion()
        else:
            found = await client.chat.completions.create(**asked)
        said = found.choices[0]
        assert said.finish_reason == "tool_calls" and said.message.content == "Let me look."
        assert [(call.id, call.function.name, call.function.arguments) for call in said.message.tool_calls] == [
            (call.call_id, call.name, call.arguments) for call in CALLS
        ]
        told = found.usage
        assert (told.prompt_tokens, told.completion_tokens, told.prompt_tokens_details.cached_tokens) == (29, 7, 12)
        assert found.model == "far"
        sent = there.chats[0].body
        assert [tool["name"] for tool in sent["tools"]] == ["weather", "time"]
        assert sent["tools"][0]["input_schema"] == SCHEMA and "short" in str(sent["system"])

        there.plan = Answer(text=("Rain, noon.",))
        again = {
            **asked,
            "messages": [
                *asked["messages"],
                {
                    "role": "assistant",
                    "content": "Let me look.",
                    "tool_calls": [
                        {"id": c.call_id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
                        for c in CALLS
                    ],
                },
                {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
                {"role": "tool", "tool_call_id": "call_2", "content": "noon"},
            ],
        }
        assert (await client.chat.completions.create(**again)).choices[0].message.content == "Rain, noon."
        turns = there.chats[1].body["messages"]
        used = [block for block in turns[1]["content"] if block["type"] == "tool_use"]
        assert [(block["id"], block["input"]) for block in used] == [
            ("call_1", {"city": "Oslo"}),
            ("call_2", {"zone": "CET"}),
        ]
        results = [block for turn in turns[2:] for block in turn["content"]]
        assert [(block["type"], block["tool_use_id"]) for block in results] == [
            ("tool_result", "call_1"),
            ("tool_result", "call_2"),
        ]
        assert "rain" in str(results[0]["content"])


@pytest.mark.parametrize("stream", [False, True])
async def test_anthropic_client_calls_tools_of_an_openai_model(stream):
    answer = Answer(text=("Let me", " look."), calls=CALLS, finish="tool_calls", usage=USAGE)
    async with (
        provider(answer, key=KEY) as there,
        proxied(through(there, "openai")) as ours,
        ours.anthropic() as client,
    ):
        asked = {
            "model": "far",
            "max_tokens": 99,
            "system": "Be short.",
            "messages": [{"role": "user", "content": "Weather and time?"}],
            "tools": ANTHROPIC_TOOLS,
            "tool_choice": {"type": "any"},
            "stop_sequences": ["END"],
        }
        if stream:
            async with client.messages.stream(**asked) as events:
                found = await events.get_final_message()
        else:
            found = await client.messages.create(**asked)
        assert [block.type for block in found.content] == ["text", "tool_use", "tool_use"]
        assert found.stop_reason == "tool_use" and found.content[0].text == "Let me look."
        assert [(block.id, block.name, block.input) for block in found.content[1:]] == [
            ("call_1", "weather", {"city": "Oslo"}),
            ("call_2", "time", {"zone": "CET"}),
        ]
        told = found.usage
        assert (told.input_tokens, told.cache_read_input_tokens, told.output_tokens) == (17, 12, 7)
        assert found.model == "far"
        sent = there.chats[0].body
        assert sent["tool_choice"] == "required" and sent["stop"] in ("END", ["END"])
        assert sent["tools"][1]["function"]["name"] == "time"

        there.plan = Answer(text=("Rain, noon.",))
        results = [
            {"type": "tool_result", "tool_use_id": "call_1", "content": "rain"},
            {"type": "tool_result", "tool_use_id": "call_2", "content": [{"type": "text", "text": "noon"}]},
        ]
        again = {
            **asked,
            "messages": [
                *asked["messages"],
                {"role": "assistant", "content": [block.model_dump() for block in found.content]},
                {"role": "user", "content": [*results, {"type": "text", "text": "Well?"}]},
            ],
        }
        assert (await client.messages.create(**again)).content[0].text == "Rain, noon."
        turns = there.chats[1].body["messages"]
        assert [turn["role"] for turn in turns] == ["system", "user", "assistant", "tool", "tool", "user"]
        assert [turn.get("tool_call_id") for turn in turns[3:5]] == ["call_1", "call_2"]
        assert [call["id"] for call in turns[2]["tool_calls"]] == ["call_1", "call_2"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("finish", "openai_word", "anthropic_word"), FINISHES, ids=[one[0] for one in FINISHES])
async def test_why_an_answer_ended(finish, openai_word, anthropic_word, stream):
    async with provider(Answer(finish=finish), key=KEY) as there:
        messages = [{"role": "user", "content": "?"}]
        async with proxied(through(there, "anthropic")) as ours, ours.openai() as client:
            found = await client.chat.completions.create(model="far", messages=messages, stream=stream)
            if stream:
                *_, last = [chunk.choices[0].finish_reason async for chunk in found if chunk.choices]
            else:
                last = found.choices[0].finish_reason
            assert last == openai_word
        async with proxied(through(there, "openai")) as ours, ours.anthropic() as client:
            async with client.messages.stream(model="far", messages=messages, max_tokens=9) as events:
                said = await events.get_final_message()
            assert said.stop_reason == anthropic_word


async def test_pictures_cross_over_byte_for_byte():
    async with provider(key=KEY) as there:
        async with proxied(through(there, "anthropic")) as ours, ours.openai() as client:
            url = f"data:image/png;base64,{PICTURE}"
            content = [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": url}}]
            await client.chat.completions.create(model="far", messages=[{"role": "user", "content": content}])
            block = there.chats[-1].body["messages"][0]["content"][1]
            assert block["source"] == {"type": "base64", "media_type": "image/png", "data": PICTURE}
        async with proxied(through(there, "openai")) as ours, ours.anthropic() as client:
            source = {"type": "base64", "media_type": "image/png", "data": PICTURE}
            content = [{"type": "text", "text": "What?"}, {"type": "image", "source": source}]
            messages = [{"role": "user", "content": content}]
            await client.messages.create(model="far", messages=messages, max_tokens=9)
            assert there.chats[-1].body["messages"][0]["content"][1]["image_url"]["url"] == url
        async with proxied(through(there, "openai")) as ours:
            client = ollama.AsyncClient(host=ours.address, trust_env=False)
            await client.chat("far", [{"role": "user", "content": "What?", "images": [PIXEL]}])
            assert PICTURE in there.chats[-1].raw.decode()


async def test_thoughts_cross_over_with_their_proof():
    async with provider(Answer(thinking=("Hm", "m."), signature="sig-1", text=("Yes.",)), key=KEY) as there:
        async with proxied(through(there, "anthropic")) as ours, ours.openai() as client:
            messages = [{"role": "user", "content": "?"}]
            found = await client.chat.completions.create(model="far", messages=messages)
            assert found.choices[0].message.reasoning_content == "Hmm."
            assert found.choices[0].message.content == "Yes."
        async with proxied(through(there, "openai")) as ours, ours.anthropic() as client:
            thinking = {"type": "enabled", "budget_tokens": 1024}
            asked = {"model": "far", "messages": messages, "max_tokens": 2048, "thinking": thinking}
            async with client.messages.stream(**asked) as events:
                said = await events.get_final_message()
            assert [(block.type, getattr(block, "thinking", "")) for block in said.content] == [
                ("thinking", "Hmm."),
                ("text", ""),
            ]
        # An endpoint whose requests are never passed through translates there and back, and keeps the proof.
        toml = place("cloud", there, "anthropic", passthrough=False) + model("far", "cloud")
        async with proxied(toml) as ours, ours.anthropic() as client:
            for found in (await client.messages.create(**asked), await _streamed(client, asked)):
                assert (found.content[0].thinking, found.content[0].signature) == ("Hmm.", "sig-1")
            turns = [
                *messages,
                {"role": "assistant", "content": [found.content[0].model_dump(), {"type": "text", "text": "Yes."}]},
            ]
            await client.messages.create(**asked | {"messages": [*turns, messages[0]]})
            kept = there.chats[-1].body["messages"][1]["content"][0]
            assert (kept["thinking"], kept["signature"]) == ("Hmm.", "sig-1")


async def _streamed(client, asked):
    async with client.messages.stream(**asked) as events:
        return await events.get_final_message()


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
async def test_ollama_client_asks_a_model_elsewhere(kind):
    answer = Answer(text=("Let me", " look."), calls=CALLS, finish="tool_calls", usage=USAGE)
    async with provider(answer, key=KEY) as there, proxied(through(there, kind)) as ours:
        client = ollama.AsyncClient(host=ours.address, trust_env=False)
        messages = [{"role": "user", "content": "Weather and time?"}]
        whole = await client.chat("far", messages, tools=OPENAI_TOOLS)
        assert whole.message.content == "Let me look." and whole.prompt_eval_count == 29 and whole.eval_count == 7
        lines = [line async for line in await client.chat("far", messages, tools=OPENAI_TOOLS, stream=True)]
        assert "".join(line.message.content or "" for line in lines) == "Let me look."
        calls = [call.function for line in lines for call in line.message.tool_calls or ()]
        assert [(call.name, dict(call.arguments)) for call in calls] == [
            ("weather", {"city": "Oslo"}),
            ("time", {"zone": "CET"}),
        ]


async def test_responses_of_an_anthropic_model():
    answer = Answer(text=("Let me", " look."), calls=CALLS, finish="tool_calls", usage=USAGE)
    async with (
        provider(answer, key=KEY) as there,
        proxied(through(there, "anthropic")) as ours,
        ours.openai() as client,
    ):
        tools = [{"type": "function", "strict": False, **tool["function"]} for tool in OPENAI_TOOLS]
        async with client.responses.stream(model="far", input="Weather and time?", tools=tools) as events:
            async for _event in events:
                pass
            found = await events.get_final_response()
        assert found.output_text == "Let me look." and found.model == "far"
        assert [item.call_id for item in found.output if item.type == "function_call"] == ["call_1", "call_2"]
        assert found.usage.input_tokens == 29


async def test_what_another_protocol_has_no_words_for_is_a_clear_refusal():
    async with (
        provider(key=KEY) as there,
        proxied(through(there, "anthropic")) as ours,
        httpx.AsyncClient(base_url=ours.address, trust_env=False) as client,
    ):
        body = {"model": "far", "messages": [{"role": "user", "content": "?"}], "logit_bias": {"5": 3}}
        found = await client.post("/v1/chat/completions", json=body)
        assert found.status_code == 400 and found.json()["error"]["code"] == "not_translatable"
        assert not there.chats
