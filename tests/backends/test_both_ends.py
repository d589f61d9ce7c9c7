# ruff: noqa: SIM117 - a server, and then who asks it
"""Answers in neutral words, told by our own server in a provider's protocol, and read back by the backend for it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.backends.endpoint import EndpointKind
from app.errors import BusyError, RemoteBusyError, RemoteError
from app.messages import (
    ChosenToken,
    Delta,
    Finished,
    Sampling,
    TextDelta,
    ThinkingDelta,
    TokenLogprob,
    ToolCallDelta,
    Usage,
)
from tests.server.scripted import ScriptedBackend, served, services_of

from .reaching import all_of, asking, reaching, summary

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8)
ARGUMENTS = st.dictionaries(WORDS, WORDS | st.integers(), max_size=2).map(lambda value: json.dumps(value))


@st.composite
def answers(draw: st.DrawFn) -> list[Delta]:
    deltas: list[Delta] = [ThinkingDelta(text) for text in draw(st.lists(WORDS, max_size=3))]
    deltas += [TextDelta(text) for text in draw(st.lists(WORDS, min_size=1, max_size=4))]
    calls = draw(st.lists(ARGUMENTS, max_size=2))
    for index, arguments in enumerate(calls):
        cut = draw(st.integers(0, len(arguments)))
        deltas.append(ToolCallDelta(index, arguments[:cut], f"call_{index}", "f"))
        deltas.append(ToolCallDelta(index, arguments[cut:]))
    reason = "tool_calls" if calls else draw(st.sampled_from(["stop", "length"]))
    prompt, written = draw(st.integers(1, 99)), draw(st.integers(1, 99))
    return [*deltas, Finished(reason, Usage(prompt, written, draw(st.integers(0, prompt))))]


@pytest.mark.parametrize("kind", ["openai", "openai-compatible", "anthropic", "ollama", "responses"])
def test_answers_come_back_as_they_were(kind: str) -> None:
    async def run() -> None:
        told: list[Delta] = []
        backend = ScriptedBackend(lambda request: list(told))
        backend_kind: EndpointKind = "openai" if kind == "responses" else kind  # type: ignore[assignment]
        async with served(services_of(backend)) as url:
            address = url if kind == "ollama" else f"{url}/v1"
            async with reaching(address, backend_kind) as remote:
                for deltas in drawn:
                    told[:] = deltas
                    if kind == "responses":
                        remote._kind = remote._kind._replace(way=lambda request: RESPONSES)
                    got = summary(await all_of(remote.stream(asking("scripted"))))
                    expected = summary(deltas)
                    loose = [(i, n, json.loads(a)) for i, n, a in got.pop("calls")]
                    assert loose == [(i, n, json.loads(a)) for i, n, a in expected.pop("calls")]
                    if kind == "anthropic":  # thoughts are shown there to who asks for them
                        expected["thinking"] = ""
                    finished = expected["finished"]
                    if kind == "ollama":  # tokens from a cache have no place there
                        got["finished"] = replace_usage(got["finished"], finished.usage.cached_tokens)
                    assert replace_timings(got) == expected

    from app.backends.openai.dialects import RESPONSES

    drawn: list[list[Delta]] = []

    @given(answers())
    @settings(max_examples=40, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
    def draw(deltas: list[Delta]) -> None:
        drawn.append(deltas)

    draw()
    asyncio.run(run())


def replace_usage(finished: Finished, cached: int) -> Finished:
    usage = finished.usage
    return Finished(finished.reason, Usage(usage.prompt_tokens, usage.completion_tokens, cached))


def replace_timings(said: dict[str, Any]) -> dict[str, Any]:
    finished = said["finished"]
    return said | {"finished": Finished(finished.reason, finished.usage)}


async def test_probabilities_of_tokens_come_back() -> None:
    chosen = ChosenToken(TokenLogprob("é", "é".encode(), -0.5), (TokenLogprob("x", b"x", -1.0),))
    backend = ScriptedBackend([TextDelta("é", (chosen,))])
    async with served(services_of(backend)) as url:
        for kind in ("openai", "ollama"):
            async with reaching(url if kind == "ollama" else f"{url}/v1", kind) as remote:
                asked = asking("scripted", sampling=Sampling(logprobs=1))
                assert summary(await all_of(remote.stream(asked)))["logprobs"] == [chosen]


@pytest.mark.parametrize("kind", ["openai", "anthropic", "ollama"])
async def test_errors_of_our_server_come_back_as_errors(kind: EndpointKind) -> None:
    async with served(services_of(ScriptedBackend([BusyError("full")]))) as url:
        async with reaching(url if kind == "ollama" else f"{url}/v1", kind) as remote:
            with pytest.raises(RemoteBusyError, match="full"):
                await all_of(remote.stream(asking("scripted")))
    async with served(services_of(ScriptedBackend(["a", "b", BusyError("full")]))) as url:
        async with reaching(url if kind == "ollama" else f"{url}/v1", kind) as remote:
            with pytest.raises(RemoteError, match="full"):
                await all_of(remote.stream(asking("scripted")))
