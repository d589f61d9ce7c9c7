"""Keeps Python's garbage collector from being felt while one scrolls."""

from __future__ import annotations

import gc


def settle_memory() -> None:
    """Leaves what the program holds now out of later full collections, which then take a few milliseconds.

    A full collection of this program takes 60 to 80 ms, and scrolling makes enough short-lived objects (Textual's
    strips hold caches that hold the strips) for one every 75 lines: a pause that can be seen. What was garbage already
    but not collected yet stays until ``unsettle_memory``; it is little.
    """
    gc.collect(1)
    gc.freeze()


def unsettle_memory() -> None:
    """Full collections look at everything again."""
    gc.unfreeze()
