"""Sketches of vectors, the signs of their numbers, and which of them a question's vector fits best.

FAISS's product quantisation with 4 bits a part (André, Kermarrec and Le Scouarnec, "Quicker ADC", 2018) is given
centroids that it need not learn: a part is four numbers, its centroids are the sixteen ways in which four signs can
stand. So the dot product of the question's own numbers with a vector's signs is looked up 32 vectors at a time, as fast
as counting differing bits, and finds much more: of the ten nearest of 100,000, 96 in 100 among 600 instead of 81.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .embedding import Matrix

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PART = 4
"""Numbers whose signs are looked up together."""

_AT_ONCE = 4096
"""Sketches that are unfolded at once when they are added: 6 MB."""


def sketch_of(vectors: Matrix) -> NDArray[np.uint8]:
    """The signs of ``float32 [n, dimensions]`` as bits, ``uint8 [n, dimensions / 8]``."""
    import numpy

    return numpy.packbits(vectors > 0, axis=1)


def index_of(sketches: NDArray[np.uint8]) -> Any:
    """A FAISS index of ``uint8 [n, dimensions / 8]``."""
    import faiss
    import numpy

    dimensions = sketches.shape[1] * 8
    parts = dimensions // _PART
    signs = numpy.array([[1 if value >> bit & 1 else -1 for bit in (3, 2, 1, 0)] for value in range(16)], numpy.float32)
    coded: Any = faiss.IndexPQ(dimensions, parts, _PART, faiss.METRIC_INNER_PRODUCT)
    faiss.copy_array_to_vector(numpy.tile(signs, (parts, 1)).ravel(), coded.pq.centroids)
    coded.is_trained = True
    faiss.copy_array_to_vector(sketches.ravel(), coded.codes)
    coded.ntotal = len(sketches)
    return faiss.IndexPQFastScan(coded)


def add(index: Any, sketches: NDArray[np.uint8]) -> None:
    """More sketches, behind those that are there."""
    import numpy

    for start in range(0, len(sketches), _AT_ONCE):
        bits = numpy.unpackbits(sketches[start : start + _AT_ONCE], axis=1)
        index.add(_in_order_of_codes(bits.astype(numpy.float32) * 2 - 1))


def nearest(index: Any, vector: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """The places of those that ``float32 [dimensions]`` fits best, the best first; as many as there are at most."""
    import faiss
    import numpy

    # One thread: what is looked at is read in no time, and the other cores belong to an answer. Said in each thread
    # that searches, since OpenMP keeps the number for each.
    faiss.omp_set_num_threads(1)
    asked = numpy.zeros((1, index.d), numpy.float32)
    asked[0, : len(vector)] = vector
    _, places = index.search(_in_order_of_codes(asked), min(count, int(index.ntotal)))
    found: NDArray[np.int64] = places[0][places[0] >= 0]
    return found


def _in_order_of_codes(rows: Matrix) -> Matrix:
    """A byte of a sketch holds the earlier four numbers' signs in its upper half; FAISS reads the lower half first."""
    import numpy

    halves = rows.reshape(len(rows), -1, 2, _PART)[:, :, ::-1]
    return numpy.ascontiguousarray(halves.reshape(len(rows), -1))
