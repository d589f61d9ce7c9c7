"""The libraries that memory needs, imported where it does no harm."""

from __future__ import annotations


def up() -> None:
    """Imports them. For a thread: it takes some tenths of a second the first time."""
    import faiss  # noqa: F401
    import numpy  # noqa: F401
