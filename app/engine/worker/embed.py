"""The role ``embed``: texts in, vectors out, a batch at a time so that nobody waits long behind a large request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.engine.frames import (
    Cancel,
    Command,
    Embed,
    Embedded,
    Event,
    Failed,
    Loaded,
    Loading,
    LoadOptions,
    Ping,
    Status,
)
from app.errors import BusyError, EngineError, PlaygroundError

from .thread import ComputeThread

Vectors = NDArray[np.float32]
"""``float32 [n, dimensions]``, a row a text."""

_BATCH_TEXTS = 32
_BATCH_TOKENS = 512
"""With padding; a batch takes some 130 ms on one core, and that is how long a short request waits at most."""

_LEAST_TEXTS = 4
"""A request is spread over the cores, but not in smaller batches than this."""

_TURNS_OF_THE_SHORTEST = 3
"""Batches that go to the shortest request before the oldest one gets one: so every one comes to its end."""


class TextEmbedder(Protocol):
    """A model that turns token ids into vectors.

    Attributes:
        description: its kind, in words.
        device: where it runs.
        dimensions: numbers in a vector.
        limit: tokens that it reads of one text.
        trained_limit: tokens that it could read.
        size_bytes: of its file.
        at_once: batches that it can compute at the same time, each in a thread of its own.
        warnings: what did not go as asked, as sentences.
    """

    description: str
    device: str
    dimensions: int
    limit: int
    trained_limit: int
    size_bytes: int
    at_once: int
    warnings: tuple[str, ...]

    def tokenize(self, text: str) -> tuple[list[int], bool]:
        """A text's tokens, at least one and at most ``limit``, and whether there would be more."""
        ...

    def vectors(self, rows: Sequence[list[int]]) -> Vectors:
        """A vector for each row of tokens, not normalised."""
        ...


def open_embedder(options: LoadOptions, on_progress: Callable[[float], None]) -> TextEmbedder:
    """The embedder for a model file: llama.cpp for GGUF, sentence-transformers for safetensors, else ONNX Runtime.

    Raises:
        ModelLoadError: when the library refuses it.
    """
    suffix = Path(options.path).suffix
    if suffix == ".gguf":
        from .embed_gguf import GgufEmbedder

        return GgufEmbedder(options, on_progress)
    if suffix == ".safetensors":
        from .embed_torch import TorchEmbedder

        return TorchEmbedder(options)
    from .embed_onnx import OnnxEmbedder

    return OnnxEmbedder(options)


