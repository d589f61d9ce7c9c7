"""The program's real parts with a backend that says what a test wrote down."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace

from app.cli.session import Session
from app.engine.fitting import Placement
from app.engine.frames import Loaded
from app.engine.pool import LoadedModel
from app.errors import PlaygroundError
from app.messages import ChatRequest, Delta, Finished, Started, TextDelta, Timings, Usage
from app.playground import Playground
from app.routing.audit.audited import Audited
from app.routing.audit.notebook import Notebook
from app.routing.router import Router
from app.vault import Vault

PLAYGROUND = (sys.executable, "-m", "app")
FINISHED = Finished("stop", Usage(9, 2), Timings(0.01, 0.2, 0.5))

Step = str | Delta | PlaygroundError | Callable[[], None]


class ScriptedBackend:
    """Says what a test wrote down: texts and deltas as they are, errors raised, functions called."""

    name = "scripted"

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = steps
        self.requests: list[ChatRequest] = []

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        self.requests.append(request)
        yield Started(request.model, self.name, 9)
        for step in self.steps:
            match step:
                case str():
                    yield TextDelta(step)
                case PlaygroundError():
                    raise step
                case _ if callable(step):
                    step()
                    await asyncio.sleep(0.2)  # a signal is heard at the next turns of the event loop
                case _:
                    yield step

    async def models(self) -> tuple[str, ...]:
        return ("smollm2-135m",)

    async def aclose(self) -> None:
        pass


class ScriptedSession(Session):
    """Opens the real parts, with a backend of the test's own before them."""

    def __init__(self, environ: dict[str, str], backend: ScriptedBackend) -> None:
        super().__init__(environ, interface=lambda playground: None)
        self._backend = backend

    def open(self) -> Playground:
        playground = replace(super().open(), router=Router([self._backend]))
        playground.pool.load = _not_loaded  # nothing of the model is needed but its name
        return playground


class NotedSession(ScriptedSession):
    """One whose requests are noted as the program's own are, with all that was said."""

    def open(self) -> Playground:
        def vault() -> Vault | None:
            return noted.opened_vault

        playground = super().open()
        noted = replace(playground, router=Audited(playground.router, Notebook(vault, playground.masker, bodies=True)))
        return noted


async def _not_loaded(name: str, on_progress=None) -> LoadedModel:
    """A model with an unknown context window."""
    loaded = Loaded(name, 0, 0, 0, 1, "CPU", 0, 0, 0)
    return LoadedModel(name, loaded, Placement("CPU", 0, ""), None, 0, 0.0)
