"""Streams and what is counted of them, without a socket."""

import asyncio

import msgspec
import openai
import pytest
from starlette.responses import Response

from app.errors import EngineError
from app.messages import ChatRequest, Usage
from app.routing.router import Router
from app.server.collect import collect
from app.server.metering.answers import Metered
from app.server.metering.meter import Meter
from app.server.streaming import EventStream

from .scripted import ScriptedBackend, served, services_of

ASKED = ChatRequest(model="scripted", messages=())


class Ledger:
    """Remembers what was counted."""

    def __init__(self):
        self.rows = []

    def add(self, principal, row):
        self.rows.append(row)


def metered(steps):
    backend, ledger = ScriptedBackend(steps), Ledger()
    return Metered(Router([backend]), Meter(ledger)), ledger, backend


async def test_a_whole_answer_is_counted_once():
    router, ledger, _backend = metered(["a", "b"])
    assert (await collect(router.stream(ASKED))).text == "ab"
    (row,) = ledger.rows
    assert (row.prompt_tokens, row.completion_tokens, row.outcome, row.backend) == (9, 2, "finished", "scripted")


async def test_an_answer_that_is_left_counts_what_had_come():
    router, ledger, _backend = metered(["a", "b", "c", 60.0])
    answer = router.stream(ASKED)
    for _number in range(4):
        await anext(answer)
    await answer.aclose()
    (row,) = ledger.rows
    assert (row.prompt_tokens, row.completion_tokens, row.outcome) == (9, 3, "stopped")


async def test_an_answer_that_fails_counts_what_had_come():
    router, ledger, _backend = metered(["a", EngineError("Broken.")])
    with pytest.raises(EngineError):
        await collect(router.stream(ASKED))
    assert [(row.completion_tokens, row.outcome) for row in ledger.rows] == [(1, "failed")]
    assert msgspec.structs.asdict(Usage())["prompt_tokens"] == 0


class Connection:
    """One ASGI request: what was sent, and when the client leaves."""

    def __init__(self, events, blocked=False):
        self.sent, self.left, self.blocked = [], asyncio.Event(), blocked
        self.stream = EventStream(
            events, failed=lambda error: b"failed", refused=lambda error: Response(status_code=418)
        )

    async def receive(self):
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        self.sent.append(message)
        if self.blocked and message["type"] == "http.response.body":
            await asyncio.sleep(60)

    async def run(self):
        await self.stream({"type": "http", "method": "POST"}, self.receive, self.send)


async def test_an_error_before_the_first_event_has_its_own_status():
    async def events():
        raise EngineError("Broken.")
        yield b""

    connection = Connection(events())
    await connection.run()
    assert connection.sent[0]["status"] == 418


async def test_a_client_that_reads_nothing_and_leaves_frees_the_answer():
    closed = asyncio.Event()

    async def events():
        try:
            while True:
                yield b"more"
        finally:
            closed.set()

    connection = Connection(events(), blocked=True)
    running = asyncio.ensure_future(connection.run())
    await asyncio.sleep(0.05)
    assert len(connection.sent) == 2
    connection.left.set()
    await asyncio.wait_for(running, 1)
    assert closed.is_set()


async def test_ending_the_request_ends_the_answer():
    closed = asyncio.Event()

    async def events():
        try:
            await asyncio.sleep(60)
            yield b""
        finally:
            closed.set()

    running = asyncio.ensure_future(Connection(events()).run())
    await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert closed.is_set()


async def test_unknown_names_and_long_answers_as_the_settings_say():
    backend = ScriptedBackend(["Hello."])
    services = services_of(backend, unknown_model="default", max_output_tokens=5)
    settings = services.settings
    chosen = msgspec.structs.replace(settings.models, default="scripted")
    object.__setattr__(services, "settings", msgspec.structs.replace(settings, models=chosen))
    async with (
        served(services) as address,
        openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client,
    ):
        question = [{"role": "user", "content": "?"}]
        answer = await client.chat.completions.create(model="gpt-4o", messages=question, max_tokens=900)
        await client.responses.create(model="gpt-4o", input="?")
        await client.completions.create(model="gpt-4o", prompt="?", max_tokens=2)
    assert answer.model == "scripted"
    assert [request.sampling.max_tokens for request in backend.requests] == [5, 5, 2]
