"""``/v1/chat/completions`` through the unmodified client, answered by a script."""

import asyncio
import json
import math

import httpx
import openai
import pytest

from app.errors import BusyError, ContextOverflowError, EngineError, InvalidRequestError
from app.messages import (
    ChosenToken,
    Finished,
    Image,
    Message,
    Text,
    TextDelta,
    ThinkingDelta,
    TokenLogprob,
    Tool,
    ToolCall,
    ToolCallDelta,
    ToolChoice,
    ToolResult,
    Usage,
)

from .scripted import FINISHED

HELLO = [{"role": "user", "content": "Hello?"}]
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "description": "Of a city", "parameters": {"type": "object", "properties": {}}},
}


def ask(client, **more):
    return client.chat.completions.create(**{"model": "scripted", "messages": HELLO, **more})


async def test_a_whole_answer(client):
    answer = await ask(client)
    assert answer.choices[0].message.content == "Hello there."
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "scripted"
    assert answer.object == "chat.completion"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (9, 2, 11)
    assert answer.usage.prompt_tokens_details.cached_tokens == 4


async def test_a_stream(client):
    chunks = [chunk async for chunk in await ask(client, stream=True)]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["", "Hello", " there", ".", None]
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert len({chunk.id for chunk in chunks}) == 1
    assert all(chunk.usage is None for chunk in chunks)


async def test_usage_comes_last_in_a_stream_that_asks_for_it(client):
    chunks = [chunk async for chunk in await ask(client, stream=True, stream_options={"include_usage": True})]
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens == 11
    assert all(chunk.usage is None for chunk in chunks[:-1])


async def test_text_with_quotes_and_other_writing_survives_the_stream(client, backend):
    backend.steps = ['"quoted"\n', "\\ \u0000 \x7f", "日本語 🦊", "data: [DONE]\n\n"]
    whole = await ask(client)
    chunks = [chunk async for chunk in await ask(client, stream=True)]
    assert whole.choices[0].message.content == "".join(backend.steps)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "".join(backend.steps)


async def test_what_is_asked_reaches_the_model(client, backend):
    await ask(
        client,
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
            {"role": "user", "content": [
                {"type": "text", "text": "Look"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
            ]},
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
            ]},
            {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
        ],
        tools=[WEATHER],
        tool_choice={"type": "function", "function": {"name": "weather"}},
        temperature=0.5, top_p=0.9, seed=-1, stop=["a", "b"], max_completion_tokens=7, presence_penalty=1,
        frequency_penalty=-1, logit_bias={"5": -100}, logprobs=True, top_logprobs=3, user="me", metadata={"a": "b"},
        extra_body={"top_k": 5, "min_p": 0.1, "repeat_penalty": 1.1},
    )  # fmt: skip
    (asked,) = backend.requests
    assert asked.messages == (
        Message.system("Be brief."),
        Message.system("Be kind."),
        Message("user", (Text("Look"), Image("image/png", b"hi"))),
        Message("assistant", (ToolCall("c1", "weather", "{}"),)),
        Message("tool", (ToolResult("c1", "sunny"),)),
    )
    assert asked.tools == (Tool("weather", "Of a city", {"type": "object", "properties": {}}),)
    assert asked.tool_choice == ToolChoice("required", "weather")
    sampling = asked.sampling
    assert (sampling.temperature, sampling.top_p, sampling.seed, sampling.stop) == (0.5, 0.9, 2**32 - 1, ("a", "b"))
    assert (sampling.max_tokens, sampling.presence_penalty, sampling.frequency_penalty) == (7, 1, -1)
    assert (sampling.logit_bias, sampling.logprobs) == ({5: -100}, 3)
    assert (sampling.top_k, sampling.min_p, sampling.repeat_penalty) == (5, 0.1, 1.1)


