"""A small server that speaks as OpenAI, Anthropic and Ollama do, for tests: it answers, fails, dawdles, dies as told.

async with provider(Answer(text=("Hi",))) as there:
    ... there.url("anthropic") ...   # http://127.0.0.1:PORT for Anthropic, with /v1 for OpenAI
    there.received[0].body
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec
from aiohttp import web

from app.backends.endpoint import EndpointKind

from .provider_wire import WIRES, Answer, Body, Call, Wire

__all__ = ["Answer", "Call", "Provider", "Received", "provider"]

Plan = Answer | Sequence[Answer] | Callable[["Received"], Answer]


@dataclass(frozen=True)
class Received:
    """A request as it came in. ``port`` is the client's, so two of one connection have the same."""

    method: str
    path: str
    headers: dict[str, str]
    raw: bytes
    body: Body
    port: int


class Provider:
    """What was asked, and how each request is answered.

    Args:
        plan: one answer for every request; several, one a request, the last one again and again; or what makes them.
        key: the key that must be shown, if any must.
        models: the names that it lists.
    """

    def __init__(self, plan: Plan = Answer(), *, key: str = "", models: Sequence[str] = ("m1", "m2")) -> None:  # noqa: B008
        self.plan = plan
        self.key = key
        self.models = tuple(models)
        self.received: list[Received] = []
        self.running = 0
        self.left = 0
        self.base = ""
        self._asked = 0

    def url(self, kind: EndpointKind) -> str:
        """What an endpoint of that kind has as its ``url``."""
        return self.base if kind == "ollama" else f"{self.base}/v1"

    @property
    def chats(self) -> list[Received]:
        """The questions among what was received, without lists of models and health checks."""
        return [request for request in self.received if request.method == "POST"]

    async def until(self, condition: Callable[[Provider], bool], seconds: float = 5.0) -> None:
        """Waits until ``condition`` holds.

        Raises:
            TimeoutError: when it does not in time.
        """
        async with asyncio.timeout(seconds):
            while not condition(self):
                await asyncio.sleep(0.005)

    # Routes

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """Any question."""
        wire = WIRES[request.path]
        seen = await self._seen(request)
        answer = self._next(seen)
        self.running += 1
        try:
            refused = self._refused(request, seen, answer)
            if refused is not None:
                return web.json_response(wire.error(refused), status=refused.status)
            await asyncio.sleep(answer.wait)
            if answer.dies_after is not None and answer.dies_after < 0:
                return _reset(request)
            if answer.body is not None:
                return web.Response(
                    body=answer.body,
                    status=answer.status,
                    headers={"content-type": "application/json"} | answer.headers,
                )
            if answer.status >= 400:
                return web.json_response(wire.error(answer), status=answer.status, headers=answer.headers)
            if seen.body.get("stream", wire.by_default):
                return await self._stream(request, seen, answer, wire)
            return web.Response(
                body=msgspec.json.encode(wire.body(answer, seen.body)),
                content_type="application/json",
                headers=answer.headers,
            )
        except (asyncio.CancelledError, ConnectionResetError):
            self.left += 1
            raise
        finally:
            self.running -= 1

    async def listing(self, request: web.Request) -> web.Response:
        """The models: OpenAI's and Anthropic's shape by the headers, Ollama's by its path."""
        seen = await self._seen(request)
        if self.key and not self._keyed(request):
            return web.json_response({"error": {"message": "no"}}, status=401)
        if request.path == "/api/tags":
            return web.json_response({"models": [{"name": name, "model": name} for name in self.models]})
        if "anthropic-version" in seen.headers:
            told = [{"type": "model", "id": name, "display_name": name.title()} for name in self.models]
            return web.json_response({"data": told, "has_more": False, "first_id": None, "last_id": None})
        return web.json_response({"object": "list", "data": [{"id": n, "object": "model"} for n in self.models]})

    async def health(self, request: web.Request) -> web.Response:
        """Well, unless the plan says otherwise."""
        seen = await self._seen(request)
        answer = self._next(seen)
        return web.Response(status=answer.status, text="ok")

    async def count(self, request: web.Request) -> web.Response:
        """Anthropic's count of a prompt's tokens."""
        seen = await self._seen(request)
        if self.key and not self._keyed(request):
            return web.json_response({"type": "error", "error": {"type": "authentication_error"}}, status=401)
        return web.json_response({"input_tokens": 14} if seen.body.get("messages") else {"type": "error"})

    async def elsewhere(self, request: web.Request) -> web.Response:
        """What is not here is not found, in words."""
        await self._seen(request)
        return web.Response(status=404, text="404 page not found")

    # Inside

    async def _seen(self, request: web.Request) -> Received:
        raw = await request.read()
        try:
            body = msgspec.json.decode(raw) if raw else {}
        except msgspec.DecodeError:
            body = {}
        peer = request.transport.get_extra_info("peername") if request.transport else None
        headers = {name.lower(): value for name, value in request.headers.items()}
        seen = Received(request.method, request.path, headers, raw, body, peer[1] if peer else 0)
        self.received.append(seen)
        return seen

    def _next(self, seen: Received) -> Answer:
        if callable(self.plan):
            return self.plan(seen)
        if isinstance(self.plan, Answer):
            return self.plan
        self._asked += 1
        return self.plan[min(self._asked, len(self.plan)) - 1]

    def _keyed(self, request: web.Request) -> bool:
        return self.key in (request.headers.get("x-api-key"), request.headers.get("authorization", "")[7:])

    def _refused(self, request: web.Request, seen: Received, answer: Answer) -> Answer | None:
        if self.key and not self._keyed(request):
            shown = request.headers.get("x-api-key") or request.headers.get("authorization", "")
            return Answer(status=401, error=f"Incorrect API key provided: {shown}.", code="invalid_api_key")
        if not isinstance(seen.body.get("model"), str):
            return Answer(status=400, error="you must provide a model parameter")
        if request.path == "/v1/messages":
            if "anthropic-version" not in request.headers:
                return Answer(status=400, error="anthropic-version: header is required")
            if not isinstance(seen.body.get("max_tokens"), int):
                return Answer(status=400, error="max_tokens: Field required")
        return None

    async def _stream(self, request: web.Request, seen: Received, answer: Answer, wire: Wire) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": wire.streams} | answer.headers)
        await response.prepare(request)
        for number, event in enumerate(wire.events(answer, seen.body)):
            if number == answer.dies_after:
                _reset(request)
                break
            if number == answer.hangs_after:
                await asyncio.sleep(3600)
            if number == answer.ends_after:
                break
            if number == answer.fails_after:
                await response.write(wire.failure(answer))
                break
            if answer.pause:
                await asyncio.sleep(answer.pause)
            size = answer.write or len(event)
            for place in range(0, len(event), size):
                await response.write(event[place : place + size])
        if request.transport is not None:
            await response.write_eof()
        return response


def _reset(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


@asynccontextmanager
async def provider(
    plan: Plan = Answer(),  # noqa: B008
    *,
    key: str = "",
    models: Sequence[str] = ("m1", "m2"),
    tls: ssl.SSLContext | None = None,
    port: int = 0,
) -> AsyncGenerator[Provider, None]:
    """Runs a provider on a free port of 127.0.0.1 for as long as the block lasts."""
    there = Provider(plan, key=key, models=models)
    app = web.Application(client_max_size=1 << 28)
    for path in WIRES:
        app.router.add_post(path, there.ask)
    app.router.add_post("/v1/messages/count_tokens", there.count)
    app.router.add_get("/v1/models", there.listing)
    app.router.add_get("/api/tags", there.listing)
    app.router.add_get("/health", there.health)
    app.router.add_route("*", "/{rest:.*}", there.elsewhere)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls)
        await site.start()
        bound = runner.addresses[0][1]
        there.base = f"{'https' if tls else 'http'}://{'localhost' if tls else '127.0.0.1'}:{bound}"
        yield there
    finally:
        await runner.cleanup()
