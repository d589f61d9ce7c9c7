"""``/v1/completions`` through the unmodified client, answered by a script."""

import openai
import pytest

from app.messages import ChosenToken, TextDelta, TokenLogprob


def ask(client, **more):
    return client.completions.create(**{"model": "scripted", "prompt": "Once", **more})


async def test_text_is_continued_as_it_is(client, backend):
    answer = await ask(client)
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == ("Hello there.", "stop")
    assert answer.usage.total_tokens == 11
    (asked,) = backend.requests
    assert (asked.prompt, asked.messages, asked.sampling.max_tokens) == ("Once", (), 16)


async def test_several_prompts_and_several_answers_to_each(client, backend):
    backend.steps = lambda request: [f"{request.prompt}{request.sampling.seed}"]
    answer = await ask(client, prompt=["a", "b"], n=2, seed=1)
    assert [choice.text for choice in answer.choices] == ["a1", "a2", "b1", "b2"]
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (18, 8)
    await ask(client, prompt=[[1, 2], [3]])
    assert [request.prompt for request in backend.requests[-2:]] == [(1, 2), (3,)]
    await ask(client, prompt=[4, 5])
    assert backend.requests[-1].prompt == (4, 5)


async def test_a_stream_with_echo_and_usage(client):
    events = [
        event async for event in await ask(client, echo=True, stream=True, stream_options={"include_usage": True})
    ]
    assert "".join(event.choices[0].text for event in events if event.choices) == "OnceHello there."
    assert (events[-1].choices, events[-1].usage.total_tokens) == ([], 11)
    assert (await ask(client, echo=True)).choices[0].text == "OnceHello there."


async def test_log_probabilities(client, backend):
    chosen = ChosenToken(TokenLogprob("Hi", b"Hi", -0.5), (TokenLogprob("Ho", b"Ho", -1.5),))
    backend.steps = [TextDelta("Hi", (chosen,)), TextDelta("Hi", (chosen,))]
    (choice,) = (await ask(client, logprobs=1)).choices
    assert (choice.logprobs.tokens, choice.logprobs.text_offset) == (["Hi", "Hi"], [0, 2])
    events = [event async for event in await ask(client, logprobs=1, stream=True)]
    assert [event.choices[0].logprobs.text_offset for event in events[:2]] == [[0], [2]]


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"suffix": "end"}, "suffix"),
        ({"best_of": 3}, "best_of"),
        ({"echo": True, "logprobs": 1}, "echo"),
        ({"prompt": []}, "prompt"),
        ({"prompt": [[]]}, "prompt[0]"),
        ({"logprobs": 9}, "logprobs"),
        ({"prompt": ["a"] * 100, "n": 2}, "n"),
    ],
)
async def test_what_cannot_be_honoured_is_refused(client, more, param):
    with pytest.raises(openai.BadRequestError) as caught:
        await ask(client, **more)
    assert caught.value.body["param"] == param
