"""What the face tells a worker to do."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from app.messages import ChatRequest

from .infill import Gap
from .speech import TranscribeOptions

Role = Literal["chat", "embed", "transcribe"]
Speculation = Literal["prompt-lookup", "off"]


class KeptStates(Struct, frozen=True):
    """Where a chat model's conversations are kept as they lie in its KV cache, and under which key.

    Attributes:
        folder: of all models' states.
        key: 32 random bytes, out of the vault.
        model: the sha256 of the model's file; a state is of no use to any other.
        most_bytes: what the folder may hold.
    """

    folder: str
    key: bytes
    model: str
    most_bytes: int

    def __repr__(self) -> str:
        return f"KeptStates(folder={self.folder!r}, most_bytes={self.most_bytes})"


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
        speculation: whether several tokens of an answer are computed at once where they can be guessed.
        states: conversations that were kept on disk; None for none.
        gives_way: whether other programs come first where processors are short.
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
    speculation: Speculation = "prompt-lookup"
    states: KeptStates | None = None
    gives_way: bool = True


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


class Tokenize(Struct, frozen=True, tag_field="kind", tag="tokenize"):
    """Which tokens is this text? Answered by ``Tokenized``.

    Attributes:
        content: texts, and tokens among them that stay as they are.
        add_special: put the token before it that begins a sequence, where the vocabulary asks for one.
        parse_special: take the names of control tokens for the tokens themselves.
        with_pieces: also tell what each token stands for.
    """

    request_id: int
    content: tuple[str | int, ...]
    add_special: bool = False
    parse_special: bool = True
    with_pieces: bool = False


class Detokenize(Struct, frozen=True, tag_field="kind", tag="detokenize"):
    """Which text do these tokens stand for? Answered by ``Written``."""

    request_id: int
    tokens: tuple[int, ...]


class ApplyTemplate(Struct, frozen=True, tag_field="kind", tag="apply_template"):
    """Which text would the model be given for this conversation? Answered by ``Written``."""

    request_id: int
    request: ChatRequest


class Infill(Struct, frozen=True, tag_field="kind", tag="infill"):
    """Which tokens ask a model for code that is missing in the middle? Answered by ``Tokenized``."""

    request_id: int
    gap: Gap


class Cancel(Struct, frozen=True, tag_field="kind", tag="cancel"):
    """Stop working on a request; unknown and finished ids are ignored."""

    request_id: int


class Ping(Struct, frozen=True, tag_field="kind", tag="ping"):
    """Are you there, and how busy? Answered by ``Status``."""

    request_id: int


class Keep(Struct, frozen=True, tag_field="kind", tag="keep"):
    """Put the conversations that nobody is waiting for to disk, when there is a quiet moment, at the end at last."""

    states: KeptStates


class Shutdown(Struct, frozen=True, tag_field="kind", tag="shutdown"):
    """End now; running requests are dropped. A closed stdin means the same."""


Command = (
    Generate
    | CountTokens
    | Tokenize
    | Detokenize
    | ApplyTemplate
    | Infill
    | Embed
    | Transcribe
    | Audio
    | Cancel
    | Ping
    | Keep
    | Shutdown
)
