"""The vectors that are nearest to a question's.

Two stages. The index in memory holds only the signs of each vector's numbers, 48 bytes where the vector has 1,536, and
FAISS finds which few hundred of them the question's own numbers, not only their signs, fit best; the exact vectors of
those are then read from the vault and compared. Measured on 2 cores, with one of them: the signs of a million vectors
are searched in 3 ms; an exact flat index takes 294 ms and 1.5 GB. An HNSW graph is as fast to ask, but takes minutes to
build, or must be stored and kept in step. This one opens as fast as the sketches are read, needs no training, and takes
new vectors at once. Up to ``CANDIDATES`` vectors it compares every one, which is an exact flat search. Nothing of it is
ever written to disk.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from app.vault import Vault
from app.vault.recall.vectors import PieceVector

from . import signs
from .embedding import Matrix

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CANDIDATES = 400
"""How many are compared exactly: of the ten nearest among 100,000 that lie close together, some 94 in 100."""

NEAR_COPY = 0.8
"""Two texts that are so alike tell the same thing twice."""


class Near(NamedTuple):
    """A vector near to one that was asked for: its number, how alike they are, and itself as it is kept."""

    number: int
    cosine: float
    vector: bytes


class Index:
    """The vectors of one model. Follows what is written to the vault, by this program or another.

    Args:
        vault: has the vectors.
        model: whose vectors are searched.
    """

    def __init__(self, vault: Vault, model: str) -> None:
        self._vault, self._model = vault, model
        self._signs: Any = None
        self._numbers: Any = None
        self._seen = 0
        self._following = asyncio.Lock()
        self._turn = threading.Lock()  # what is added moves what is searched

    def __len__(self) -> int:
        """Vectors that are searched, those removed since it was opened included."""
        return 0 if self._signs is None else int(self._signs.ntotal)

    def close(self) -> None:
        """Forgets everything; the next search reads it again. For when the vault is locked, or the index rebuilt."""
        self._signs = self._numbers = None
        self._seen = 0

    async def follow(self) -> None:
        """Takes in what was written since. The first time, that is everything.

        Raises:
            VaultLockedError: while the vault is locked.
        """
        async with self._following:
            fresh = await self._vault.vectors.sketches(self._model, self._seen)
            if not fresh.vectors:
                return
            await asyncio.to_thread(self._take, fresh.vectors, fresh.sketches)
            self._seen = fresh.seen

    def _take(self, vectors: bytes, sketches: bytes) -> None:
        import numpy

        numbers = numpy.frombuffer(vectors, numpy.int64)
        sketched = numpy.frombuffer(sketches, numpy.uint8).reshape(len(numbers), -1)
        with self._turn:
            if self._signs is None:
                self._signs, self._numbers = signs.index_of(sketched), numbers
            else:
                signs.add(self._signs, sketched)
                self._numbers = numpy.concatenate([self._numbers, numbers])

    async def nearest(self, vector: NDArray[np.float32], limit: int) -> tuple[Near, ...]:
        """The nearest vectors, the nearest first. Vectors that are gone are not among them.

        Args:
            vector: ``float32 [dimensions]``, of length 1.
            limit: how many.

        Raises:
            VaultLockedError: while the vault is locked.
        """
        await self.follow()
        if self._signs is None:
            return ()
        candidates = await asyncio.to_thread(self._candidates, vector, max(CANDIDATES, limit))
        # Half by each of the vault's readers: what takes time is taking pages from the disk, and their encryption off.
        candidates.sort()
        half = len(candidates) // 2
        first, second = await asyncio.gather(
            self._vault.vectors.vectors(candidates[:half]), self._vault.vectors.vectors(candidates[half:])
        )
        rows = first + second
        return await asyncio.to_thread(_compared, rows, vector, limit) if rows else ()

    def _candidates(self, vector: NDArray[np.float32], count: int) -> list[int]:
        with self._turn:
            if self._signs is None:  # closed meanwhile
                return []
            found: list[int] = self._numbers[signs.nearest(self._signs, vector, count)].tolist()
            return found


def kept(vectors: Matrix) -> tuple[PieceVector, ...]:
    """The rows of ``float32 [n, dimensions]`` as the vault keeps them."""
    return tuple(
        PieceVector(row.tobytes(), bits.tobytes()) for row, bits in zip(vectors, signs.sketch_of(vectors), strict=True)
    )


def cosines(vectors: list[bytes], vector: NDArray[np.float32]) -> list[float]:
    """How alike kept vectors are to one."""
    import numpy

    if not vectors:
        return []
    matrix = numpy.frombuffer(b"".join(vectors), numpy.float32).reshape(len(vectors), -1)
    # Not ``@``: for so little, waking BLAS's threads takes longer than the work, on a machine that is busy.
    found: list[float] = numpy.einsum("id,d->i", matrix, vector).tolist()
    return found


def without_near_copies(vectors: list[bytes], limit: int) -> list[int]:
    """The places of the first ``limit`` vectors that say something of their own; near copies come after those."""
    import numpy

    matrix = numpy.frombuffer(b"".join(vectors), numpy.float32).reshape(len(vectors), -1)
    near_copies = numpy.einsum("id,jd->ij", matrix, matrix) > NEAR_COPY
    told = numpy.zeros(len(vectors), bool)
    chosen: list[int] = []
    copies: list[int] = []
    for place in range(len(vectors)):
        if told[place]:
            copies.append(place)
        else:
            chosen.append(place)
            told |= near_copies[place]
    return (chosen + copies)[:limit]


def _compared(rows: tuple[tuple[int, bytes], ...], vector: NDArray[np.float32], limit: int) -> tuple[Near, ...]:
    alike = cosines([kept_vector for _, kept_vector in rows], vector)
    found = [Near(number, cosine, kept_vector) for (number, kept_vector), cosine in zip(rows, alike, strict=True)]
    return tuple(sorted(found, key=lambda near: -near.cosine)[:limit])
