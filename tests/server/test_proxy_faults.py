"""Providers that fail in every way, over real sockets, through our whole server; and an outage, and its end."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

import anthropic
import openai
import pytest

from tests.backends.faulty import SHORT, FaultyPlan
from tests.backends.provider import Answer, provider
from tests.routing.scripted import endpoint

from .proxied import KEY, Proxied, model, place, proxied

FAULTS = 300
MESSAGES = [{"role": "user", "content": "?"}]


def _text_of(words: list[str]) -> list[tuple[int, int]]:
    """Each token's request at the provider, and its place there."""
    return [tuple(map(int, token.split(":"))) for token in "".join(words).split()]


async def _openai(client: openai.AsyncOpenAI, name: str, stream: bool, words: list[str]) -> bool:
    found = await client.chat.completions.create(model=name, messages=MESSAGES, stream=stream)
    if not stream:
        words.append(found.choices[0].message.content or "")
        return True
    finish = None
    async for chunk in found:
        for choice in chunk.choices:
            words.append(choice.delta.content or "")
            assert finish is None, "words after the end"
            finish = choice.finish_reason
    return finish is not None


async def _anthropic(client: anthropic.AsyncAnthropic, name: str, stream: bool, words: list[str]) -> bool:
    if not stream:
        found = await client.messages.create(model=name, messages=MESSAGES, max_tokens=99)
        words.extend(block.text for block in found.content)
        return True
    begun = stopped = 0
    async for event in await client.messages.create(model=name, messages=MESSAGES, max_tokens=99, stream=True):
        begun += event.type == "message_start"
        stopped += event.type == "message_stop"
        if event.type == "content_block_delta":
            words.append(event.delta.text)
    assert begun <= 1 and stopped <= 1
    return bool(stopped)


async def test_faults_reach_no_client_as_doubled_or_lost_words():
    plan = FaultyPlan(seed=11, more=[{"pause": 0.03}, {"body": b'{"choices": [{"mess'}, {"body": b"<html>"}])
    outcomes: Counter[str] = Counter()
    async with provider(plan, key=KEY) as a, provider(plan, key=KEY) as b, provider(plan, key=KEY) as c:
        toml = (
            place("a", a, "openai", **SHORT)
            + place("b", b, "anthropic", **SHORT)
            + place("c", c, "ollama", **SHORT)
            + '[remote.gpt]\nreplicas = [{ endpoint = "a" }, { endpoint = "b", weight = 2 }]\nfallback = ["last"]\n'
            + '[remote.mine]\nendpoint = "b"\nfallback = ["gpt"]\n'
            + model("last", "c")
        )
        async with proxied(toml) as ours, ours.openai(timeout=20) as one, ours.anthropic(timeout=20) as other:

            async def ask() -> None:
                words: list[str] = []
                whole, error = False, None
                name, stream = plan.dice.choice(("gpt", "mine", "last")), plan.dice.random() < 0.7
                way = plan.dice.choice(((_openai, one), (_anthropic, other)))
                try:
                    whole = await way[0](way[1], name, stream, words)
                except (openai.APIConnectionError, anthropic.APIConnectionError) as broken:
                    pytest.fail(f"our own connection broke: {broken!r}")
                except (openai.APIError, anthropic.APIError) as told:
                    error = told
                tokens = _text_of(words)
                if tokens:
                    assert tokens == [(tokens[0][0], at) for at in range(len(tokens))]
                if error is None:
                    assert whole and plan.is_whole(tokens)
                assert KEY not in str(error)
                outcomes["whole" if error is None else "broken" if tokens else "failed"] += 1

            async with asyncio.timeout(90):
                while plan.faults < FAULTS:
                    await asyncio.gather(*(ask() for _ in range(40)))
            assert ours.idle()
        for there in (a, b, c):
            await there.until(lambda one: one.running == 0)
    assert len(plan.count) == 8 and min(outcomes[kind] for kind in ("whole", "broken", "failed")) > 10, (
        plan.count,
        outcomes,
    )


async def _said(ours: Proxied, stream: bool) -> tuple[str, dict[str, str], float]:
    began = time.monotonic()
    async with ours.openai() as client:
        found = await client.chat.completions.with_raw_response.create(model="gpt", messages=MESSAGES, stream=stream)
        if stream:
            chunks = [chunk async for chunk in found.parse()]
            text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
            named = {chunk.model for chunk in chunks}
        else:
            text, named = found.parse().choices[0].message.content, {found.parse().model}
    assert len(named) == 1
    return text, {**found.headers, "model": named.pop()}, time.monotonic() - began


@pytest.mark.parametrize("stream", [False, True])
async def test_an_outage_and_its_end_are_told_by_headers(stream):
    async with provider(key=KEY) as there:
        port = int(there.base.rpartition(":")[2])
        toml = endpoint("cloud", url=f"{there.base}/v1", key="env:KEY", cooldown_s=1.2) + model(
            "gpt", "cloud", 'fallback = ["small"]'
        )
        async with proxied(toml) as ours:
            text, headers, _ = await _said(ours, stream)
            assert text == "Hello there!" and headers["x-playground-backend"] == "cloud"
            # The server stays; its provider goes and comes back at the same place.
            await _outage(there, ours, stream, port)


async def _outage(there, ours: Proxied, stream: bool, port: int) -> None:
    there.plan = Answer(dies_after=-1)
    text, headers, seconds = await _said(ours, stream)
    assert text == "I am here." and seconds < 1.0
    assert (headers["x-playground-model"], headers["x-playground-backend"], headers["model"]) == (
        "small",
        "wire",
        "small",
    )
    assert headers["x-playground-fallback"].startswith("gpt: ") and headers["x-playground-fallback"].isascii()
    there.plan = Answer()
    assert (await _said(ours, stream))[0] == "I am here."  # it is left alone for a while
    await asyncio.sleep(1.25)
    text, headers, _ = await _said(ours, stream)
    assert text == "Hello there!" and "x-playground-fallback" not in headers


async def test_nothing_listens_there_and_the_model_here_answers_within_a_second():
    async with provider(key=KEY) as there:
        gone = there.base
    toml = endpoint("cloud", url=f"{gone}/v1", key="env:KEY") + model("gpt", "cloud", 'fallback = ["small"]')
    async with proxied(toml) as ours:
        text, headers, seconds = await _said(ours, stream=True)
        assert text == "I am here." and seconds < 1.0 and headers["x-playground-model"] == "small"


async def test_reasons_are_made_fit_for_headers():
    from app.server.answerer import for_header

    assert for_header("plain words") == "plain words"
    wild = for_header("a\r\nset-cookie: x\x00 Blåbær 🫐 " + "y" * 999)
    assert wild.isascii() and wild.isprintable() and len(wild) <= 300 and "\n" not in wild
    assert for_header("\u202eevil") == "evil" or for_header("\u202eevil").isascii()
