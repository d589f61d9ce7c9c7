"""One worker process as the face sees it: started, loaded, asked, and mourned."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterator, Sequence
from typing import Any, TypeVar

from app.errors import EngineError, InvalidRequestError, ModelLoadError, PlaygroundError, WorkerDiedError
from app.messages import ChatRequest, Delta, Waiting

from . import frames
from .child import Child
from .embeddings import Embeddings
from .frames import (
    Audio,
    Cancel,
    Command,
    Counted,
    CountTokens,
    Embed,
    Embedded,
    Event,
    Failed,
    Generate,
    Loaded,
    LoadFailed,
    Loading,
    LoadOptions,
    Ping,
    Prefilling,
    Shutdown,
    Status,
    Step,
    Transcribe,
    Transcribed,
)
from .hearing import Hearing
from .inbox import AnswerReader, Inbox, error_of
from .speech import Heard, TranscribeOptions
from .tool_calls import offered_tools
from .worker_log import WorkerLog

# -P: the folder that the user happens to stand in must not be searched; it may hold another package named ``app``.
WORKER_COMMAND: tuple[str, ...] = (sys.executable, "-P", "-m", "app.engine.worker")

_SHUTDOWN_SECONDS = 2.0
"""How long a worker may take to end by itself before it is killed."""

_TEXTS_AT_ONCE, _CHARACTERS_AT_ONCE = 256, 1_000_000
"""What one ``Embed`` command carries at most, so that splitting it into tokens keeps no other request waiting long."""

_AUDIO_BYTES = 1024 * 1024

_Answer = TypeVar("_Answer", Counted, Embedded, Status)


class WorkerProcess:
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
        self._inboxes: dict[int, Inbox] = {}
        self._hearings: dict[int, Hearing] = {}
        self._questions: dict[int, asyncio.Future[Any]] = {}
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
        return len(self._inboxes) + len(self._hearings) + len(self._questions)

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

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """Answers ``request``; closing the generator, or cancelling the task that reads it, stops the work.

        Raises:
            PlaygroundError: the worker's own error; ``WorkerDiedError`` when it dies over it.
        """
        self._require_alive()
        request_id = next(self._ids)
        command = self._encoded(Generate(request_id, request))
        inbox = Inbox()
        waits = len(self._inboxes) >= self.loaded.sequences
        self._inboxes[request_id] = inbox
        try:
            self._write(command)
            if waits:
                yield Waiting("queued")
            reader = AnswerReader(self.model, self.loaded.context, [tool.name for tool in offered_tools(request)])
            while True:
                ended = False
                for delta in reader.deltas(batch := await inbox.take()):
                    yield delta
                    ended = batch.end is not None
                if ended:
                    return
        finally:
            del self._inboxes[request_id]
            if not inbox.ended and self.alive:
                self._write(frames.encode(Cancel(request_id)))

    async def count_tokens(self, request: ChatRequest) -> int:
        """The length of the request's prompt.

        Raises:
            PlaygroundError: when the request has no prompt, or the worker dies.
        """
        request_id = next(self._ids)
        return (await self._ask(CountTokens(request_id, request), Counted)).tokens

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """The vectors of ``texts``, in their order. Cancelling stops the work between two batches.

        Raises:
            PlaygroundError: the worker's own error; ``WorkerDiedError`` when it dies over it.
        """
        vectors: list[bytes] = []
        truncated: list[int] = []
        tokens = place = 0
        self._require_alive()
        for batch in _batches(texts):
            found = await self._ask(Embed(next(self._ids), batch), Embedded)
            vectors.append(found.vectors)
            truncated += [place + short for short in found.truncated]
            tokens += found.tokens
            place += len(batch)
        return Embeddings(b"".join(vectors), self.loaded.dimensions, tokens, tuple(truncated))

    async def transcribe(
        self, pcm: bytes | AsyncIterable[bytes], options: TranscribeOptions
    ) -> AsyncGenerator[Heard, None]:
        """Sends audio and tells what is heard in it; closing the generator stops the work after a segment.

        Raises:
            PlaygroundError: the worker's own error; ``WorkerDiedError`` when it dies over it.
        """
        self._require_alive()
        request_id = next(self._ids)
        hearing = self._hearings[request_id] = Hearing()
        try:
            self._write(self._encoded(Transcribe(request_id, options)))
            await self._send_audio(request_id, pcm, hearing)
            while heard := await hearing.take():
                for event in heard:
                    yield event
        finally:
            del self._hearings[request_id]
            if not hearing.ended and self.alive:
                self._write(frames.encode(Cancel(request_id)))

    async def status(self) -> Status:
        """How busy the worker is.

        Raises:
            WorkerDiedError: when it is no more.
        """
        return await self._ask(Ping(next(self._ids)), Status)

    async def aclose(self) -> None:
        """Ends the child; requests that are open fail. Safe to call twice, and before ``load``."""
        self._closing = True
        child = self._child
        if child is None:
            return
        for inbox in list(self._inboxes.values()):
            inbox.fail(EngineError(f"The model {self.model} was unloaded while it answered."))
        for hearing in list(self._hearings.values()):
            hearing.fail(EngineError(f"The model {self.model} was unloaded while it transcribed."))
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
            case Step(pieces):
                for piece in pieces:
                    if inbox := self._inboxes.get(piece.request_id):
                        inbox.piece(piece)
            case Prefilling(request_id):
                if inbox := self._inboxes.get(request_id):
                    inbox.prefilling(event)
            case Failed(request_id):
                self._fail(request_id, error_of(event))
            case Transcribed(request_id, heard, done):
                if hearing := self._hearings.get(request_id):
                    hearing.add(heard, done=done)
            case Counted(request_id) | Embedded(request_id) | Status(request_id):
                question = self._questions.get(request_id)
                if question is not None and not question.done():
                    question.set_result(event)  # the kind that was asked for is checked there
            case Loading(fraction):
                self._on_progress(fraction)
            case Loaded():
                if self._loading is not None and not self._loading.done():
                    self._loading.set_result(event)
            case LoadFailed(message, remedy):
                if self._loading is not None and not self._loading.done():
                    self._loading.set_exception(ModelLoadError(message, remedy))

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
            self._loading.set_exception(_again(self._death))
        for inbox in list(self._inboxes.values()):
            inbox.fail(_again(self._death))
        for hearing in list(self._hearings.values()):
            hearing.fail(_again(self._death))
        for question in list(self._questions.values()):
            if not question.done():
                question.set_exception(_again(self._death))
        for call in self._on_death:
            call()
        self._on_death.clear()

    def _fail(self, request_id: int, error: PlaygroundError) -> None:
        if inbox := self._inboxes.get(request_id):
            inbox.fail(error)
        if hearing := self._hearings.get(request_id):
            hearing.fail(error)
        question = self._questions.get(request_id)
        if question is not None and not question.done():
            question.set_exception(error)

    # What the child is told

    async def _send_audio(self, request_id: int, pcm: bytes | AsyncIterable[bytes], hearing: Hearing) -> None:
        """Sends a recording in pieces, no faster than the worker takes them; stops when the worker refuses it."""
        async for chunk in _one(pcm) if isinstance(pcm, bytes | bytearray | memoryview) else pcm:
            view = memoryview(chunk).cast("B")
            for start in range(0, len(view), _AUDIO_BYTES):
                self._write(frames.encode(Audio(request_id, bytes(view[start : start + _AUDIO_BYTES]))))
                if self._child is not None:
                    await self._child.drained()
            if hearing.ended:
                return
        self._write(frames.encode(Audio(request_id, b"", last=True)))

    async def _ask(self, command: CountTokens | Embed | Ping, kind: type[_Answer]) -> _Answer:
        self._require_alive()
        answer: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        self._questions[command.request_id] = answer
        try:
            self._write(self._encoded(command))
            found = await answer
        finally:
            del self._questions[command.request_id]
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
            raise _again(self._death)
        if not self.alive:
            raise EngineError(f"The model {self.model} is not loaded.")


def _batches(texts: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Texts in order, as many together as one command carries. Each is cut where no model reads it any more."""
    batch: list[str] = []
    characters = 0
    for text in texts:
        # A lone surrogate has no UTF-8: it becomes a question mark.
        sound = text[:_CHARACTERS_AT_ONCE].encode("utf-8", "replace").decode()
        if batch and (len(batch) == _TEXTS_AT_ONCE or characters + len(sound) > _CHARACTERS_AT_ONCE):
            yield tuple(batch)
            batch, characters = [], 0
        batch.append(sound)
        characters += len(sound)
    if batch:
        yield tuple(batch)


async def _one(pcm: bytes) -> AsyncGenerator[bytes, None]:
    yield pcm


def _again(error: PlaygroundError) -> PlaygroundError:
    """The same error as an object of its own: one that is raised in several tasks would mix their tracebacks."""
    return type(error)(error.message, error.remedy)


def _unheard(_fraction: float) -> None:
    """Nobody asked for progress."""
