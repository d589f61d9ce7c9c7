"""Ctrl-C before a command has begun: the program ends at once, and Python shows nothing of what it was at."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import NoReturn

INTERRUPTED = 130
"""Exit status after Ctrl-C: 128 and the number of the signal, as shells count it."""


def end_at_once() -> None:
    """From now on Ctrl-C ends the process: nothing is open yet. Does nothing where it is ignored, or heard already."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def raise_again() -> None:
    """From now on Ctrl-C is an exception, and what is open is closed. Does nothing but after ``end_at_once``."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    os._exit(INTERRUPTED)
