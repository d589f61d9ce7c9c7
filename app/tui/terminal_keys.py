"""What terminals send and the framework does not know."""

from __future__ import annotations

import codecs
from enum import StrEnum
from functools import partial

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS


class ExtraKey(StrEnum):
    """Names of keys, in the framework's own way of writing them."""

    ALT_ENTER = "alt+enter"


def teach_alt_enter() -> None:
    """Lets Escape followed by Return, as most terminals send Alt with Enter, be one key.

    Unknown, it would arrive as a circumflex and an Enter, which would send a prompt that somebody meant to continue.
    """
    ANSI_SEQUENCES_KEYS.setdefault("\x1b\r", (ExtraKey.ALT_ENTER,))  # type: ignore[attr-defined]


def forgive_bytes() -> None:
    """Lets a byte that is no UTF-8 be a replacement character.

    The framework ends the program for one: for Alt with a letter in a terminal of eight bits, a paste in another
    encoding, noise on a serial line.
    """
    from textual.drivers import linux_driver

    linux_driver.getincrementaldecoder = _forgiving_decoder  # type: ignore[attr-defined, assignment]


def _forgiving_decoder(encoding: str) -> partial[codecs.IncrementalDecoder]:
    return partial(codecs.getincrementaldecoder(encoding), errors="replace")
