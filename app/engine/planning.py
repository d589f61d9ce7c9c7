"""How a model is opened: its context, its role, and where its layers go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .fitting import ModelShape, Placement, place
from .frames import LoadOptions
from .hardware import Hardware, Memory, cores, may_have_accelerator
from .window import ContextWindow, planned

if TYPE_CHECKING:
    from app.settings import EngineSettings

    from .catalogues.catalogue import ModelEntry


class Planner:
    """Plans the opening of models. Belongs to one event loop.

    Args:
        settings: what the user wants.
        shape_of: reads the sizes that layers are fitted by from a model file.
        read_memory: main memory just now.
        find_hardware: asks what models can run on; called once, when it is first needed.
    """

    def __init__(
        self,
        settings: EngineSettings,
        shape_of: Callable[[Path], ModelShape | None],
        read_memory: Callable[[], Memory],
        find_hardware: Callable[[], Coroutine[Any, Any, Hardware]],
    ) -> None:
        self._settings, self._shape_of, self._read_memory = settings, shape_of, read_memory
        self._find_hardware = find_hardware
        self._hardware: asyncio.Task[Hardware] | None = None

    async def hardware(self) -> Hardware:
        """What models can run on here, as the native library sees it; asked once."""
        if self._hardware is None:
            self._hardware = asyncio.create_task(self._find_hardware())
        return await asyncio.shield(self._hardware)

    async def plan(self, entry: ModelEntry, path: Path) -> tuple[LoadOptions, Placement, ContextWindow]:
        """How to open a model, where it will run and why, and which context it is to have and why."""
        settings = self._settings
        device = entry.device or settings.device
        layers = settings.gpu_layers if entry.gpu_layers is None else entry.gpu_layers
        window = planned(entry, settings)
        if entry.role == "chat" or path.suffix == ".gguf":
            placement = await self._place(path, window.tokens, device, layers)
        else:
            placement = Placement("cpu", 0, "It runs on the CPU, as models of this format do.")
        options = LoadOptions(
            path=str(path),
            role=entry.role,
            context=window.tokens,
            sequences=settings.sequences,
            queue=settings.queue,
            gpu_layers=placement.gpu_layers,
            device=placement.device,
            threads=settings.threads,
            chat_template=entry.chat_template,
            speculation=settings.speculation,
        )
        return options, placement, window

    def close(self) -> None:
        """Gives up a question about the hardware that is still open."""
        if self._hardware is not None:
            self._hardware.cancel()

    async def _place(self, path: Path, context: int, device: str, layers: int) -> Placement:
        hardware = await self._hardware_to_plan_with()
        shape = None
        if hardware.accelerators and device != "cpu":
            shape = await asyncio.to_thread(self._shape_of, path)
        window = context or (shape.trained_context if shape else 0)
        return place(hardware, shape, context=window, device=device, gpu_layers=layers)

    async def _hardware_to_plan_with(self) -> Hardware:
        """Asks the library only where it was built for more than the CPU: the question takes a third of a second."""
        if self._hardware is not None or may_have_accelerator():
            return await self.hardware()
        return Hardware(memory=self._read_memory(), cores=cores())
