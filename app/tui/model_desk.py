"""What the panes know of the models: which there are, where each stands, and how to change that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from app.engine.window import UNKNOWN, ContextWindow, planned
from app.errors import InvalidRequestError
from app.tui.bars.status import ModelState

from .downloads import Download, Downloads

if TYPE_CHECKING:
    from app.chat.recalling import Recaller
    from app.engine.catalogues.catalogue import ModelEntry
    from app.engine.files.store import Verification
    from app.engine.frames import Role
    from app.engine.pool import LoadedModel
    from app.messages import ChatRequest, Usage
    from app.playground import Playground
    from app.routing.answering import Answering
    from app.routing.listing import ModelLine

    from .requests.preview import Previewed


class ModelRow(Struct, frozen=True):
    """One model of the catalogue and where it stands.

    Attributes:
        fits: whether its weights and a context fit this machine's memory; ``None`` while that is not known.
        recommended: the best one for this machine.
        window: the context that it has, or would be loaded with; unknown where only its file could tell.
    """

    entry: ModelEntry
    state: ModelState
    installed: bool
    loaded: LoadedModel | None
    download: Download | None
    fits: bool | None
    recommended: bool
    window: ContextWindow = UNKNOWN


class ModelDesk:
    """The catalogue, the store and the pool as one, for those who paint."""

    def __init__(self, playground: Playground, changed: Callable[[Download], None]) -> None:
        self._playground = playground
        self.downloads = Downloads(playground.store, changed)
        self._fits: dict[str, bool] = {}
        self._recommended: str | None = None
        self._lines: tuple[ModelLine, ...] = ()

    @property
    def router(self) -> Answering:
        """Whoever answers."""
        return self._playground.router

    def recaller(self, model: str, session: Callable[[], bool]) -> Recaller | None:
        """What recalls into a conversation with a model; None where memory has no part."""
        return self._playground.recaller(model, session)

    def entry(self, name: str) -> ModelEntry:
        """A model of the catalogue.

        Raises:
            UnknownModelError: when there is none of this name.
        """
        return self._playground.catalogue.get(name)

    def known(self, name: str) -> bool:
        """Whether there is a model of this name, here or elsewhere."""
        return self._in_catalogue(name) or self._playground.router.is_remote(name)

    def require_chat(self, name: str) -> None:
        """Looks whether a model can be chatted with, before anything of it is fetched.

        Raises:
            UnknownModelError: when there is none of this name.
            InvalidRequestError: when it is for something else.
        """
        line = self.line(name)
        if line is None and self.is_remote(name):
            return  # not looked at yet: asking it will tell
        role: Role = line.role if line is not None and self.is_remote(name) else self.entry(name).role
        if role != "chat":
            raise InvalidRequestError(f"{name} is for {role}, not for chat.", "Choose another model.")

    def _in_catalogue(self, name: str) -> bool:
        return any(entry.name == name for entry in self._playground.catalogue.entries)

    def missing(self, name: str) -> bool:
        """Whether a model of the catalogue still has to be fetched."""
        return self._in_catalogue(name) and self._playground.store.path_of(self.entry(name)) is None

    def downloading(self, name: str) -> bool:
        """Whether it is on its way."""
        download = self.downloads.of(name)
        return download is not None and download.state == "running"

    def loaded(self, name: str) -> LoadedModel | None:
        """The model in memory; ``None`` when it is not."""
        return next((loaded for loaded in self._playground.pool.loaded() if loaded.name == name), None)

    def state(self, name: str) -> ModelState:
        """Where a model stands, in one word."""
        if self.is_remote(name):
            return "remote"
        if self.downloading(name):
            return "fetching"
        if self.loaded(name) is not None:
            return "ready"
        return "missing" if self.missing(name) else "idle"

    # Models elsewhere

    @property
    def local_only(self) -> bool:
        """Whether nothing may leave this machine."""
        return self._playground.policy.local_only

    def is_remote(self, name: str) -> bool:
        """Whether an endpoint answers, and not this program; a model of the catalogue hides one of its name."""
        return not self._in_catalogue(name) and self._playground.router.is_remote(name)

    async def learn_lines(self, *, check: bool = False) -> tuple[ModelLine, ...]:
        """The models elsewhere as they stand. With ``check`` each endpoint is asked how it is; else nothing is sent."""
        lines = await self._playground.router.listing(check=check and not self.local_only)
        self._lines = tuple(line for line in lines if line.remote and not self._in_catalogue(line.name))
        return tuple(map(self._now, self._lines))

    def line(self, name: str) -> ModelLine | None:
        """A model elsewhere by its name or alias, as it stood when it was looked at last."""
        return next((self._now(line) for line in self._lines if name == line.name or name in line.aliases), None)

    def _now(self, line: ModelLine) -> ModelLine:
        return line.while_local_only() if self.local_only else line

    def refused(self, name: str) -> str:
        """Why a model must not be asked now, as a sentence; empty when it may."""
        line = self.line(name) if self.local_only and self.is_remote(name) else None
        return f"Local-only mode is on, and {name} runs elsewhere." if line is not None and line.leaves else ""

    def sends_to(self, name: str) -> str:
        """The endpoint that gets what is said to a model; empty when it stays here."""
        if not self.is_remote(name):
            return ""
        line = self.line(name)
        return "another machine" if line is None else line.backend if line.leaves else ""

    def cost(self, name: str, usage: Usage) -> float | None:
        """What an answer cost, in US dollars; ``None`` where it is not known, or nothing is asked for it."""
        from app.routing.catalogue.pricing import cost

        line = self.line(name)
        return None if line is None or line.price is None else cost(line.price, usage)

    async def preview(self, request: ChatRequest) -> Previewed | None:
        """Exactly what would leave for a request; ``None`` when nothing would.

        Raises:
            PlaygroundError: when it must not, or cannot.
        """
        # The router hands on what the backend gives, whatever that is.
        return await self._playground.router.preview(request)

    # The catalogue

    def rows(self) -> tuple[ModelRow, ...]:
        """Every model: the recommended one first, then what is here, then the rest in the catalogue's order."""
        rows = [self._row(entry) for entry in self._playground.catalogue.entries]
        return tuple(sorted(rows, key=lambda row: (not row.recommended, not row.installed, row.fits is False)))

    def _row(self, entry: ModelEntry) -> ModelRow:
        installed = self._playground.store.path_of(entry) is not None
        loaded = self.loaded(entry.name)
        return ModelRow(
            entry=entry,
            state=self.state(entry.name),
            installed=installed,
            loaded=loaded,
            download=self.downloads.of(entry.name),
            fits=self._fits.get(entry.name),
            recommended=entry.name == self._recommended,
            window=loaded.window if loaded else planned(entry, self._playground.settings.engine),
        )

    def fetch(self, name: str) -> Download:
        """Starts a download, or gives the one that runs.

        Raises:
            UnknownModelError: when the catalogue has no such model.
        """
        return self.downloads.start(self.entry(name))

    async def here(self, name: str) -> None:
        """Returns when a model's file is here, fetching it when nobody does yet.

        Raises:
            PlaygroundError: when it cannot be fetched.
        """
        if self.missing(name):
            await self.downloads.wait(self.fetch(name))

    async def load(self, name: str) -> None:
        """Brings a model into memory."""
        await self.here(name)
        await self._playground.pool.load(name)

    async def unload(self, name: str) -> None:
        """Frees its memory."""
        await self._playground.pool.unload(name)

    async def verify(self, name: str) -> Verification:
        """Reads the whole file and compares its digest."""
        return await self._playground.store.verify(self.entry(name))

    async def remove(self, name: str) -> None:
        """Deletes the file."""
        if self.loaded(name) is not None:
            await self.unload(name)
        await asyncio.to_thread(self._playground.store.remove, self.entry(name))

    async def learn_machine(self) -> None:
        """Asks what this machine is made of; afterwards ``rows`` knows what fits."""
        from app.engine.fitting import need_of, recommended

        hardware = await self._playground.pool.hardware()
        entries = self._playground.catalogue.entries
        room = max([device.total_bytes for device in hardware.accelerators] + [hardware.memory.total])
        self._fits = {entry.name: need <= room for entry in entries if (need := need_of(entry)) is not None}
        best = recommended(entries, hardware)
        self._recommended = best.name if best is not None else None