@pytest.mark.parametrize(
    ("form", "schema"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, {}),
        ({"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "array"}}}, {"type": "array"}),
    ],
)
async def test_the_form_of_the_answer(client, backend, form, schema):
    await ask(client, response_format=form)
    assert backend.requests[0].response_format.json_schema == schema


async def test_log_probabilities(client, backend):
    chosen = ChosenToken(TokenLogprob("Hi", b"Hi", -0.5), (TokenLogprob("Ho", b"Ho", -math.inf),))
    backend.steps = [TextDelta("Hi", (chosen,))]
    answer = await ask(client, logprobs=True, top_logprobs=1)
    (token,) = answer.choices[0].logprobs.content
    assert (token.token, token.logprob, token.bytes, token.top_logprobs[0].logprob) == ("Hi", -0.5, [72, 105], -9999)
    chunks = [chunk async for chunk in await ask(client, logprobs=True, stream=True)]
    assert chunks[1].choices[0].logprobs.content[0].token == "Hi"


async def test_thinking_is_apart_from_the_answer(client, backend):
    backend.steps = [ThinkingDelta("Hm."), "Yes."]
    answer = await ask(client)
    assert (answer.choices[0].message.content, answer.choices[0].message.reasoning_content) == ("Yes.", "Hm.")
    chunks = [chunk async for chunk in await ask(client, stream=True)]
    assert chunks[1].choices[0].delta.reasoning_content == "Hm."


async def test_tool_calls(client, backend):
    backend.steps = [
        ToolCallDelta(0, '{"city":', "call_1", "weather"),
        ToolCallDelta(0, '"Oslo"}'),
        ToolCallDelta(1, "{}", "call_2", "weather"),
        Finished("tool_calls", Usage(3, 4)),
    ]
    answer = await ask(client, tools=[WEATHER])
    assert answer.choices[0].message.content is None
    calls = answer.choices[0].message.tool_calls
    assert [(call.id, call.function.arguments) for call in calls] == [("call_1", '{"city":"Oslo"}'), ("call_2", "{}")]
    assert answer.choices[0].finish_reason == "tool_calls"
    async with client.chat.completions.stream(model="scripted", messages=HELLO, tools=[WEATHER]) as stream:
        final = await stream.get_final_completion()
    assert [call.function.arguments for call in final.choices[0].message.tool_calls] == ['{"city":"Oslo"}', "{}"]


async def test_several_answers_have_seeds_of_their_own(client, backend):
    backend.steps = lambda request: [f"answer {request.sampling.seed}"]
    answer = await ask(client, n=3, seed=7)
    assert [choice.message.content for choice in answer.choices] == ["answer 7", "answer 8", "answer 9"]
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (9, 6)
    texts = {0: "", 1: "", 2: ""}
    usage = None
    async for chunk in await ask(client, n=3, seed=7, stream=True, stream_options={"include_usage": True}):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
    assert list(texts.values()) == ["answer 7", "answer 8", "answer 9"]
    assert usage.completion_tokens == 6


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("more", "error", "param", "code"),
    [
        ({"model": "nobody"}, openai.NotFoundError, None, "model_not_found"),
        ({"messages": []}, openai.BadRequestError, "messages", "invalid_value"),
        ({"messages": "hello"}, openai.BadRequestError, "messages", "invalid_type"),
        ({"messages": [{"role": "pope", "content": ""}]}, openai.BadRequestError, "messages[0].role", "invalid_value"),
        ({"messages": [{"role": "user"}]}, openai.BadRequestError, "messages[0].content", "invalid_type"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, openai.BadRequestError,
         "messages[0].content[0].text", "missing_required_parameter"),
        ({"messages": [{"role": "tool", "content": "x"}]}, openai.BadRequestError,
         "messages[0].tool_call_id", "missing_required_parameter"),
        ({"temperature": 3}, openai.BadRequestError, "temperature", "invalid_value"),
        ({"temperature": "hot"}, openai.BadRequestError, "temperature", "invalid_type"),
        ({"n": 0}, openai.BadRequestError, "n", "invalid_value"),
        ({"stop": ["a", "b", "c", "d", "e"]}, openai.BadRequestError, "stop", "invalid_value"),
        ({"logit_bias": {"x": 1}}, openai.BadRequestError, "logit_bias", "invalid_value"),
        ({"top_logprobs": 2}, openai.BadRequestError, "top_logprobs", "invalid_value"),
        ({"tool_choice": "required"}, openai.BadRequestError, "tool_choice", "invalid_value"),
        ({"response_format": {"type": "json_schema"}}, openai.BadRequestError,
         "response_format.json_schema", "missing_required_parameter"),
        ({"store": True}, openai.BadRequestError, "store", "unsupported_parameter"),
        ({"reasoning_effort": "high"}, openai.BadRequestError, "reasoning_effort", "unsupported_parameter"),
        ({"modalities": ["audio"]}, openai.BadRequestError, "modalities", "unsupported_value"),
        ({"extra_body": {"colour": "blue"}}, openai.BadRequestError, "colour", "unknown_parameter"),
    ],
)  # fmt: skip
async def test_what_cannot_be_honoured_is_refused_as_the_original_does(client, stream, more, error, param, code):
    with pytest.raises(error) as caught:
        await ask(client, stream=stream, **more)
    body = caught.value.body
    assert body["type"] == "invalid_request_error"
    assert body["code"] == code
    assert body["param"] == param
    assert body["message"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("error", "raised", "code"),
    [
        (ContextOverflowError("Too long."), openai.BadRequestError, "context_length_exceeded"),
        (InvalidRequestError("No."), openai.BadRequestError, None),
        (EngineError("Broken."), openai.InternalServerError, None),
    ],
)
async def test_errors_of_the_model_before_it_answers(client, backend, stream, error, raised, code):
    backend.steps = [error]
    with pytest.raises(raised) as caught:
        await ask(client, stream=stream)
    assert caught.value.body["code"] == code


