"""What a worker tells the face."""

from __future__ import annotations

from msgspec import Struct

from app.messages import ChosenToken, FinishReason, Timings, Usage

from .speech import Heard


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


class Tokenized(Struct, frozen=True, tag_field="kind", tag="tokenized"):
    """The answer to ``Tokenize`` and ``Infill``; ``pieces``, where asked for, are the bytes of each token."""

    request_id: int
    tokens: tuple[int, ...]
    pieces: tuple[bytes, ...] = ()


class Written(Struct, frozen=True, tag_field="kind", tag="written"):
    """The answer to ``Detokenize`` and ``ApplyTemplate``."""

    request_id: int
    text: str


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
    """How busy a worker is. Cells are a KV cache's, if it has one; tokens are counted since it was loaded.

    ``guessed_tokens`` were guessed by speculation, ``right_tokens`` of them rightly, and so for less.
    """

    request_id: int
    running: int
    queued: int
    used_cells: int
    cells: int
    decoded_tokens: int
    guessed_tokens: int = 0
    right_tokens: int = 0


Event = (
    Loading
    | Loaded
    | LoadFailed
    | Prefilling
    | Step
    | Failed
    | Counted
    | Tokenized
    | Written
    | Embedded
    | Transcribed
    | Status
)
