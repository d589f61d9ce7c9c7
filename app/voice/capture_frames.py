"""What the capturing process says through its pipe: a kind, a length, and so many bytes."""

from __future__ import annotations

import struct
from typing import Literal

AUDIO, STARTED, DEVICES, FAULT = 1, 2, 3, 4
"""Samples (int16, 16 kHz, one channel); the microphone's name; the list of microphones; why it cannot be."""

Fault = Literal["no_portaudio", "no_microphone", "unknown_device", "busy", "refused", "lost"]

MOST_BYTES = 4 * 1024 * 1024
_HEADER = struct.Struct(">BI")
HEADER_BYTES = _HEADER.size


def frame(kind: int, body: bytes) -> bytes:
    """One message."""
    return _HEADER.pack(kind, len(body)) + body


def head(header: bytes) -> tuple[int, int]:
    """The kind and the length of the message that follows.

    Raises:
        ValueError: when this is no beginning of a message.
    """
    kind, length = _HEADER.unpack(header)
    if kind not in (AUDIO, STARTED, DEVICES, FAULT) or length > MOST_BYTES:
        raise ValueError(f"a message of kind {kind} and {length} bytes")
    return kind, length