@pytest.mark.parametrize("stream", [False, True])
async def test_a_full_queue_says_when_to_come_back(client, backend, stream):
    backend.steps = [BusyError("Full.")]
    with pytest.raises(openai.InternalServerError) as caught:
        await ask(client, stream=stream)
    assert caught.value.status_code == 503
    assert int(caught.value.response.headers["retry-after"]) >= 1


async def test_an_error_in_mid_stream_is_raised_by_the_client(client, backend):
    backend.steps = ["Half", EngineError("The engine stopped.")]
    heard = []
    with pytest.raises(openai.APIError, match="The engine stopped"):
        async for chunk in await ask(client, stream=True):
            heard.append(chunk.choices[0].delta.content)
    assert heard == ["", "Half"]


async def test_a_stream_is_left_within_a_step(client, backend):
    backend.steps = ["more ", 0.01] * 10_000
    stream = await ask(client, stream=True)
    async for _chunk in stream:
        break
    await stream.close()
    await backend.idle()
    assert backend.given < 50


async def test_a_whole_answer_is_left_within_a_step(client, backend):
    backend.steps = ["more ", 0.01] * 10_000
    with pytest.raises(openai.APITimeoutError):
        await ask(client, timeout=0.2)
    await backend.idle()
    assert backend.given < 60


async def test_all_of_several_answers_stop_when_the_client_leaves(client, backend):
    backend.steps = ["more ", 0.01] * 10_000
    stream = await ask(client, stream=True, n=4)
    async for _chunk in stream:
        break
    await stream.close()
    await backend.idle()


async def test_when_one_of_several_answers_fails_none_goes_on(client, backend):
    backend.steps = lambda request: [EngineError("Broken.")] if request.sampling.seed == 2 else ["a", 0.01] * 1000
    for stream in (False, True):
        with pytest.raises(openai.APIError):
            answer = await ask(client, n=3, seed=1, stream=stream)
            async for _chunk in answer:
                pass
        await backend.idle()


async def test_a_slow_reader_holds_up_its_own_answer_and_nobody_elses(address, client, backend):
    backend.steps = lambda request: ["x" * 60_000] * 200 if request.sampling.seed == 1 else ["quick"]
    body = {"model": "scripted", "messages": HELLO, "stream": True, "seed": 1}
    async with httpx.AsyncClient() as slow, slow.stream("POST", f"{address}/v1/chat/completions", json=body) as answer:
        parts = answer.aiter_raw()
        await anext(parts)
        await asyncio.sleep(0.3)
        assert backend.given < 200
        assert (await ask(client)).choices[0].message.content == "quick"
    await backend.idle()


async def test_models(client):
    assert [model.id async for model in await client.models.list()] == ["scripted"]
    assert (await client.models.retrieve("scripted")).id == "scripted"
    with pytest.raises(openai.NotFoundError) as caught:
        await client.models.retrieve("no/body")
    assert caught.value.body["code"] == "model_not_found"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"3", b'"x"', b"null", b"\xff", b'{"model": NaN}', b"[" * 99_999])
async def test_bodies_that_are_no_request(address, body):
    async with httpx.AsyncClient() as http:
        answer = await http.post(
            f"{address}/v1/chat/completions", content=body, headers={"content-type": "application/json"}
        )
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


async def test_other_places_answer_in_the_same_shape(address):
    async with httpx.AsyncClient(base_url=address) as http:
        assert (await http.get("/v1/nothing")).json()["error"]["code"] == "not_found"
        assert (await http.get("/v1/chat/completions")).status_code == 405
        document = (await http.get("/openapi.json")).json()
        page = (await http.get("/docs")).text
    assert "/v1/chat/completions" in document["paths"]
    assert "http://" not in page
    assert "https://" not in page
    assert json.dumps(document)
    assert FINISHED.usage.total_tokens == 11
