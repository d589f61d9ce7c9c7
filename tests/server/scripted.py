"""The server on a real socket, answered by what a test wrote down."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace

import msgspec

from app.errors import PlaygroundError
from app.messages import ChatRequest, Delta, Finished, Started, TextDelta, Timings, Usage
from app.privacy.connections import ConnectionPolicy
from app.privacy.masking import Masker
from app.routing.router import Router
from app.server.app import build
from app.server.services import Services
from app.server.serving import Serving, listen
from app.settings import Settings

FINISHED = Finished("stop", Usage(9, 2, 4), Timings(0.01, 0.2, 0.5))

Step = str | float | Delta | PlaygroundError
"""Text, seconds to wait, a delta, or an error to raise."""


class ScriptedBackend:
    """Says what a test wrote down, and remembers what was asked and how each answer ended."""

    name = "scripted"

    def __init__(self, steps: list[Step] | Callable[[ChatRequest], list[Step]]) -> None:
        self.steps = steps
        self.requests: list[ChatRequest] = []
        self.running = 0
        self.given = 0

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        self.requests.append(request)
        self.running += 1
        try:
            steps = self.steps(request) if callable(self.steps) else self.steps
            yield Started(request.model, self.name, 9)
            for step in steps:
                match step:
                    case str():
                        self.given += 1
                        yield TextDelta(step)
                    case float():
                        await asyncio.sleep(step)
                    case PlaygroundError():
                        raise step
                    case _:
                        yield step
            if not any(isinstance(step, Finished) for step in steps):
                yield FINISHED
        finally:
            self.running -= 1

    async def models(self) -> tuple[str, ...]:
        return ("scripted",)

    async def aclose(self) -> None:
        pass

    async def idle(self) -> None:
        """Returns when no answer is being given."""
        async with asyncio.timeout(5):
            while self.running:
                await asyncio.sleep(0.002)


class NoCatalogue:
    """A catalogue without models, and a store without files."""

    entries = ()

    def path_of(self, entry):
        return None


def services_of(backend: ScriptedBackend, **server: object) -> Services:
    """Scripted services; ``server`` are settings of that section."""
    settings = Settings()
    settings = msgspec.structs.replace(settings, server=msgspec.structs.replace(settings.server, **server))
    nothing = NoCatalogue()
    return Services(
        Router([backend]),
        nothing,
        nothing,
        SimpleNamespace(catalogue=nothing, loaded=tuple),
        SimpleNamespace(),
        settings,
        ConnectionPolicy(local_only=False),
        Masker(),
    )


@asynccontextmanager
async def served(services: Services, **build_with: object) -> AsyncIterator[str]:
    """The address of a server that answers from ``services``."""
    serving = Serving(build(services, **build_with), listen("127.0.0.1", 0), shutdown_s=1)
    async with serving.running() as address:
        yield address
