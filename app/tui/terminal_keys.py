"""Keys that terminals send and the framework does not know."""

from __future__ import annotations

from enum import StrEnum

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS


class ExtraKey(StrEnum):
    """Names of keys, in the framework's own way of writing them."""

    ALT_ENTER = "alt+enter"


def teach_alt_enter() -> None:
    """Lets Escape followed by Return, as most terminals send Alt with Enter, be one key.

    Unknown, it would arrive as a circumflex and an Enter, which would send a prompt that somebody meant to continue.
    """
    ANSI_SEQUENCES_KEYS.setdefault("\x1b\r", (ExtraKey.ALT_ENTER,))  # type: ignore[attr-defined]
