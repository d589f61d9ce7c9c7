"""A playground whose model says what a test wrote down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from app.engine.hardware import Hardware, Memory
from app.engine.window import ContextWindow
from app.errors import PlaygroundError, UnknownModelError
from app.messages import ChatRequest, Delta, Finished, Started, TextDelta, Timings, Usage
from app.privacy.connections import ConnectionPolicy
from app.privacy.masking import Masker
from app.routing.listing import ModelLine
from app.settings import ChatSettings, EngineSettings, Origin, VaultSettings
from app.settings.access import AccessSettings
from app.settings.memory import MemorySettings
from app.settings.observability import ObservabilitySettings
from app.settings.schema import ServerSettings
from app.settings.voice import VoiceSettings
from app.settings.writing import WritingSettings
from app.vault import Vault


@dataclass(frozen=True)
class Entry:
    """What the interface reads of a catalogue entry."""

    name: str
    role: str = "chat"
    source: str = "wheel:example==1.0#model.gguf"
    size: int | None = 98_362_432
    sha256: str | None = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
    licence: str = "Apache-2.0"
    context: int = 8192
    description: str = "A small, quick model to begin with."
    memory_bytes: int | None = 300_000_000


STARTER = Entry("smollm2-135m")
LARGER = Entry(
    "qwen3-4b", size=2_500_000_000, sha256=None, description="A capable all-rounder.", memory_bytes=4_000_000_000
)
HUGE = Entry(
    "llama-3.3-70b",
    size=42_500_000_000,
    sha256=None,
    licence="Llama 3.3",
    description="Large and able.",
    memory_bytes=48_000_000_000,
    context=131072,
)
EMBEDDER = Entry("all-minilm-l6-v2", role="embed", size=23_000_000, description="Turns texts into vectors.")


@dataclass
class Catalogue:
    entries: tuple[Entry, ...]

    def get(self, name: str) -> Entry:
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise UnknownModelError(f"No model is called {name!r}.", "`playground models list` shows them all.")


@dataclass
class Progress:
    stage: str
    done: int
    total: int | None
    bytes_per_second: float
    seconds_left: float | None


@dataclass
class Store:
    """Files that are here by name; a fetch takes the steps that the test wrote down."""

    here: set[str]
    steps: list[Progress] = field(default_factory=list)
    hold: asyncio.Event | None = None
    fail_with: PlaygroundError | None = None
    fetched: list[str] = field(default_factory=list)

    def path_of(self, entry: Entry) -> Path | None:
        return Path(entry.name) if entry.name in self.here else None

    async def fetch(self, entry: Entry, on_progress: Callable[[Progress], None]) -> Path:
        self.fetched.append(entry.name)
        for step in self.steps:
            on_progress(step)
            await asyncio.sleep(0)
        if self.hold is not None:
            await self.hold.wait()
        if self.fail_with is not None:
            raise self.fail_with
        self.here.add(entry.name)
        return Path(entry.name)

    async def verify(self, entry: Entry) -> Any:
        return SimpleNamespace(ok=True)

    def remove(self, entry: Entry) -> None:
        self.here.discard(entry.name)


@dataclass
class Pool:
    models: dict[str, Any] = field(default_factory=dict)
    context: int = 8192

    def loaded(self) -> tuple[Any, ...]:
        return tuple(self.models.values())

    async def load(self, name: str) -> None:
        loaded = SimpleNamespace(context=self.context, device="CPU")
        self.models[name] = SimpleNamespace(name=name, loaded=loaded, window=ContextWindow(self.context, "catalogue"))

    async def hardware(self) -> Hardware:
        return Hardware(memory=Memory(16_000_000_000, 12_000_000_000), cores=4)

    async def unload(self, name: str) -> None:
        self.models.pop(name, None)


Script = Sequence[Delta | PlaygroundError | asyncio.Event | float]


def answer(*pieces: str, tokens: int | None = None, reason: Any = "stop") -> list[Any]:
    """A stream that ends well."""
    count = len(pieces) if tokens is None else tokens
    return [
        Started("smollm2-135m", "local", prompt_tokens=31, context=8192),
        *(TextDelta(piece) for piece in pieces),
        Finished(reason, Usage(31, count), Timings(0.0, 0.12, 0.5)),
    ]


class ScriptedRouter:
    """Plays one script a request, the last one again and again. An event in a script waits, a number sleeps."""

    def __init__(self, *scripts: Script, lines: Sequence[ModelLine] = (), preview: object = None) -> None:
        self._scripts = list(scripts)
        self.lines = tuple(lines)
        self.checked = 0
        self._preview = preview
        self.previewed: ChatRequest | None = None
        self.requests: list[ChatRequest] = []
        self.closed = 0

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        self.requests.append(request)
        script = self._scripts[min(len(self.requests), len(self._scripts)) - 1]
        try:
            for step in script:
                if isinstance(step, asyncio.Event):
                    await step.wait()
                elif isinstance(step, float):
                    await asyncio.sleep(step)
                elif isinstance(step, PlaygroundError):
                    raise step
                else:
                    yield step
                    await asyncio.sleep(0)
        finally:
            self.closed += 1

    def seen_from(self, face: str) -> ScriptedRouter:
        return self

    async def models(self) -> tuple[str, ...]:
        return ("smollm2-135m", *(line.name for line in self.lines))

    def is_remote(self, name: str) -> bool:
        return any(name == line.name or name in line.aliases for line in self.lines)

    def sees(self, name: str) -> bool | None:
        return next((line.vision for line in self.lines if name == line.name or name in line.aliases), False)

    async def listing(self, *, check: bool = False) -> tuple[ModelLine, ...]:
        self.checked += check
        return self.lines

    def next_after(self, model: str, asked: str | None = None) -> str | None:
        return next((line.fallback[0] for line in self.lines if line.name in (model, asked) and line.fallback), None)

    async def preview(self, request: ChatRequest) -> object:
        self.previewed = request
        return self._preview if self.is_remote(request.model) else None

    async def knows(self, name: str) -> bool:
        return name in await self.models()


def playground(
    home: Path,
    router: ScriptedRouter | None = None,
    *,
    store: Store | None = None,
    keys: dict[str, str] | None = None,
    theme: str = "playground-dark",
    density: str = "comfortable",
    local_only: bool = False,
    chat: ChatSettings | None = None,
    context: int = 8192,
    host: str = "127.0.0.1",
    port: int = 0,
    entries: tuple[Entry, ...] = (STARTER, LARGER, HUGE, EMBEDDER),
    recaller: Any = None,
) -> Any:
    """What ``PlaygroundApp`` needs, with a scripted model behind it."""
    (home / "data").mkdir(parents=True, exist_ok=True)
    return SimpleNamespace(
        settings=SimpleNamespace(
            engine=EngineSettings(),
            models=SimpleNamespace(default="smollm2-135m"),
            privacy=SimpleNamespace(local_only=local_only),
            tui=SimpleNamespace(theme=theme, density=density, keys=keys or {}),
            chat=chat or ChatSettings(titles=False),
            vault=VaultSettings(daily_backup=False),
            server=ServerSettings(host=host, port=port),
            access=AccessSettings(),
            observability=ObservabilitySettings(log_to="off"),
            voice=VoiceSettings(),
            writing=WritingSettings(suggestions=False),
            memory=MemorySettings(enabled=False),
        ),
        loaded=SimpleNamespace(origins={"privacy.local_only": Origin("default")}),
        policy=ConnectionPolicy(local_only=local_only),
        masker=Masker(),
        environ={},
        folders=SimpleNamespace(data=home / "data", logs=home / "logs", config=home / "config"),
        catalogue=Catalogue(entries),
        store=store or Store({"smollm2-135m"}),
        pool=Pool(context=context),
        recaller=recaller or (lambda model, session: None),
        vault=Vault(home / "data", home / "data" / "backups"),
        router=router or ScriptedRouter(answer("Hello", " there.")),
        remotes=None,
    )
