"""What this machine has: memory, cores, accelerators. No native code here: a child process asks the library."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from app.errors import NotSupportedError

PROBE_COMMAND: tuple[str, ...] = (sys.executable, "-P", "-m", "app.engine.worker", "--probe")

_PROBE_SECONDS = 60.0
"""A driver that hangs must not hang us: after this the machine counts as one without accelerators, and says so."""

_WRITTEN = {"cpu": "the CPU", "cuda": "CUDA", "metal": "Metal", "vulkan": "Vulkan"}

_ACCELERATOR_LIBRARIES = ("cuda", "hip", "metal", "vulkan", "sycl", "opencl", "musa", "cann")

_CGROUP = Path("/sys/fs/cgroup")


class Memory(Struct, frozen=True):
    """Main memory, in bytes. ``available`` can be had without swapping; a container's own limit counts."""

    total: int
    available: int


class Device(Struct, frozen=True):
    """A processor that models can run on, as the native library names it, with its memory in bytes."""

    name: str
    description: str
    kind: Literal["cpu", "gpu", "igpu", "accel"]
    free_bytes: int
    total_bytes: int


class Hardware(Struct, frozen=True, kw_only=True):
    """What models can run on here.

    Attributes:
        devices: every processor that the native library found, the CPU among them.
        cores: physical cores that this process may use.
        system_info: what the native library was built for, in its own words.
        llama_cpp: its version.
        gpu_offload: whether it was built with any accelerator.
        problem: why the library could not be asked; empty when it could.
    """

    memory: Memory
    cores: int
    devices: tuple[Device, ...] = ()
    system_info: str = ""
    llama_cpp: str = ""
    gpu_offload: bool = False
    problem: str = ""

    @property
    def accelerators(self) -> tuple[Device, ...]:
        """The devices that layers can be given to, dedicated ones first."""
        if not self.gpu_offload:
            return ()
        found = [device for device in self.devices if device.kind in ("gpu", "igpu")]
        return tuple(sorted(found, key=lambda device: device.kind != "gpu"))


class _Report(Struct, frozen=True):
    """What ``--probe`` prints."""

    devices: tuple[Device, ...]
    system_info: str
    llama_cpp: str
    gpu_offload: bool


def memory() -> Memory:
    """Main memory just now."""
    import psutil

    found = psutil.virtual_memory()
    limit, used = _container_bytes("memory.max"), _container_bytes("memory.current")
    if limit is None or limit >= found.total:
        return Memory(found.total, found.available)
    return Memory(limit, min(found.available, max(0, limit - (used or 0))))


def cores() -> int:
    """Physical cores that this process may use, at least 1, and no more than its threads may be."""
    import psutil

    physical = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else physical
    return at_most_threads(max(1, min(physical, allowed)))


def at_most_threads(wanted: int) -> int:
    """``wanted``, or what ``OMP_THREAD_LIMIT`` allows.

    OpenMP gives no more than that without a word, and CTranslate2, which shares its work out among as many as it asked
    for, then leaves parts undone: a transcription was all brackets.
    """
    limit = os.environ.get("OMP_THREAD_LIMIT", "").strip()
    return min(wanted, int(limit)) if limit.isascii() and limit.isdigit() and int(limit) > 0 else wanted


def built_for() -> frozenset[str]:
    """The kinds of accelerator that the engine was built for: their libraries lie beside it; none of them is run."""
    import importlib.util

    spec = importlib.util.find_spec("llama_cpp")
    if spec is None or spec.origin is None:
        return frozenset()
    names = [path.name.lower() for path in (Path(spec.origin).parent / "lib").glob("*ggml*")]
    return frozenset(kind for kind in _ACCELERATOR_LIBRARIES if any(kind in name for name in names))


def may_have_accelerator() -> bool:
    """Whether the engine was built for any accelerator."""
    return bool(built_for())


def require_built_for(device: str) -> None:
    """Makes sure that models can be put on a kind of device: ``auto``, ``cpu``, or a kind of accelerator.

    Raises:
        NotSupportedError: when the engine was not built for it.
    """
    built = built_for()
    if device not in ("auto", "cpu", *built):
        there = ", ".join(_WRITTEN.get(kind, kind) for kind in ("cpu", *sorted(built)))
        raise NotSupportedError(
            f"The engine was not built for {_WRITTEN.get(device, device)}; it can use: {there}.",
            "Leave the device out, or name one that `playground doctor` lists.",
        )


async def probe(command: Sequence[str] = PROBE_COMMAND) -> Hardware:
    """Asks a child process what the native library can compute on; takes a second. A failure is told, not raised."""
    bare = Hardware(memory=memory(), cores=cores())
    try:
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        return msgspec.structs.replace(bare, problem=f"The engine's process could not be started: {error}.")
    try:
        output, errors = await asyncio.wait_for(child.communicate(), _PROBE_SECONDS)
    except TimeoutError:
        return msgspec.structs.replace(bare, problem=f"The engine did not answer within {_PROBE_SECONDS:g} seconds.")
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        lines = errors.decode("utf-8", "replace").strip().splitlines()
        reason = lines[-1][:300] if lines else "it said nothing"
        return msgspec.structs.replace(bare, problem=f"The engine ended with status {child.returncode}: {reason}.")
    try:
        # The library may print lines of its own before the report.
        report = msgspec.json.decode(output.strip().splitlines()[-1], type=_Report)
    except (msgspec.MsgspecError, IndexError) as error:
        return msgspec.structs.replace(bare, problem=f"The engine's report cannot be read: {error}.")
    return msgspec.structs.replace(
        bare,
        devices=report.devices,
        system_info=report.system_info,
        llama_cpp=report.llama_cpp,
        gpu_offload=report.gpu_offload,
    )


def _container_bytes(name: str) -> int | None:
    """A number of the control group that this process lives in; None outside of one, or without a limit."""
    try:
        text = (_CGROUP / name).read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
