"""What the face and a worker say to each other: length-prefixed MessagePack frames over the worker's stdin and stdout.

A frame is a 4-byte big-endian length and that many bytes of MessagePack. The face sends a ``Command``, the worker an
``Event``. The first frame a worker sends is ``Loading``, then ``Loaded`` or ``LoadFailed``; after ``Loaded`` it answers
commands in any order, each answer naming the ``request_id`` it belongs to. One ``Step`` a decoding step carries the new
pieces of every running sequence.

Which commands a worker knows depends on its role: ``Generate`` and ``CountTokens`` are for ``chat``, ``Embed`` is for
``embed``, ``Transcribe`` and ``Audio`` are for ``transcribe``; ``Cancel``, ``Ping`` and ``Shutdown`` are for all.
"""

from __future__ import annotations

import struct
from typing import Literal

import msgspec
from msgspec import Struct

from app.messages import ChatRequest, ChosenToken, FinishReason, Timings, Usage

from .speech import Heard, TranscribeOptions

MAX_FRAME_BYTES = 256 * 1024 * 1024
"""Larger frames are refused: nothing that is said here comes near it, so it is a sign of a torn stream."""

_HEADER = struct.Struct(">I")


Role = Literal["chat", "embed", "transcribe"]


class LoadOptions(Struct, frozen=True, kw_only=True):
    """How a worker opens its one model.

    Attributes:
        path: the GGUF file, or the first of a split one; a model of another kind's main file, the others beside it.
        role: what the worker does with it.
        context: tokens of context window that one conversation may use; 0 takes what the model was trained with.
        cells: tokens of KV cache shared by all sequences; 0 chooses a multiple of ``context`` that memory allows.
        sequences: most requests decoded at once.
        queue: most requests waiting beside those; one more is refused as busy.
        gpu_layers: layers given to the accelerator; -1 is all, 0 none.
        device: ``auto``, ``cpu``, or a device name that the probe listed.
        threads: CPU threads; 0 chooses.
        chat_template: Jinja text that replaces the template of the file.
    """

    path: str
    role: Role = "chat"
    context: int = 0
    cells: int = 0
    sequences: int = 16
    queue: int = 256
    gpu_layers: int = -1
    device: str = "auto"
    threads: int = 0
    chat_template: str | None = None


# Commands: face to worker


class Generate(Struct, frozen=True, tag_field="kind", tag="generate"):
    """Answer this request."""

    request_id: int
    request: ChatRequest


class CountTokens(Struct, frozen=True, tag_field="kind", tag="count_tokens"):
    """How long is the prompt of this request? Nothing is generated."""

    request_id: int
    request: ChatRequest


class Embed(Struct, frozen=True, tag_field="kind", tag="embed"):
    """Turn these texts into vectors. Answered by ``Embedded``."""

    request_id: int
    texts: tuple[str, ...]


class Transcribe(Struct, frozen=True, tag_field="kind", tag="transcribe"):
    """Write down the speech that follows in ``Audio`` frames."""

    request_id: int
    options: TranscribeOptions


class Audio(Struct, frozen=True, tag_field="kind", tag="audio", omit_defaults=True):
    """More of a request's audio: float32, 16 kHz, one channel. After the last of it, transcription begins."""

    request_id: int
    pcm: bytes
    last: bool = False


class Cancel(Struct, frozen=True, tag_field="kind", tag="cancel"):
    """Stop working on a request; unknown and finished ids are ignored."""

    request_id: int


class Ping(Struct, frozen=True, tag_field="kind", tag="ping"):
    """Are you there, and how busy? Answered by ``Status``."""

    request_id: int


class Shutdown(Struct, frozen=True, tag_field="kind", tag="shutdown"):
    """End now; running requests are dropped. A closed stdin means the same."""


Command = Generate | CountTokens | Embed | Transcribe | Audio | Cancel | Ping | Shutdown

# Events: worker to face


class Loading(Struct, frozen=True, tag_field="kind", tag="loading"):
    """How much of the model has been read, 0 to 1."""

    fraction: float


