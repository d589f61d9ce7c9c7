"""Which processors the native library can compute on here."""

from __future__ import annotations

import ctypes
import json
from pathlib import Path
from typing import Any, Literal

import llama_cpp
import msgspec

Kind = Literal["cpu", "gpu", "igpu", "accel"]
_KINDS: tuple[Kind, ...] = ("cpu", "gpu", "igpu", "accel")


class Device(msgspec.Struct, frozen=True):
    """A processor, as the library names it, with its memory in bytes."""

    name: str
    description: str
    kind: Kind
    free_bytes: int
    total_bytes: int


def devices() -> tuple[Device, ...]:
    """Every device of every backend that is built in. Source: ``ggml-backend.h``."""
    registry, base = _library("libggml"), _library("libggml-base")
    llama_cpp.llama_backend_init()
    registry.ggml_backend_dev_count.restype = ctypes.c_size_t
    registry.ggml_backend_dev_get.restype = ctypes.c_void_p
    registry.ggml_backend_dev_get.argtypes = [ctypes.c_size_t]
    for name in ("ggml_backend_dev_name", "ggml_backend_dev_description"):
        getattr(base, name).restype = ctypes.c_char_p
        getattr(base, name).argtypes = [ctypes.c_void_p]
    base.ggml_backend_dev_type.argtypes = [ctypes.c_void_p]
    base.ggml_backend_dev_memory.argtypes = [ctypes.c_void_p] + [ctypes.POINTER(ctypes.c_size_t)] * 2
    return tuple(
        _describe(base, registry.ggml_backend_dev_get(index)) for index in range(registry.ggml_backend_dev_count())
    )


def accelerator(wanted: str) -> str | None:
    """The device that layers go to: ``wanted`` by name, the first GPU for ``auto``; None means the CPU."""
    if wanted == "cpu" or not llama_cpp.llama_supports_gpu_offload():
        return None
    gpus = [device.name for device in devices() if device.kind in ("gpu", "igpu")]
    if wanted == "auto":
        return gpus[0] if gpus else None
    return next((name for name in gpus if name.lower() == wanted.lower()), None)


def report() -> str:
    """What ``--probe`` prints: devices and build facts, as one JSON object."""
    return json.dumps(
        {
            "devices": msgspec.to_builtins(devices()),
            "system_info": llama_cpp.llama_print_system_info().decode(),
            "llama_cpp": llama_cpp.__version__,
            "gpu_offload": bool(llama_cpp.llama_supports_gpu_offload()),
        }
    )


def _describe(base: Any, handle: int) -> Device:
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    base.ggml_backend_dev_memory(handle, ctypes.byref(free), ctypes.byref(total))
    kind = base.ggml_backend_dev_type(handle)
    return Device(
        name=base.ggml_backend_dev_name(handle).decode(),
        description=base.ggml_backend_dev_description(handle).decode(),
        kind=_KINDS[kind] if kind < len(_KINDS) else "accel",
        free_bytes=free.value,
        total_bytes=total.value,
    )


def _library(name: str) -> Any:
    folder = Path(llama_cpp.__file__).parent / "lib"
    found = next((path for suffix in ("so", "dylib") if (path := folder / f"{name}.{suffix}").exists()), None)
    if found is None:
        raise OSError(f"{name} is not beside llama-cpp-python, in {folder}")
    return ctypes.CDLL(str(found))
