"""What the panes know of the models: which there are, where each stands, and how to change that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from app.tui.bars.status import ModelState

from .downloads import Download, Downloads

if TYPE_CHECKING:
    from app.engine.catalogue import ModelEntry
    from app.engine.pool import LoadedModel
    from app.engine.store import Verification
    from app.playground import Playground
    from app.routing.router import Router


class ModelRow(Struct, frozen=True):
    """One model of the catalogue and where it stands.

    Attributes:
        fits: whether its weights and a context fit this machine's memory; ``None`` while that is not known.
        recommended: the best one for this machine.
    """

    entry: ModelEntry
    state: ModelState
    installed: bool
    loaded: LoadedModel | None
    download: Download | None
    fits: bool | None
    recommended: bool


class ModelDesk:
    """The catalogue, the store and the pool as one, for those who paint."""

    def __init__(self, playground: Playground, changed: Callable[[Download], None]) -> None:
        self._playground = playground
        self.downloads = Downloads(playground.store, changed)
        self._fits: dict[str, bool] = {}
        self._recommended: str | None = None

    @property
    def router(self) -> Router:
        """Whoever answers."""
        return self._playground.router

    def entry(self, name: str) -> ModelEntry:
        """A model of the catalogue.

        Raises:
            UnknownModelError: when there is none of this name.
        """
        return self._playground.catalogue.get(name)

    def known(self, name: str) -> bool:
        """Whether the catalogue has it."""
        return any(entry.name == name for entry in self._playground.catalogue.entries)

    def missing(self, name: str) -> bool:
        """Whether a model of the catalogue still has to be fetched."""
        return self.known(name) and self._playground.store.path_of(self.entry(name)) is None

    def downloading(self, name: str) -> bool:
        """Whether it is on its way."""
        download = self.downloads.of(name)
        return download is not None and download.state == "running"

    def loaded(self, name: str) -> LoadedModel | None:
        """The model in memory; ``None`` when it is not."""
        return next((loaded for loaded in self._playground.pool.loaded() if loaded.name == name), None)

    def state(self, name: str) -> ModelState:
        """Where a model stands, in one word."""
        if self.downloading(name):
            return "fetching"
        if self.loaded(name) is not None:
            return "ready"
        return "missing" if self.missing(name) else "idle"

    def rows(self) -> tuple[ModelRow, ...]:
        """Every model: the recommended one first, then what is here, then the rest in the catalogue's order."""
        rows = [self._row(entry) for entry in self._playground.catalogue.entries]
        return tuple(sorted(rows, key=lambda row: (not row.recommended, not row.installed, row.fits is False)))

    def _row(self, entry: ModelEntry) -> ModelRow:
        installed = self._playground.store.path_of(entry) is not None
        return ModelRow(
            entry=entry,
            state=self.state(entry.name),
            installed=installed,
            loaded=self.loaded(entry.name),
            download=self.downloads.of(entry.name),
            fits=self._fits.get(entry.name),
            recommended=entry.name == self._recommended,
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