class Loaded(Struct, frozen=True, tag_field="kind", tag="loaded"):
    """The model is ready.

    Attributes:
        description: the native library's own words for the model: architecture, size, quantisation.
        context: tokens of context window that one conversation may use.
        trained_context: tokens of context window that the model was trained with.
        device: where it runs.
        gpu_layers: layers that are on the accelerator.
        warnings: what did not go as asked, as sentences: a chat template that fails, a context cut to memory.
        dimensions: numbers in a vector; 0 for a model that gives none.
    """

    description: str
    context: int
    trained_context: int
    cells: int
    sequences: int
    device: str
    gpu_layers: int
    layers: int
    size_bytes: int
    warnings: tuple[str, ...] = ()
    dimensions: int = 0


class LoadFailed(Struct, frozen=True, tag_field="kind", tag="load_failed"):
    """The model could not be opened; the worker ends after this."""

    message: str
    remedy: str = ""


class Prefilling(Struct, frozen=True, tag_field="kind", tag="prefilling"):
    """A request's prompt is being computed. Sent when work on it starts and after each chunk but the last.

    ``thinking``: the prompt has opened what the model thinks aloud, so its answer begins inside.
    """

    request_id: int
    prompt_tokens: int
    cached_tokens: int
    done_tokens: int
    thinking: bool = False


class Piece(Struct, frozen=True, array_like=True, omit_defaults=True):
    """What one decoding step added to one request.

    ``reason`` is set on the last piece of a request, with its ``usage`` and ``timings``, and the ``stop`` string that
    ended it where one did. ``text`` may be empty: a token that ends inside a character, or might begin a stop string,
    is held back until it is known.
    """

    request_id: int
    text: str
    logprobs: tuple[ChosenToken, ...] = ()
    reason: FinishReason | None = None
    usage: Usage | None = None
    timings: Timings | None = None
    stop: str | None = None


class Step(Struct, frozen=True, tag_field="kind", tag="step"):
    """One decoding step of every running request."""

    pieces: tuple[Piece, ...]


class Failed(Struct, frozen=True, tag_field="kind", tag="failed"):
    """A request ends with an error; ``code`` is a key of ``app.errors.error_codes()``."""

    request_id: int
    code: str
    message: str
    remedy: str = ""


class Counted(Struct, frozen=True, tag_field="kind", tag="counted"):
    """The answer to ``CountTokens``."""

    request_id: int
    tokens: int


class Embedded(Struct, frozen=True, tag_field="kind", tag="embedded"):
    """The answer to ``Embed``; the fields are those of ``app.engine.embeddings.Embeddings``."""

    request_id: int
    vectors: bytes
    tokens: int
    truncated: tuple[int, ...] = ()


class Transcribed(Struct, frozen=True, tag_field="kind", tag="transcribed"):
    """More of a transcription; ``done`` is set on the last."""

    request_id: int
    heard: tuple[Heard, ...]
    done: bool = False


class Status(Struct, frozen=True, tag_field="kind", tag="status"):
    """How busy a worker is. ``decoded_tokens`` counts since it was loaded; cells are a KV cache's, if it has one."""

    request_id: int
    running: int
    queued: int
    used_cells: int
    cells: int
    decoded_tokens: int


Event = Loading | Loaded | LoadFailed | Prefilling | Step | Failed | Counted | Embedded | Transcribed | Status


class FrameError(Exception):
    """The stream does not hold a frame where one must begin, or the frame is not one of ours."""


_encoder = msgspec.msgpack.Encoder()
_options_decoder = msgspec.msgpack.Decoder(LoadOptions)
_command_decoder = msgspec.msgpack.Decoder(Command)
_event_decoder = msgspec.msgpack.Decoder(Event)


def encode(frame: LoadOptions | Command | Event) -> bytes:
    """The frame as it goes through the pipe, length first."""
    body = _encoder.encode(frame)
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


HEADER_BYTES = _HEADER.size
