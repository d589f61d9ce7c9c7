"""Keeps Python's garbage collector from being felt in a key, while an answer streams and after."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager

RARE = 500
"""Middle collections between two full ones."""

AFTER = 0.1
"""Seconds after sending at which a full collection falls: the prompt is painted, and nothing of the answer is yet."""


@contextmanager
def quiet_memory() -> Iterator[None]:
    """Within, full collections are rare, and within and after they look only at what was made since.

    A full collection of this program takes 60 to 80 ms, and streaming would cause one or two a second; a key that falls
    into one is late. So one is made in the moment after a prompt was sent, when nobody types, and what is left then is
    kept out of the later ones (about two a minute within; the small collections go on). At the end, what the answer
    brought is kept out too: with it the next one took 300 ms after a very long answer. It is looked at again after the
    next prompt, so what was garbage already is kept for no longer than one turn.
    """
    young, middle, old = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(young, middle, max(old, RARE))
    collecting = asyncio.get_running_loop().call_later(AFTER, _collect)
    try:
        yield
    finally:
        collecting.cancel()
        gc.freeze()
        gc.set_threshold(young, middle, old)


def _collect() -> None:
    gc.unfreeze()
    gc.collect()
    gc.freeze()
