"""What the server counts of an answer: its price, how long it took, and whether it was given before."""

from __future__ import annotations

import types
from typing import Any

import pytest

from app.backends.raw import RawAnswer, RawRequest
from app.messages import ChatRequest, Finished, Message, Started, TextDelta, Timings, Usage
from app.privacy.masking import Masker
from app.routing.audit.audited import Audited
from app.routing.audit.notebook import Notebook
from app.server.metering.answers import Metered
from app.server.metering.meter import Meter
from app.server.passing.answer import PassedAnswer
from app.vault.activity.usage import UsageRow


class Kept:
    """A ledger that writes nowhere."""

    def __init__(self) -> None:
        self.rows: list[UsageRow] = []

    def add(self, principal: object, row: UsageRow) -> None:
        self.rows.append(row)


class Answers:
    """A router that gives one answer to everything."""

    def __init__(self, *deltas: Any, backend: str = "far") -> None:
        self._deltas, self._backend = deltas, backend

    async def stream(self, request: ChatRequest) -> Any:
        for delta in self._deltas:
            yield delta

    async def raw(self, request: RawRequest) -> RawAnswer:
        async def pieces() -> Any:
            yield b'{"usage":{"prompt_tokens":7,"completion_tokens":3}}'

        return RawAnswer(status=200, headers={}, pieces=pieces(), whole=True, model="m", backend=self._backend)


def priced(router: Answers) -> Audited:
    notebook = Notebook(lambda: None, Masker(), audit=False, cost=lambda model, usage: usage.total_tokens / 10)
    return Audited(router, notebook, "server")  # type: ignore[arg-type]


@pytest.mark.parametrize("again", [False, True])
async def test_of_a_translated_answer(again: bool) -> None:
    kept = Kept()
    end = Finished("stop", Usage(7, 3, 2), Timings(0.1, 0.2, 0.3))
    router = priced(Answers(Started("m", "far", 7, 2, from_cache=again), TextDelta("Hello"), end))
    request = ChatRequest(model="m", messages=(Message.user("Hello"),))
    async for _ in Metered(router, Meter(kept)).stream(request):  # type: ignore[arg-type]
        pass
    (row,) = kept.rows
    assert (row.from_cache, row.cost, row.outcome, row.tokens) == (again, 0.0 if again else 1.0, "finished", 10)
    assert row.total_s is not None and 0 <= row.total_s < 60


@pytest.mark.parametrize("again", [False, True])
async def test_of_one_that_passes_through(again: bool) -> None:
    kept, sent = Kept(), []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": "/v1/chat/completions", "headers": [], "state": {"meter": Meter(kept)}}  # type: ignore[arg-type]
    asked = RawRequest(protocol="openai-chat", model="m", body={"model": "m"})
    router = priced(Answers(backend="cache" if again else "far"))
    assert await PassedAnswer(scope, send, asked, 40).answer(types.SimpleNamespace(router=router))  # type: ignore[arg-type]
    (row,) = kept.rows
    assert (row.model, row.from_cache, row.cost) == ("m", again, 0.0 if again else 1.0)
    assert row.total_s is not None and row.first_token_s is not None and row.first_token_s <= row.total_s
