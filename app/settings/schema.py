"""Every setting, its type, its range and its default."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from .access import AccessSettings
from .memory import MemorySettings
from .observability import ObservabilitySettings
from .routing import RoutingSettings
from .voice import VoiceSettings
from .writing import WritingSettings

Tokens = Annotated[int, Meta(ge=0, le=16_777_216)]
Count = Annotated[int, Meta(ge=1, le=256)]
Seconds = Annotated[float, Meta(ge=0)]


class EngineSettings(Struct, frozen=True, kw_only=True):
    """Models on this machine.

    Attributes:
        context: tokens of context window; 0 takes what the model was trained with, as far as memory allows.
        sequences: answers decoded at once by one model.
        queue: requests that may wait beside those.
        device: ``auto``, ``cpu``, a kind of accelerator (``cuda``, ``metal``, ``vulkan``), or the name of one that
            ``playground doctor`` lists.
        gpu_layers: layers on the accelerator; -1 fits them to its free memory.
        threads: CPU threads; 0 takes one a physical core.
        keep_alive_s: seconds that an unused model stays loaded; 0 keeps it for good.
        max_loaded: models loaded at once.
        states_mb: megabytes of disk for conversations as they lie in a model's memory, encrypted, so that a long one is
            gone on with at once another day; 0 keeps none.
        speculation: whether words of an answer that stood in the text before are computed several at once.
    """

    context: Tokens = 0
    sequences: Count = 16
    queue: Annotated[int, Meta(ge=0, le=100_000)] = 256
    device: str = "auto"
    gpu_layers: Annotated[int, Meta(ge=-1, le=10_000)] = -1
    threads: Annotated[int, Meta(ge=0, le=1024)] = 0
    keep_alive_s: Seconds = 900.0
    max_loaded: Count = 2
    states_mb: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    speculation: Literal["prompt-lookup", "off"] = "prompt-lookup"


class ModelSettings(Struct, frozen=True, kw_only=True):
    """Which models there are.

    Attributes:
        default: the model that answers when none is named.
        catalogues: further catalogue files; a later one overrides an earlier.
    """

    default: str = "smollm2-135m"
    catalogues: tuple[str, ...] = ()


class PrivacySettings(Struct, frozen=True, kw_only=True):
    """What may leave the machine.

    Attributes:
        local_only: refuses everything that would.
        redact: replaces personal data in what goes to remote models, and puts it back in their answers.
        redact_kinds: the kinds that are replaced; empty is all that are known.
        redact_patterns: further ones by name, in RE2's syntax.
    """

    local_only: bool = False
    redact: bool = True
    redact_kinds: tuple[str, ...] = ()
    redact_patterns: dict[str, str] = field(default_factory=dict)


class TuiSettings(Struct, frozen=True, kw_only=True):
    """How the terminal interface looks and which keys it obeys.

    Attributes:
        theme: the colours, until another is chosen in the program.
        density: ``comfortable`` or ``compact``.
        keys: the name of an action to the keys that do it, separated by commas.
    """

    theme: str = "playground-dark"
    density: Literal["comfortable", "compact"] = "comfortable"
    keys: dict[str, str] = field(default_factory=dict)


class ChatSettings(Struct, frozen=True, kw_only=True):
    """How answers are shown; what is kept of them is always the original.

    Attributes:
        filter: leaves out stock phrases ("As an AI language model, ...") and sentences that were already said.
        summarise: whether the model sums up the messages that its context window has no room for.
        titles: whether the model is asked for a title after its first answer.
        pacing: shows an answer in groups of words with pauses, instead of as fast as it comes.
    """

    filter: bool = False
    summarise: bool = False
    titles: bool = True
    pacing: bool = False


class VaultSettings(Struct, frozen=True, kw_only=True):
    """How what is kept is guarded, and where its copies go.

    Attributes:
        lock_after_s: seconds without a key until a vault with a passphrase locks itself; 0 never does.
        backups: the folder for backups; empty puts them beside the vault.
        daily_backup: whether a backup is made each day that the program is used.
        daily_kept: how many of those are kept.
    """

    lock_after_s: Seconds = 1800.0
    backups: str = ""
    daily_backup: bool = True
    daily_kept: Count = 7


class ServerSettings(Struct, frozen=True, kw_only=True):
    """The server for other programs.

    Attributes:
        host: the address that it listens on; other machines reach it where this is not loopback.
        port: 0 takes a free one.
        unknown_model: ``refuse`` a model name that is not known, or answer it by the ``default`` model.
        cors_origins: web pages that may read its answers, such as ``https://notes.example``.
        max_body_bytes: the largest body of a request; audio is measured by ``max_audio_bytes``.
        max_audio_bytes: the largest recording.
        max_output_tokens: most tokens of one answer, whatever was asked; 0 sets no limit.
        shutdown_s: seconds that answers may still run when the server is told to end.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8137
    unknown_model: Literal["refuse", "default"] = "refuse"
    cors_origins: tuple[str, ...] = ()
    max_body_bytes: Annotated[int, Meta(ge=1024)] = 16 * 1024 * 1024
    max_audio_bytes: Annotated[int, Meta(ge=1024)] = 64 * 1024 * 1024
    max_output_tokens: Tokens = 0
    shutdown_s: Seconds = 10.0


class Settings(Struct, frozen=True, kw_only=True):
    """Everything that can be chosen, by section."""

    engine: EngineSettings = EngineSettings()
    models: ModelSettings = ModelSettings()
    privacy: PrivacySettings = PrivacySettings()
    chat: ChatSettings = ChatSettings()
    tui: TuiSettings = TuiSettings()
    vault: VaultSettings = VaultSettings()
    server: ServerSettings = ServerSettings()
    access: AccessSettings = AccessSettings()
    observability: ObservabilitySettings = ObservabilitySettings()
    routing: RoutingSettings = RoutingSettings()
    voice: VoiceSettings = VoiceSettings()
    writing: WritingSettings = WritingSettings()
    memory: MemorySettings = MemorySettings()
