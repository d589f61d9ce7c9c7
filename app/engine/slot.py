"""One model's place in the pool: on its way, ready, or of no use any more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

from app.errors import EngineError, PlaygroundError

from .fitting import Placement
from .frames import Loaded, Role
from .process.worker_process import WorkerProcess
from .window import UNKNOWN, ContextWindow, opened

_PROGRESS_SECONDS = 0.1


@dataclass(frozen=True)
class LoadedModel:
    """A model that is ready to answer.

    Attributes:
        loaded: what its worker said of it: size, context, device, warnings.
        placement: where it runs and why.
        requests: answers that are being given or waited for.
        last_used: seconds of ``time.monotonic``.
        load_s: seconds that loading took.
        window: the context that one conversation may use, and who decided it.
    """

    name: str
    loaded: Loaded
    placement: Placement
    pid: int | None
    requests: int
    last_used: float
    load_s: float = 0.0
    window: ContextWindow = UNKNOWN


class Slot:
    """One model's place in the pool."""

    def __init__(self, name: str, role: Role) -> None:
        self.name, self.role = name, role
        self.task: asyncio.Task[WorkerProcess] | None = None
        self.worker: WorkerProcess | None = None
        self.placement = Placement("cpu", 0, "")
        self.window = UNKNOWN
        self.stage: Literal["loading", "queued"] = "queued"
        self.users = 0
        self.last_used = time.monotonic()
        self.load_s = 0.0
        self.kept_under: bytes | None = None
        self.timers: list[asyncio.TimerHandle] = []
        self.closed = False
        self._share = 0.0

    @property
    def opened(self) -> bool:
        """Whether the loading is over, well or not."""
        return self.task is not None and self.task.done()

    @property
    def ready(self) -> bool:
        """Whether requests can be sent."""
        return self.opened and self.usable and self.worker is not None and self.worker.alive

    @property
    def usable(self) -> bool:
        """Whether it is worth waiting for."""
        return not self.closed and (not self.opened or (self.worker is not None and self.worker.alive))

    def report(self, share: float) -> None:
        """More of the model is read."""
        self._share = share

    def hold(self) -> None:
        """Stops the clocks that run while nobody uses it."""
        for timer in self.timers:
            timer.cancel()
        self.timers.clear()

    async def progress(self) -> AsyncIterator[tuple[Literal["loading", "queued"], int]]:
        """What to tell those who wait, as it changes, until the loading is over: the stage and percents."""
        told: tuple[str, int] | None = None
        while self.task is not None and not self.task.done():
            now = (self.stage, int(self._share * 100))
            if now != told:
                yield now
                told = now
            await asyncio.wait({self.task}, timeout=_PROGRESS_SECONDS)

    async def opening(self) -> None:
        """Waits until the loading is over, well or not."""
        async for _ in self.progress():
            pass

    def worker_or_error(self) -> WorkerProcess:
        """The worker, once the loading is over.

        Raises:
            PlaygroundError: when the loading failed, or was stopped.
        """
        assert self.task is not None, "a slot is born with its task"
        if self.task.cancelled():
            raise EngineError(f"The model {self.name} was unloaded while it was loading.")
        error = self.task.exception()
        if isinstance(error, PlaygroundError):
            # An error of its own for everybody who waited: one object raised in many tasks mixes their tracebacks.
            raise type(error)(error.message, error.remedy) from error
        return self.task.result()

    def described(self) -> LoadedModel:
        """This model, for others to see."""
        assert self.worker is not None, "only a model that is ready is described"
        loaded = self.worker.loaded
        return LoadedModel(
            self.name,
            loaded,
            self.placement,
            self.worker.pid,
            self.worker.open_requests,
            self.last_used,
            self.load_s,
            opened(self.window, loaded.context, loaded.trained_context),
        )
