"""Endpoints that do what a test wrote down, and the catalogue that names them."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path

from app.backends.endpoint import Endpoint
from app.backends.raw import RawAnswer, RawRequest
from app.engine.catalogues.files import CatalogueFile
from app.errors import PlaygroundError, RemoteTimeoutError
from app.messages import ChatRequest, Delta, Finished, Message, Started, TextDelta
from app.privacy.connections import ConnectionPolicy
from app.routing.catalogue.remote_models import RemoteCatalogue
from app.routing.remotes import Remotes
from app.routing.router import Router

Step = str | float | Delta | BaseException
"""Text, seconds to wait, a delta, or an error to raise."""


def ask(model: str, text: str = "hello") -> ChatRequest:
    return ChatRequest(model=model, messages=(Message.user(text),))


class Scripted:
    """A backend; ``plan`` gives the steps of each call by its number and request. Whole answers need no Started."""

    def __init__(
        self,
        name: str,
        plan: Callable[[int, ChatRequest | RawRequest], Sequence[Step]] | Sequence[Step] = ("Hello", " there."),
        models: tuple[str, ...] = (),
        protocols: tuple[str, ...] = ("openai-chat",),
    ) -> None:
        self.name = name
        self.plan = plan
        self._models, self._protocols = models, protocols
        self.asked: list[str] = []
        self.running = 0
        self.checks: list[BaseException | None] = []
        self.checked = 0
        self.closed = 0

    def _steps(self, request: ChatRequest | RawRequest) -> Sequence[Step]:
        self.asked.append(request.model)
        return self.plan(len(self.asked), request) if callable(self.plan) else self.plan

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        steps = self._steps(request)
        self.running += 1
        try:
            for number, step in enumerate(steps):
                match step:
                    case float() | int():
                        await asyncio.sleep(step)
                    case str():
                        if number == 0:
                            yield Started(request.model, "wire")
                        yield TextDelta(step)
                    case BaseException():
                        raise step
                    case _:
                        yield step
            if not steps or not isinstance(steps[-1], Finished):
                yield Finished("stop")
        finally:
            self.running -= 1

    async def models(self) -> tuple[str, ...]:
        return self._models

    def speaks(self, protocol: str) -> bool:
        return protocol in self._protocols

    async def raw(self, request: RawRequest) -> RawAnswer:
        """As a wire does: an answer that is not whole at the request's deadline breaks off."""
        steps = self._steps(request)

        async def waits(seconds: float) -> None:
            try:
                async with asyncio.timeout_at(request.deadline):
                    await asyncio.sleep(seconds)
            except TimeoutError:
                raise RemoteTimeoutError(f"{self.name} had not answered in full.") from None

        async def pieces(rest: Sequence[Step]) -> AsyncGenerator[bytes, None]:
            self.running += 1
            try:
                for step in rest:
                    match step:
                        case float() | int():
                            await waits(step)
                        case BaseException():
                            raise step
                        case _:
                            yield str(step).encode()
            finally:
                self.running -= 1

        for number, step in enumerate(steps):
            if isinstance(step, BaseException):
                raise step
            if isinstance(step, float | int):
                await waits(step)
            else:
                return RawAnswer(status=200, headers={}, pieces=pieces(steps[number:]))
        return RawAnswer(status=200, headers={}, pieces=pieces(()))

    def preview(self, request: ChatRequest) -> object:
        return f"{self.name} would be sent {request.model}"

    async def check(self) -> None:
        self.checked += 1
        trouble = self.checks.pop(0) if self.checks else None
        if trouble is not None:
            raise trouble

    async def aclose(self) -> None:
        self.closed += 1


def catalogue(toml: str, **local: bool) -> RemoteCatalogue:
    """The remote models of one file."""
    return RemoteCatalogue.of(
        [CatalogueFile(Path("models.toml"), tomllib.loads(toml))],
        {name.replace("_", "-"): chats for name, chats in local.items()},
    )


class World:
    """A router with scripted endpoints beside one scripted local backend that knows ``small``.

    Every endpoint named in the catalogue has a backend of its name in ``ends``.
    """

    def __init__(
        self, toml: str, *, local_only: bool = False, chance: float = 0.5, **plans: Sequence[Step] | Callable
    ) -> None:
        self.local = Scripted("local", plans.pop("local", ("I am here.",)), models=("small",))
        found = catalogue(toml, small=True)
        self.ends = {name: Scripted(name, plans.get(name, ("Hello", " there."))) for name in found.endpoints}
        self.policy = ConnectionPolicy(local_only=local_only)
        self.connected: list[str] = []
        self.remotes = Remotes(found, self._connect, self.policy, self.local, chance=lambda: chance)
        self.router = Router([self.local], self.remotes)

    def _connect(self, endpoint: Endpoint) -> Scripted:
        self.connected.append(endpoint.name)
        return self.ends[endpoint.name]

    def idle(self) -> bool:
        """Whether nothing runs any more, as counted by both sides."""
        return not any(self.remotes.in_flight().values()) and not any(end.running for end in self.ends.values())


async def read(deltas: AsyncGenerator[Delta, None]) -> tuple[list[Delta], PlaygroundError | None]:
    """What came, and how it ended."""
    found: list[Delta] = []
    try:
        async for delta in deltas:
            found.append(delta)
    except PlaygroundError as error:
        return found, error
    return found, None


def text_of(deltas: Sequence[Delta]) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


def endpoint(name: str, **fields: object) -> str:
    """The table of an endpoint."""
    lines = {"kind": "openai", "url": f"https://{name}.example/v1", **fields}
    rows = "\n".join(f"{key} = {_toml(value)}" for key, value in lines.items())
    return f"[endpoints.{name}]\n{rows}\n"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)
