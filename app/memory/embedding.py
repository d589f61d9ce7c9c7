"""Texts as vectors, whoever computes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.engine.embeddings import Embeddings

    Matrix = NDArray[np.float32]
else:
    Matrix = Any


class Embedder(Protocol):
    """Turns texts into vectors whose dot product says how alike they are.

    Attributes:
        model: the tag that its vectors are kept under; those of two models are never compared.
    """

    model: str

    @property
    def dimensions(self) -> int:
        """Numbers in a vector; 0 until something was embedded."""
        ...

    async def embed(self, texts: Sequence[str]) -> Matrix:
        """``float32 [n, dimensions]``, each row of length 1, in the order of the texts. Cancelling stops it.

        Raises:
            PlaygroundError: when the model is not there, cannot be loaded, or fails.
        """
        ...


class Pool(Protocol):
    """What computes in worker processes: ``app.engine.pool.ModelPool``."""

    async def embed(self, model: str, texts: Sequence[str]) -> Embeddings:
        """See ``ModelPool.embed``."""
        ...


class PoolEmbedder:
    """A model of the engine: MiniLM through ONNX Runtime, or any GGUF model of the role ``embed``.

    Args:
        pool: has the model.
        model: its name in the catalogue.
    """

    def __init__(self, pool: Pool, model: str) -> None:
        self._pool = pool
        self.model = model
        self._dimensions = 0

    @property
    def dimensions(self) -> int:
        """See ``Embedder``."""
        return self._dimensions

    async def embed(self, texts: Sequence[str]) -> Matrix:
        """See ``Embedder``."""
        import numpy

        found = await self._pool.embed(self.model, texts)
        self._dimensions = found.dimensions
        return numpy.frombuffer(found.vectors, numpy.float32).reshape(-1, found.dimensions)
