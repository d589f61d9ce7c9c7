"""Faults by the thousand, seeded: no piece of an answer doubled or lost, no hang, and the end is always told."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from app.backends.endpoint import EndpointKind
from app.backends.raw import RawRequest
from app.errors import RemoteError
from app.messages import Finished, TextDelta

from .provider import Answer, Received, provider
from .provider_wire import WIRES
from .reaching import KINDS, asking, reaching

TEXT = tuple(f"{number} " for number in range(20))
FAULTS = ("dies_after", "ends_after", "fails_after", "status", "none")
EACH = 300


def plan_of(seed: int) -> Answer:
    chance = random.Random(seed)
    fault = chance.choice(FAULTS)
    how: dict[str, Any] = {"text": TEXT, "write": chance.choice([0, 0, 1, 3, 50]), "thinking": ("hm",)}
    if fault == "status":
        return Answer(**how, **{"status": chance.choice([400, 401, 404, 408, 429, 500, 502, 503, 529])})
    if fault != "none":
        how[fault] = chance.choice([-1, 0, 1, chance.randrange(30)])
    return Answer(**how)


@pytest.mark.parametrize("kind", KINDS)
async def test_answers_are_whole_or_known_to_be_cut(kind: EndpointKind) -> None:
    whole, ends = "".join(TEXT), {True: 0, False: 0}

    def plan(request: Received) -> Answer:
        return plan_of(int(request.body["model"]))

    async with provider(plan) as there, reaching(there, kind, connections=8) as backend:

        async def one(seed: int) -> None:
            text, finished = "", False
            try:
                async with asyncio.timeout(20):
                    async for delta in backend.stream(asking(str(seed))):
                        assert not finished
                        text += delta.text if isinstance(delta, TextDelta) else ""
                        finished = isinstance(delta, Finished)
            except RemoteError:
                assert not finished
            assert whole.startswith(text)
            assert not finished or text == whole
            ends[finished] += 1

        for begin in range(0, EACH, 10):
            await asyncio.gather(*(one(seed) for seed in range(begin, begin + 10)))
        await there.until(lambda p: p.running == 0)
    assert ends[True] > EACH / 8
    assert ends[False] > EACH / 3


@pytest.mark.parametrize("kind", KINDS)
async def test_what_passes_through_is_whole_or_known_to_be_cut(kind: EndpointKind) -> None:
    protocol, path = {
        "anthropic": ("anthropic", "/v1/messages"),
        "ollama": ("ollama", "/api/chat"),
    }.get(kind, ("openai-chat", "/v1/chat/completions"))

    def plan(request: Received) -> Answer:
        return plan_of(int(request.body["model"]))

    async with provider(plan) as there, reaching(there, kind, connections=8) as backend:

        async def one(seed: int) -> None:
            got, ended = b"", False
            body = {"messages": [], "max_tokens": 1, "stream": True}
            try:
                async with asyncio.timeout(20):
                    answer = await backend.raw(
                        RawRequest(protocol=protocol, model=str(seed), body=body, stream=True)  # type: ignore[arg-type]
                    )
                    async for piece in answer.pieces:
                        got += piece
                ended = True
            except RemoteError:
                pass
            sent = b"".join(WIRES[path].events(plan_of(seed), {"model": str(seed)}))
            failed = WIRES[path].failure(plan_of(seed))
            assert sent.startswith(got.removesuffix(failed))
            assert not ended or got == sent or got.endswith(failed) or b"[DONE]" in sent[len(got) :]

        for begin in range(0, EACH, 10):
            await asyncio.gather(*(one(seed) for seed in range(begin, begin + 10)))
        await there.until(lambda p: p.running == 0)
