"""Hands on what was said in decoding steps."""

from __future__ import annotations

import time
from collections.abc import Callable

from app.engine.frames import Event, Piece, Step

_TELL_SECONDS = 0.015
"""Pieces that follow each other faster than a screen is painted share a frame: waking the face for each of them takes
a processor from the next step, and made one answer of a small model 2 % slower."""


class Telling:
    """Collects pieces and emits them together. Belongs to the thread that decodes."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._news: list[Piece] = []
        self._told = 0.0

    def add(self, piece: Piece) -> None:
        """Takes a piece, unless it says nothing."""
        if piece.text or piece.reason or piece.logprobs:
            self._news.append(piece)

    def now_and_then(self, *, urgent: bool) -> None:
        """Emits what there is if it is ``urgent``, or if the last time was long ago."""
        if urgent or time.monotonic() - self._told >= _TELL_SECONDS:
            self.all()

    def all(self) -> None:
        """Emits what there is."""
        if self._news:
            self._emit(Step(tuple(self._news)))
            self._news.clear()
            self._told = time.monotonic()
