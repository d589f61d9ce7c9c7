"""``/v1/responses`` through the unmodified client, answered by a script."""

import openai
import pytest

from app.errors import BusyError, EngineError
from app.messages import Finished, Message, TextDelta, ThinkingDelta, ToolCall, ToolCallDelta, ToolResult, Usage

FUNCTION = {"type": "function", "name": "weather", "description": "Of a city", "parameters": {"type": "object"}}


def ask(client, **more):
    return client.responses.create(**{"model": "scripted", "input": "Hello?", **more})


async def test_a_whole_response(client, backend):
    response = await ask(client, instructions="Be brief.", max_output_tokens=5, temperature=0.5, top_p=0.9)
    assert response.output_text == "Hello there."
    assert response.status == "completed"
    assert (response.usage.input_tokens, response.usage.output_tokens, response.usage.total_tokens) == (9, 2, 11)
    assert response.usage.input_tokens_details.cached_tokens == 4
    (asked,) = backend.requests
    assert asked.messages == (Message.system("Be brief."), Message.user("Hello?"))
    assert (asked.sampling.max_tokens, asked.sampling.temperature, asked.sampling.top_p) == (5, 0.5, 0.9)


async def test_a_stream_tells_every_step(client):
    events = [event async for event in await ask(client, stream=True)]
    assert [event.type for event in events] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event.sequence_number for event in events] == list(range(11))
    assert events[-1].response.output_text == events[7].text == "Hello there."


async def test_the_clients_own_stream_helper_gathers_thoughts_and_calls(client, backend):
    backend.steps = [
        ThinkingDelta("Hm."),
        "Let me look.",
        ToolCallDelta(0, '{"city":', "call_1", "weather"),
        ToolCallDelta(0, '"Oslo"}'),
        ToolCallDelta(1, "{}", "call_2", "weather"),
        Finished("tool_calls", Usage(1, 2)),
    ]
    async with client.responses.stream(model="scripted", input="?", tools=[FUNCTION]) as stream:
        async for _event in stream:
            pass
        final = await stream.get_final_response()
    assert [item.type for item in final.output] == ["reasoning", "message", "function_call", "function_call"]
    assert [call.arguments for call in final.output[2:]] == ['{"city":"Oslo"}', "{}"]
    whole = await ask(client, tools=[FUNCTION])
    assert [item.type for item in whole.output] == [item.type for item in final.output]


async def test_calls_and_their_results_come_back(client, backend):
    await ask(
        client,
        input=[
            {"role": "developer", "content": "Be kind."},
            {"role": "user", "content": [{"type": "input_text", "text": "Weather?"}]},
            {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "sunny"},
        ],
    )
    assert backend.requests[0].messages == (
        Message.system("Be kind."),
        Message.user("Weather?"),
        Message("assistant", (ToolCall("c1", "weather", "{}"),)),
        Message("tool", (ToolResult("c1", "sunny"),)),
    )


async def test_an_answer_that_was_cut_says_so(client, backend):
    backend.steps = ["Half", Finished("length", Usage(1, 1))]
    response = await ask(client)
    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    events = [event async for event in await ask(client, stream=True)]
    assert events[-1].type == "response.incomplete"


async def test_an_error_in_mid_stream_ends_it_as_failed(client, backend):
    for steps in (["Half", EngineError("Broken.")], [TextDelta("", ()), EngineError("Broken.")], [EngineError("B")]):
        backend.steps = steps
        events = [event async for event in await ask(client, stream=True)]
        assert events[-1].type == "response.failed"
    backend.steps = ["Half", EngineError("Broken.")]
    with pytest.raises(openai.InternalServerError, match="Broken"):
        await ask(client)
    backend.steps = [BusyError("Full.")]
    with pytest.raises(openai.InternalServerError):
        await ask(client)


async def test_a_schema_for_the_text(client, backend):
    form = {"type": "json_schema", "name": "x", "schema": {"type": "array"}, "strict": True}
    await ask(client, text={"format": form})
    assert backend.requests[0].response_format.json_schema == {"type": "array"}


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"background": True}, "background"),
        ({"conversation": "c"}, "conversation"),
        ({"truncation": "auto"}, "truncation"),
        ({"reasoning": {"effort": "high"}}, "reasoning.effort"),
        ({"include": ["file_search_call.results"]}, "include"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0].type"),
        ({"input": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "input[0].content[0].type"),
        ({"text": {"format": {"type": "json_schema", "name": "x"}}}, "text.format.schema"),
        ({"extra_body": {"colour": 1}}, "colour"),
    ],
)
async def test_what_cannot_be_honoured_is_refused(client, more, param):
    with pytest.raises(openai.BadRequestError) as caught:
        await ask(client, **more)
    assert caught.value.body["param"] == param


async def test_leaving_stops_the_answer(client, backend):
    backend.steps = ["more ", 0.01] * 10_000
    stream = await ask(client, stream=True)
    async for _event in stream:
        break
    await stream.close()
    await backend.idle()
    with pytest.raises(openai.APITimeoutError):
        await ask(client, timeout=0.2)
    await backend.idle()
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve("resp_1")