class EmbedWorker:
    """Answers ``Embed`` commands. Texts are split into tokens in the main thread, and computed in threads of their own.

    Where the embedder can, each thread computes another batch. Threads that share one batch would wait for each other
    at every layer, and on a busy machine for their turn each time.

    Raises:
        ModelLoadError: when the model cannot be opened.
    """

    def __init__(self, options: LoadOptions, emit: Callable[[Event], None]) -> None:
        self._emit, self._queue = emit, options.queue
        self._embedder = embedder = open_embedder(options, lambda fraction: emit(Loading(fraction)))
        self._changed = threading.Condition()
        self._jobs: dict[int, _Job] = {}
        self._turn = 0
        self._computed_tokens = 0
        self._closed = False
        self._threads = [ComputeThread(self._compute) for _ in range(embedder.at_once)]
        self.loaded = Loaded(
            description=embedder.description,
            context=embedder.limit,
            trained_context=embedder.trained_limit,
            cells=0,
            sequences=1,
            device=embedder.device,
            gpu_layers=0,
            layers=0,
            size_bytes=embedder.size_bytes,
            warnings=embedder.warnings,
            dimensions=embedder.dimensions,
        )

    def start(self) -> None:
        """Begins to answer."""
        for thread in self._threads:
            thread.start()

    def handle(self, command: Command) -> None:
        """Carries out one command; what is wrong with a request is answered by ``Failed``, and nothing else suffers."""
        match command:
            case Embed(request_id, texts):
                self._submit(request_id, texts)
            case Cancel(request_id):
                with self._changed:
                    self._jobs.pop(request_id, None)
            case Ping(request_id):
                with self._changed:
                    running, queued = min(1, len(self._jobs)), max(0, len(self._jobs) - 1)
                self._emit(Status(request_id, running, queued, 0, 0, self._computed_tokens))

    def close(self) -> None:
        """Ends after the batches that are being computed."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _submit(self, request_id: int, texts: Sequence[str]) -> None:
        if len(self._jobs) > self._queue:
            error = BusyError(f"{len(self._jobs)} requests for vectors wait already.", "Try again a little later.")
            self._emit(Failed(request_id, error.code, error.message, error.remedy))
            return
        rows = [self._embedder.tokenize(text) for text in texts]
        job = _Job(request_id, rows, self._embedder.dimensions, self._embedder.at_once)
        if not texts:
            self._emit(job.done())
            return
        with self._changed:
            self._jobs[request_id] = job
            self._changed.notify_all()

    def _compute(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or any(job.waiting for job in self._jobs.values()))
                if self._closed:
                    return
                job = self._next_job()
                places = job.take_batch()
            try:
                job.vectors[places] = _unit_length(self._embedder.vectors([job.rows[place] for place in places]))
            except PlaygroundError as error:
                self._end(job, Failed(job.request_id, error.code, error.message, error.remedy))
                continue
            with self._changed:
                self._computed_tokens += sum(len(job.rows[place]) for place in places)
                job.left -= len(places)
                over = not job.left
            if over:
                self._end(job, job.done())

    def _next_job(self) -> _Job:
        """The request with the least left, so that one text passes by a thousand; every now and then the oldest."""
        self._turn += 1
        jobs = [job for job in self._jobs.values() if job.waiting]
        if self._turn % (_TURNS_OF_THE_SHORTEST + 1) == 0:
            return jobs[0]
        return min(jobs, key=lambda job: job.waiting)

    def _end(self, job: _Job, event: Event) -> None:
        with self._changed:
            cancelled = self._jobs.pop(job.request_id, None) is None
        if not cancelled:
            self._emit(event)


class _Job:
    """One request on its way: its texts' tokens, the longest first, and the vectors that are there.

    Attributes:
        left: texts without a vector.
    """

    def __init__(self, request_id: int, texts: Sequence[tuple[list[int], bool]], dimensions: int, threads: int) -> None:
        self.request_id = request_id
        self.rows = [tokens for tokens, _ in texts]
        self.vectors: Vectors = np.empty((len(texts), dimensions), np.float32)
        self.left = len(texts)
        self._truncated = tuple(place for place, (_, truncated) in enumerate(texts) if truncated)
        self._most = min(_BATCH_TEXTS, max(_LEAST_TEXTS, -(-len(texts) // threads)))
        # Texts of like length lie together: little is padded. The shortest are at the end, where they are taken.
        self._waiting = sorted(range(len(texts)), key=lambda place: -len(self.rows[place]))

    @property
    def waiting(self) -> int:
        """Texts that nobody computes yet."""
        return len(self._waiting)

    def take_batch(self) -> list[int]:
        """The places of the texts to compute next."""
        batch: list[int] = []
        while self._waiting and len(batch) < self._most:
            longest = len(self.rows[self._waiting[-1]])
            if batch and longest * (len(batch) + 1) > _BATCH_TOKENS:
                break
            batch.append(self._waiting.pop())
        return batch

    def done(self) -> Embedded:
        """The answer, when nothing is left."""
        return Embedded(self.request_id, self.vectors.tobytes(), sum(map(len, self.rows)), self._truncated)


def _unit_length(vectors: Vectors) -> Vectors:
    """Every row divided by its length; one of zeros stays (as ``torch.nn.functional.normalize`` does it).

    Raises:
        EngineError: when the model gave what is not a number.
    """
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    if not np.isfinite(lengths).all():
        raise EngineError("The model gave a vector that holds no numbers.", "Its file may be unsound: verify it.")
    found: Vectors = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return found
