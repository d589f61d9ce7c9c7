"""What comes of embedding texts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Embeddings:
    """One vector a text, in the order of the texts.

    Attributes:
        vectors: ``float32 [n, dimensions]`` in the machine's byte order, row after row, each of length 1. Plain bytes,
            because numpy stays out of the face: ``numpy.frombuffer(vectors, "float32").reshape(-1, dimensions)``.
        dimensions: numbers in a vector.
        tokens: that were read, all texts together.
        truncated: the places of the texts that were longer than the model reads; their beginnings were embedded.
    """

    vectors: bytes
    dimensions: int
    tokens: int
    truncated: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.vectors) // (4 * self.dimensions) if self.dimensions else 0

    def __getitem__(self, place: int) -> memoryview[float]:
        """One text's vector: a view of its numbers, without a copy."""
        if not 0 <= place < len(self):
            raise IndexError(f"there is no vector {place} among {len(self)}")
        return memoryview(self.vectors).cast("f")[place * self.dimensions : (place + 1) * self.dimensions]
