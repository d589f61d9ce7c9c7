"""The models that are loaded on this machine: opened on first use, shared, closed when idle or when room is needed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from app.errors import EngineError, ModelNotInstalledError
from app.messages import ChatRequest, Delta, Waiting

from .embeddings import Embeddings
from .fitting import ModelShape, need_of, shape_of
from .frames import Role
from .hardware import Hardware, Memory, memory, probe
from .infill import Gap
from .planning import Planner
from .process.log import WorkerLog
from .process.worker_process import WORKER_COMMAND, Token, WorkerProcess
from .slot import LoadedModel, Slot
from .speech import TranscribeOptions, Transcription
from .state_keeping import StateKeeping

if TYPE_CHECKING:
    from app.settings import EngineSettings

    from .catalogues.catalogue import Catalogue, ModelEntry
    from .files.store import ModelStore

__all__ = ["LoadedModel", "ModelPool"]

_QUIET_SECONDS = 20.0
"""After an answer, until conversations are put to disk: not between the turns of a chat."""

_PURPOSES = {"chat": "chat", "embed": "embedding", "transcribe": "transcription"}


class ModelPool:
    """Gives every request a loaded model. Belongs to one event loop.

    A model is loaded once, whoever asks and with whatever sampling; only ``unload``, the keep-alive and the need for
    room close it. A worker that died is replaced at the next request.

    Args:
        catalogue: which models there are.
        store: where their files are.
        settings: how they are opened, and how many at once.
        logs: the folder for the workers' logs.
        command: the worker's program.
        shape_of: reads the sizes that layers are fitted by from a model file.
        read_memory: main memory just now.
        find_hardware: asks what models can run on; called once, when it is first needed.
        states: says whether conversations may be kept on disk; None for never.

    Attributes:
        gives_way: whether models that are loaded from now on let other programs go first, as they must where a person
            types; what embeds or transcribes always does.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        store: ModelStore,
        settings: EngineSettings,
        logs: Path,
        *,
        command: Sequence[str] = WORKER_COMMAND,
        shape_of: Callable[[Path], ModelShape | None] = shape_of,
        read_memory: Callable[[], Memory] = memory,
        find_hardware: Callable[[], Coroutine[Any, Any, Hardware]] = probe,
        states: StateKeeping | None = None,
    ) -> None:
        self.catalogue = catalogue
        self.gives_way = True
        self._store, self._settings, self._logs, self._command = store, settings, logs, tuple(command)
        self._planner = Planner(settings, shape_of, read_memory, find_hardware)
        self._read_memory, self._states = read_memory, states
        self._slots: dict[str, Slot] = {}
        self._one_load = asyncio.Lock()
        self._changed = asyncio.Event()
        self._errands: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """Answers ``request``, after loading its model where that is needed; see ``Backend.stream``.

        Raises:
            UnknownModelError: when the catalogue has no such model.
            ModelNotInstalledError: when its file is not here.
            PlaygroundError: when it cannot be loaded, or fails.
        """
        entry = self._entry(request.model, "chat")
        async with self._lease(entry) as slot:
            async for stage, percent in slot.progress():
                yield Waiting(stage, percent, 100)
            sampling = request.sampling.over(entry.sampling)
            asked = msgspec.structs.replace(request, sampling=sampling)
            async with aclosing(slot.worker_or_error().stream(asked)) as deltas:
                async for delta in deltas:
                    yield delta

    async def load(self, name: str, on_progress: Callable[[float], None] | None = None) -> LoadedModel:
        """Loads a model, or finds it loaded. Cancelling stops it, unless somebody else waits for it too.

        Args:
            name: of the catalogue.
            on_progress: called with the share that is done, 0 to 1.

        Raises:
            PlaygroundError: as ``stream``.
        """
        async with self._lease(self.catalogue.get(name)) as slot:
            async for _stage, percent in slot.progress():
                if on_progress is not None:
                    on_progress(percent / 100)
            slot.worker_or_error()
            return slot.described()

    async def count_tokens(self, request: ChatRequest) -> int:
        """The length of the request's prompt in its model's tokens; loads the model where needed.

        Raises:
            PlaygroundError: as ``stream``.
        """
        async with self._worker(request.model) as worker:
            return await worker.count_tokens(request)

    async def tokenize(
        self,
        model: str,
        content: str | Sequence[str | int],
        *,
        add_special: bool = False,
        parse_special: bool = True,
        with_pieces: bool = False,
    ) -> tuple[Token, ...]:
        """The tokens of a text, or of texts and tokens in order, in a model's vocabulary; see ``WorkerProcess``.

        Raises:
            PlaygroundError: as ``stream``; ``InvalidRequestError`` when something is no token, or too long.
        """
        parts = (content,) if isinstance(content, str) else content
        async with self._worker(model) as worker:
            return await worker.tokenize(
                parts, add_special=add_special, parse_special=parse_special, with_pieces=with_pieces
            )

    async def detokenize(self, model: str, tokens: Sequence[int]) -> str:
        """The text that a model's tokens stand for.

        Raises:
            PlaygroundError: as ``stream``; ``InvalidRequestError`` when something is no token.
        """
        async with self._worker(model) as worker:
            return await worker.detokenize(tokens)

    async def apply_template(self, request: ChatRequest) -> str:
        """The text that the request's model would be given for its conversation.

        Raises:
            PlaygroundError: as ``stream``.
        """
        async with self._worker(request.model) as worker:
            return await worker.apply_template(request)

    async def infill(self, model: str, gap: Gap) -> tuple[int, ...]:
        """The tokens that ask a model for what is missing in a gap; a request's ``prompt``.

        Raises:
            NotSupportedError: when the model was not taught to fill gaps.
            PlaygroundError: as ``stream``.
        """
        async with self._worker(model) as worker:
            return await worker.infill(gap)

    async def embed(self, model: str, texts: Sequence[str]) -> Embeddings:
        """The vectors of ``texts``, as many and in their order; loads the model where needed. Cancelling stops it.

        Raises:
            PlaygroundError: as ``stream``.
        """
        async with self._worker(model, "embed") as worker:
            return await worker.embed(texts)

    async def transcribe(
        self, model: str, pcm: bytes | AsyncIterable[bytes], options: TranscribeOptions | None = None
    ) -> AsyncGenerator[Transcription, None]:
        """Writes down speech, after loading the model where that is needed.

        Tells the language before the first segment, then segments and progress. Closing the generator stops the work.

        Args:
            model: of the catalogue, with the role ``transcribe``.
            pcm: float32 samples, 16 kHz, one channel: at once, or in pieces of any size. Work begins at their end.
            options: language, timing of words and the like.

        Raises:
            InvalidRequestError: when the audio or an option cannot be used.
            PlaygroundError: as ``stream``.
        """
        async with self._lease(self._entry(model, "transcribe")) as slot:
            async for stage, percent in slot.progress():
                yield Waiting(stage, percent, 100)
            async with aclosing(slot.worker_or_error().transcribe(pcm, options or TranscribeOptions())) as heard:
                async for event in heard:
                    yield event

    async def unload(self, name: str, *, drain: bool = False) -> None:
        """Closes a model; nothing happens when it is not loaded.

        Args:
            name: of the catalogue.
            drain: let running answers end first, while new requests load it afresh; otherwise those that run fail with
                a sentence that says why.
        """
        slot = self._slots.get(name)
        if slot is None:
            return
        if drain:
            self._bury(slot)
            while slot.users:
                await self._changed.wait()
        await self._close(slot)

    def loaded(self) -> tuple[LoadedModel, ...]:
        """The models that are ready, the last used first."""
        ready = [slot.described() for slot in self._slots.values() if slot.ready]
        return tuple(sorted(ready, key=lambda model: model.last_used, reverse=True))

    async def hardware(self) -> Hardware:
        """What models can run on here, as the native library sees it; asked once."""
        return await self._planner.hardware()

    async def aclose(self) -> None:
        """Closes every model. Safe to call twice."""
        self._closed = True
        self._planner.close()
        await asyncio.gather(*(self._close(slot) for slot in list(self._slots.values())))
        await asyncio.gather(*self._errands, return_exceptions=True)

    # Slots

    def _entry(self, name: str, role: Role) -> ModelEntry:
        entry = self.catalogue.get(name)
        if entry.role != role:
            known = ", ".join(other.name for other in self.catalogue.entries if other.role == role)
            raise EngineError(
                f"The model {name} is for {_PURPOSES[entry.role]}, not for {_PURPOSES[role]}.",
                f"Choose one of these: {known}." if known else "The catalogue has no model for that.",
            )
        return entry

    @asynccontextmanager
    async def _lease(self, entry: ModelEntry) -> AsyncIterator[Slot]:
        """A model's slot, held open by this user; a first user starts its loading."""
        if self._closed:
            raise EngineError("The program is closing.")
        slot = self._slots.get(entry.name)
        if slot is None or not slot.usable:
            slot = self._slots[entry.name] = Slot(entry.name, entry.role)
            slot.task = asyncio.ensure_future(self._open(slot, entry))
            slot.task.add_done_callback(lambda task: self._opened(slot, task))
        slot.users += 1
        slot.hold()
        try:
            yield slot
        finally:
            slot.users -= 1
            slot.last_used = time.monotonic()
            if slot.users == 0:
                self._left(slot)
            self._announce()

    @asynccontextmanager
    async def _worker(self, name: str, role: Role = "chat") -> AsyncIterator[WorkerProcess]:
        """A model's worker, loaded and held open by this user."""
        async with self._lease(self._entry(name, role)) as slot:
            await slot.opening()
            yield slot.worker_or_error()

    def _left(self, slot: Slot) -> None:
        """The last user is gone: a model that is still loading is given up, another is kept for a while."""
        if not slot.opened:
            self._bury(slot)
            self._errand(self._close(slot))
        elif slot.ready:
            loop = asyncio.get_running_loop()
            if self._states is not None:
                slot.timers.append(loop.call_later(_QUIET_SECONDS, lambda: self._errand(self._keep(slot))))
            if self._settings.keep_alive_s > 0:
                slot.timers.append(
                    loop.call_later(self._settings.keep_alive_s, lambda: self._errand(self._expire(slot)))
                )

    async def _keep(self, slot: Slot) -> None:
        """Lets a worker put its conversations to disk.

        The key is asked for anew: the vault may be locked by now. Another key than before means that something was
        removed for good, which the worker may hold in memory: then nothing of it is kept any more.
        """
        if self._states is None or slot.worker is None or not slot.worker.alive:
            return
        states = await self._states.of(self.catalogue.get(slot.name))
        if states is not None and slot.kept_under in (None, states.key):
            slot.kept_under = states.key
            slot.worker.keep(states)

    async def _expire(self, slot: Slot) -> None:
        if slot.users == 0:
            await self._close(slot)

    async def _open(self, slot: Slot, entry: ModelEntry) -> WorkerProcess:
        if self._store.path_of(entry) is None:
            raise ModelNotInstalledError(
                f"The model {entry.name} is not on this machine yet.", f"Run: playground models pull {entry.name}"
            )
        path = await self._store.ready(entry)
        async with self._one_load:
            await self._make_room(slot, need_of(entry))
            options, slot.placement, slot.window = await self._planner.plan(entry, path)
            states = await self._states.of(entry) if self._states is not None else None
            options = msgspec.structs.replace(options, gives_way=self.gives_way or entry.role != "chat", states=states)
            slot.kept_under = states.key if states is not None else None
            log = WorkerLog(self._logs / f"worker-{_file_name(entry.name)}.log")
            worker = slot.worker = WorkerProcess(entry.name, options, log, self._command)
            worker.on_death(lambda: self._bury(slot))
            slot.stage = "loading"
            began = time.monotonic()
            await worker.load(slot.report)
            slot.load_s = time.monotonic() - began
            return worker

    async def _make_room(self, slot: Slot, need: int | None) -> None:
        """Closes the models that were idle longest until this one fits; waits where all are busy and one too many.

        ``max_loaded`` counts each role by itself: what embeds or transcribes works beside a chat, not in its place.
        """
        while True:
            others = [other for other in self._slots.values() if other is not slot and other.worker is not None]
            alike = [other for other in others if other.role == slot.role]
            too_many = len(alike) >= max(1, self._settings.max_loaded)
            too_little = need is not None and need > self._read_memory().available
            if not too_many and not (too_little and others):
                # Too little even so: the library may manage, since weights are mapped; if not, it says so.
                return
            idle = [other for other in (alike if too_many else others) if other.users == 0]
            if idle:
                await self._close(min(idle, key=lambda other: other.last_used))
            elif too_many:
                await self._changed.wait()
            else:
                return

    def _opened(self, slot: Slot, task: asyncio.Task[WorkerProcess]) -> None:
        if task.cancelled() or task.exception() is not None:
            self._bury(slot)

    def _bury(self, slot: Slot) -> None:
        """A slot is of no use any more; whoever holds it hears so from its worker."""
        slot.closed = True
        slot.hold()
        if self._slots.get(slot.name) is slot:
            del self._slots[slot.name]
        self._announce()

    async def _close(self, slot: Slot) -> None:
        self._bury(slot)
        if slot.task is not None and not slot.task.done():
            slot.task.cancel()
            # Its own error, if it has one, was for those who waited for it.
            await asyncio.wait({slot.task})
        if slot.worker is not None:
            await self._keep(slot)
            await slot.worker.aclose()
        self._announce()

    def _announce(self) -> None:
        """Wakes whoever waits for a change in who uses what."""
        self._changed.set()
        self._changed = asyncio.Event()

    def _errand(self, work: Coroutine[Any, Any, None]) -> None:
        """Something to be done soon, that nobody waits for."""
        task = asyncio.ensure_future(work)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)


def _file_name(name: str) -> str:
    return "".join(character if character.isalnum() or character in "-_." else "_" for character in name)[:80]
