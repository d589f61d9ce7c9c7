"""Keeps Python's garbage collector from being felt in a key while an answer streams."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

RARE = 500
"""Middle collections between two full ones."""


@contextmanager
def quiet_memory() -> Iterator[None]:
    """Within, a full collection looks only at what was made since, not at the whole program.

    A full collection of this program takes 30 to 70 ms, and streaming would cause one or two a second; a key that falls
    into one is late. Within, they are rarer (about two a minute) and leave out what was there before; the small
    collections go on. Afterwards all is as it was.
    """
    young, middle, old = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(young, middle, max(old, RARE))
    try:
        yield
    finally:
        gc.set_threshold(young, middle, old)
        gc.unfreeze()
