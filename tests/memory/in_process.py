"""The worker's own code that embeds, in this process: as a process of its own it lets everybody else go first."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from app.engine.frames import Embed, Embedded, Event, LoadOptions
from app.engine.worker.embed import EmbedWorker
from app.memory.embedding import Matrix

_PATIENCE = 120.0


class InProcess:
    """An ``Embedder`` of the real model, for one request at a time."""

    def __init__(self, model: Path) -> None:
        self.model = model.parent.name
        self.dimensions = 0
        self._answers: queue.Queue[Event] = queue.Queue()
        self._worker = EmbedWorker(LoadOptions(path=str(model), role="embed"), self._answers.put)
        self._worker.start()

    def vectors(self, texts: Sequence[str]) -> Matrix:
        """``float32 [n, dimensions]``; waits."""
        self._worker.handle(Embed(1, tuple(texts)))
        answer = self._answers.get(timeout=_PATIENCE)
        assert isinstance(answer, Embedded), answer
        found: Matrix = np.frombuffer(answer.vectors, np.float32).reshape(len(texts), -1)
        self.dimensions = found.shape[1]
        return found

    async def embed(self, texts: Sequence[str]) -> Matrix:
        """See ``Embedder.embed``."""
        return await asyncio.to_thread(self.vectors, texts)

    def close(self) -> None:
        """Ends its threads."""
        self._worker.close()
