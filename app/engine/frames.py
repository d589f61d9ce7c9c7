"""What the face and a worker say to each other: length-prefixed MessagePack frames over the worker's stdin and stdout.

A frame is a 4-byte big-endian length and that many bytes of MessagePack. The face sends a ``Command``, the worker an
``Event``. The first frame a worker sends is ``Loading``, then ``Loaded`` or ``LoadFailed``; after ``Loaded`` it answers
commands in any order, each answer naming the ``request_id`` it belongs to. One ``Step`` a decoding step carries the new
pieces of every running sequence.

Which commands a worker knows depends on its role: ``Generate``, ``CountTokens``, ``Tokenize``, ``Detokenize``,
``ApplyTemplate`` and ``Infill`` are for ``chat``, ``Embed`` is for ``embed``, ``Transcribe`` and ``Audio`` are for
``transcribe``; ``Cancel``, ``Ping`` and ``Shutdown`` are for all.
"""

from __future__ import annotations

import struct

import msgspec

from app.errors import InvalidRequestError

from .commands import (
    ApplyTemplate,
    Audio,
    Cancel,
    Command,
    CountTokens,
    Detokenize,
    Embed,
    Generate,
    Infill,
    Keep,
    KeptStates,
    LoadOptions,
    Ping,
    Role,
    Shutdown,
    Tokenize,
    Transcribe,
)
from .events import (
    Counted,
    Embedded,
    Event,
    Failed,
    Loaded,
    LoadFailed,
    Loading,
    Piece,
    Prefilling,
    Status,
    Step,
    Tokenized,
    Transcribed,
    Written,
)

__all__ = [
    "HEADER_BYTES",
    "MAX_FRAME_BYTES",
    "ApplyTemplate",
    "Audio",
    "Cancel",
    "Command",
    "CountTokens",
    "Counted",
    "Detokenize",
    "Embed",
    "Embedded",
    "Event",
    "Failed",
    "FrameError",
    "Generate",
    "Infill",
    "Keep",
    "KeptStates",
    "LoadFailed",
    "LoadOptions",
    "Loaded",
    "Loading",
    "Piece",
    "Ping",
    "Prefilling",
    "Role",
    "Shutdown",
    "Status",
    "Step",
    "Tokenize",
    "Tokenized",
    "Transcribe",
    "Transcribed",
    "Written",
    "body_length",
    "decode_command",
    "decode_event",
    "decode_options",
    "encode",
]

MAX_FRAME_BYTES = 256 * 1024 * 1024
"""Larger frames are refused: nothing that is said here comes near it, so it is a sign of a torn stream."""

_HEADER = struct.Struct(">I")
HEADER_BYTES = _HEADER.size


class FrameError(Exception):
    """The stream does not hold a frame where one must begin, or the frame is not one of ours."""


_encoder = msgspec.msgpack.Encoder()
_options_decoder = msgspec.msgpack.Decoder(LoadOptions)
_command_decoder = msgspec.msgpack.Decoder(Command)
_event_decoder = msgspec.msgpack.Decoder(Event)


def encode(frame: LoadOptions | Command | Event) -> bytes:
    """The frame as it goes through the pipe, length first.

    Raises:
        InvalidRequestError: when a number in it is larger than any that goes through.
    """
    try:
        body = _encoder.encode(frame)
    except OverflowError as error:
        raise InvalidRequestError("A number in the request is too large.", "Give a smaller one.") from error
    return _HEADER.pack(len(body)) + body


def body_length(header: bytes) -> int:
    """Bytes of body that follow a 4-byte ``header``.

    Raises:
        FrameError: when the length cannot be that of a frame.
    """
    length: int = _HEADER.unpack(header)[0]
    if not 0 < length <= MAX_FRAME_BYTES:
        raise FrameError(f"a frame of {length} bytes, expected 1 to {MAX_FRAME_BYTES}")
    return length


def decode_options(body: bytes) -> LoadOptions:
    """The load options in a frame's body: the first frame that a worker reads.

    Raises:
        FrameError: when the body is not load options.
    """
    try:
        options: LoadOptions = _options_decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise FrameError(f"not load options: {error}") from error
    return options


def decode_command(body: bytes) -> Command:
    """The command in a frame's body.

    Raises:
        FrameError: when the body is not a command.
    """
    try:
        command: Command = _command_decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise FrameError(f"not a command: {error}") from error
    return command


def decode_event(body: bytes) -> Event:
    """The event in a frame's body.

    Raises:
        FrameError: when the body is not an event.
    """
    try:
        event: Event = _event_decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise FrameError(f"not an event: {error}") from error
    return event
