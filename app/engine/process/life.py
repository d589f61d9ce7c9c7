"""A worker's life as the face sees it: started, loaded, written to, and mourned."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from app.engine import frames
from app.engine.frames import (
    ApplyTemplate,
    Cancel,
    Command,
    Counted,
    CountTokens,
    Detokenize,
    Embed,
    Embedded,
    Event,
    Infill,
    Loaded,
    LoadFailed,
    Loading,
    LoadOptions,
    Ping,
    Shutdown,
    Status,
    Tokenize,
    Tokenized,
    Written,
)
from app.errors import EngineError, InvalidRequestError, ModelLoadError, PlaygroundError, WorkerDiedError

from .child import Child
from .log import WorkerLog
from .open_requests import OpenRequests, again

# -P: the folder that the user happens to stand in must not be searched; it may hold another package named ``app``.
WORKER_COMMAND: tuple[str, ...] = (sys.executable, "-P", "-m", "app.engine.worker")

_SHUTDOWN_SECONDS = 2.0
"""How long a worker may take to end by itself before it is killed."""

_Question = CountTokens | Tokenize | Detokenize | ApplyTemplate | Infill | Embed | Ping
_Answer = TypeVar("_Answer", Counted, Tokenized, Written, Embedded, Status)


class WorkerLife:
    """A child process with one model in it. Belongs to the event loop that it is loaded in.

    The child has a session of its own, so Ctrl-C at the terminal reaches the face alone; it ends when its stdin closes,
    which the death of the face does too. A dead worker stays dead: make another.

    Args:
        model: the name that answers are given under.
        options: what the child opens.
        log: where its stderr goes.
        command: the program and its arguments.
    """

    def __init__(
        self, model: str, options: LoadOptions, log: WorkerLog, command: Sequence[str] = WORKER_COMMAND
    ) -> None:
        self.model = model
        self._options, self._log, self._command = options, log, tuple(command)
        self._child: Child | None = None
        self._loaded: Loaded | None = None
        self._on_progress: Callable[[float], None] = _unheard
        self._loading: asyncio.Future[Loaded] | None = None
        self._death: PlaygroundError | None = None
        self._closing = False
        self._ids = itertools.count(1)
        self._open = OpenRequests()
        self._on_death: list[Callable[[], None]] = []

    @property
    def pid(self) -> int | None:
        """The child's process id; None before it was started."""
        return self._child.pid if self._child else None

    @property
    def loaded(self) -> Loaded:
        """What the child said when its model was open.

        Raises:
            EngineError: before that.
        """
        if self._loaded is None:
            raise EngineError(f"The model {self.model} is not loaded yet.")
        return self._loaded

    @property
    def alive(self) -> bool:
        """Whether requests can be sent."""
        return self._loaded is not None and self._death is None and not self._closing

    @property
    def open_requests(self) -> int:
        """Answers that are being given or waited for."""
        return len(self._open)

    def on_death(self, call: Callable[[], None]) -> None:
        """Has ``call`` called once, in the event loop, when the child is gone for whatever reason."""
        self._on_death.append(call)

    async def load(self, on_progress: Callable[[float], None] | None = None) -> Loaded:
        """Starts the child and waits, as long as it takes, until its model is open. Cancelling ends the child.

        Args:
            on_progress: called with the share that has been read, 0 to 1.

        Raises:
            ModelLoadError: when the child refuses the model, or cannot be started.
            WorkerDiedError: when it dies over it.
        """
        self._on_progress = on_progress or _unheard
        self._loading = asyncio.get_running_loop().create_future()
        self._log.forget()
        child = self._child = Child(self._receive, self._log, self._mourn)
        try:
            await child.start(self._command)
        except OSError as error:
            self._loading = None
            child.kill()
            self._mourn("could not be started")
            raise ModelLoadError(f"The engine's process could not be started: {error}.") from error
        except BaseException:
            self._loading = None
            raise
        try:
            child.send(frames.encode(self._options))
            self._loaded = await self._loading
        except BaseException:
            self._closing = True
            child.kill()
            await asyncio.shield(child.gone)
            raise
        finally:
            self._loading = None
        return self._loaded

    async def aclose(self) -> None:
        """Ends the child; requests that are open fail. Safe to call twice, and before ``load``."""
        self._closing = True
        child = self._child
        if child is None:
            return
        self._open.fail_streams(
            answering=EngineError(f"The model {self.model} was unloaded while it answered."),
            transcribing=EngineError(f"The model {self.model} was unloaded while it transcribed."),
        )
        child.send(frames.encode(Shutdown()))
        child.close_stdin()
        try:
            await asyncio.wait_for(asyncio.shield(child.gone), _SHUTDOWN_SECONDS)
        except TimeoutError:
            child.kill()
            await asyncio.shield(child.gone)
        except asyncio.CancelledError:
            child.kill()
            raise

    # What the child says

    def _receive(self, event: Event) -> None:
        match event:
            case Loading(fraction):
                self._on_progress(fraction)
            case Loaded():
                if self._loading is not None and not self._loading.done():
                    self._loading.set_result(event)
            case LoadFailed(message, remedy):
                if self._loading is not None and not self._loading.done():
                    self._loading.set_exception(ModelLoadError(message, remedy))
            case _:
                self._open.receive(event)

    def _mourn(self, how: str) -> None:
        """The child is gone: tells everybody who waits for it, once."""
        last_words = self._log.tail()
        reason = f" Its last words: {last_words[:500]}" if last_words else ""
        if self._closing:
            self._death = EngineError(f"The model {self.model} was unloaded.")
        else:
            doing = "while it loaded the model" if self._loaded is None else "while it answered"
            if self._loaded is not None and not self.open_requests:
                doing = "while it was idle"
            self._death = WorkerDiedError(
                f"The engine of {self.model} {how} {doing}.{reason}",
                "The next request starts a fresh one. If it happens again, there may be too little memory:"
                " try a smaller model or a smaller engine.context.",
            )
        if self._loading is not None and not self._loading.done():
            self._loading.set_exception(again(self._death))
        self._open.fail_all(self._death)
        for call in self._on_death:
            call()
        self._on_death.clear()

    # What the child is told

    async def _ask(self, command: _Question, kind: type[_Answer]) -> _Answer:
        self._require_alive()
        answer = self._open.question(command.request_id)
        try:
            self._write(self._encoded(command))
            found = await answer
        finally:
            self._open.forget(command.request_id)
            if answer.cancelled() and self.alive:
                self._write(frames.encode(Cancel(command.request_id)))
        if not isinstance(found, kind):
            raise EngineError(f"The engine answered {type(found).__name__} where {kind.__name__} was expected.")
        return found

    def _encoded(self, command: Command) -> bytes:
        data = frames.encode(command)
        if len(data) > frames.MAX_FRAME_BYTES:
            raise InvalidRequestError(
                f"The request has {len(data)} bytes; at most {frames.MAX_FRAME_BYTES} can be sent to the engine."
            )
        return data

    def _write(self, data: bytes) -> None:
        if self._child is not None:
            self._child.send(data)

    def _require_alive(self) -> None:
        if self._death is not None:
            raise again(self._death)
        if not self.alive:
            raise EngineError(f"The model {self.model} is not loaded.")


def _unheard(_fraction: float) -> None:
    """Nobody asked for progress."""
