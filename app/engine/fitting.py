"""What goes where: the device a model runs on, the layers that fit its memory, the model that fits this machine."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .hardware import Device, Hardware

if TYPE_CHECKING:
    from .catalogues.catalogue import ModelEntry

WEIGHTS_FACTOR = 1.2
"""What a model takes beside its file: compute buffers, and copies of what the CPU wants in another layout."""

RECOMMENDED_SHARE = 0.6
"""A recommended model leaves the rest of the memory to the person's other programs."""

_BYTES_PER_CORE = 1_500_000_000
"""A CPU reads every weight for each token: with more than this for each core it writes slower than one reads."""

_DEVICE_SHARE = 0.9
"""Of an accelerator's free memory; the rest is left for the desktop and for fragmentation."""

_KINDS = {"metal": ("metal", "mtl")}
"""What a kind of accelerator is called in the names of its devices, where that is not the kind and a number."""

_COMPUTE_BYTES = 512 * 1024 * 1024
_TYPICAL_CONTEXT = 8192
_TYPICAL_KV_BYTES_PER_TOKEN = 128 * 1024
_KV_ELEMENT_BYTES = 2
_FIRST_PART = re.compile(r"(.+)-00001-of-(\d{5})\.gguf")


@dataclass(frozen=True)
class ModelShape:
    """The sizes of a model that decide what it needs.

    Attributes:
        layers: transformer blocks.
        size_bytes: of all tensors.
        kv_bytes: KV cache for one token, a key and a value of 16 bits in every layer.
        trained_context: tokens; 0 is unknown.
    """

    layers: int
    size_bytes: int
    kv_bytes: int
    trained_context: int = 0

    @classmethod
    def of(cls, metadata: Mapping[str, Any], size_bytes: int) -> ModelShape | None:
        """The shape that a GGUF file's metadata tells of; None when it does not."""
        family = metadata.get("general.architecture")
        layers = _number(metadata.get(f"{family}.block_count"))
        width = _number(metadata.get(f"{family}.embedding_length"))
        heads = _number(metadata.get(f"{family}.attention.head_count"))
        if not (layers and width and heads):
            return None
        head_width = width // heads
        key = _number(metadata.get(f"{family}.attention.key_length")) or head_width
        value = _number(metadata.get(f"{family}.attention.value_length")) or head_width
        kv_heads = metadata.get(f"{family}.attention.head_count_kv", heads)
        # A list gives each layer its own number: some architectures mix kinds of layers.
        all_kv_heads = sum(map(_number, kv_heads)) if isinstance(kv_heads, list | tuple) else _number(kv_heads) * layers
        return cls(
            layers=layers,
            size_bytes=size_bytes,
            kv_bytes=all_kv_heads * (key + value) * _KV_ELEMENT_BYTES,
            trained_context=_number(metadata.get(f"{family}.context_length")),
        )

    def need(self, context: int) -> int:
        """Bytes for the model and a KV cache of ``context`` tokens."""
        return int(self.size_bytes * WEIGHTS_FACTOR) + self.kv_bytes * context


def shape_of(path: Path) -> ModelShape | None:
    """The shape of a model file; of a split one, all parts count. None when its metadata does not tell.

    Raises:
        IntegrityError: when it is not a sound GGUF file.
        OSError: when it cannot be read.
    """
    from .files.gguf import read_header

    return ModelShape.of(read_header(path).metadata, sum(part.stat().st_size for part in parts_of(path)))


def parts_of(path: Path) -> list[Path]:
    """The files of a model by its first one; that one alone where it is not split."""
    if found := _FIRST_PART.fullmatch(path.name):
        return sorted(path.parent.glob(f"{glob.escape(found[1])}-*-of-{found[2]}.gguf")) or [path]
    return [path]


@dataclass(frozen=True)
class Placement:
    """Where a model runs, and why, as a sentence.

    Attributes:
        device: ``cpu``, or a device name of the native library.
        gpu_layers: layers on it; -1 is all, 0 none.
    """

    device: str
    gpu_layers: int
    reason: str


def place(
    hardware: Hardware, shape: ModelShape | None, *, context: int, device: str = "auto", gpu_layers: int = -1
) -> Placement:
    """Chooses the device and the number of layers that it can hold.

    Args:
        hardware: what there is.
        shape: None when the file does not tell; then all layers go to an accelerator if there is one.
        context: tokens of KV cache.
        device: ``auto``, ``cpu``, the name of a device, or a kind of accelerator: ``cuda`` is the best of them.
        gpu_layers: what the user wants; -1 is as many as fit.
    """
    if device == "cpu":
        return Placement("cpu", 0, "It runs on the CPU, because the settings say so.")
    accelerators = hardware.accelerators
    if device != "auto":
        named = [found for found in accelerators if found.name.lower() == device.lower()]
        if not named:
            kinds = _KINDS.get(device.lower(), (device.lower(),))
            named = [found for found in accelerators if found.name.lower().rstrip("0123456789") in kinds]
        if not named:
            names = ", ".join(found.name for found in accelerators) or "none"
            return Placement(
                "cpu", 0, f"It runs on the CPU: no accelerator is called {device!r} here; there are: {names}."
            )
        chosen = _best(named)
    elif not accelerators:
        return Placement("cpu", 0, _why_no_accelerator(hardware))
    else:
        chosen = _best(accelerators)
    return _share(chosen, shape, context, gpu_layers)


def _best(devices: Sequence[Device]) -> Device:
    return max(devices, key=lambda found: (found.kind == "gpu", found.free_bytes))


def need_of(entry: ModelEntry) -> int | None:
    """Bytes that a catalogue's model takes with a usual context; None when nothing is known of its size."""
    if entry.memory_bytes:
        return entry.memory_bytes
    if entry.size is None:
        return None
    context = min(entry.context or _TYPICAL_CONTEXT, _TYPICAL_CONTEXT)
    # Without the file there is no shape: a KV cache of 128 KiB a token is that of an 8 B model with grouped heads, and
    # a smaller model's is smaller about as its file is.
    per_token = min(_TYPICAL_KV_BYTES_PER_TOKEN, entry.size // 40_000)
    return int(entry.size * WEIGHTS_FACTOR) + per_token * context


def recommended(entries: Iterable[ModelEntry], hardware: Hardware) -> ModelEntry | None:
    """The largest chat model that fits comfortably in an accelerator's memory or, without one, in main memory."""
    dedicated = [device.total_bytes for device in hardware.accelerators if device.kind == "gpu"]
    room = int(max(dedicated, default=hardware.memory.total) * RECOMMENDED_SHARE)
    if not hardware.accelerators:
        room = min(room, hardware.cores * _BYTES_PER_CORE)
    fitting = [
        (need, entry.name, entry)
        for entry in entries
        if entry.role == "chat" and (need := need_of(entry)) is not None and need <= room
    ]
    return max(fitting)[2] if fitting else None


def _share(device: Device, shape: ModelShape | None, context: int, wanted: int) -> Placement:
    named = f"{device.name} ({device.description})"
    if wanted == 0:
        return Placement("cpu", 0, f"It runs on the CPU: the settings give no layer to {named}.")
    if shape is None:
        return Placement(device.name, wanted, f"It runs on {named}; its size is not known, so nothing was measured.")
    budget = int(device.free_bytes * _DEVICE_SHARE) - _COMPUTE_BYTES
    # The output layer counts as one more, and is about as large as the others together are wide.
    each = shape.size_bytes // (shape.layers + 1) + shape.kv_bytes * context // shape.layers
    fitting = max(0, budget // max(1, each))
    asked = shape.layers + 1 if wanted < 0 else min(wanted, shape.layers + 1)
    if fitting >= asked:
        if asked == shape.layers + 1:
            return Placement(device.name, -1, f"It runs on {named}: all {shape.layers} layers fit in its free memory.")
        return Placement(device.name, asked, f"It runs on {named} with {asked} layers, as the settings say.")
    if fitting == 0:
        return Placement("cpu", 0, f"It runs on the CPU: not one layer fits in the free memory of {named}.")
    return Placement(
        device.name,
        fitting,
        f"It runs on {named} in part: {fitting} of {shape.layers} layers fit in its free memory, the CPU has the rest.",
    )


def _why_no_accelerator(hardware: Hardware) -> str:
    if hardware.problem:
        return f"It runs on the CPU: {hardware.problem}"
    if not hardware.gpu_offload:
        return "It runs on the CPU: this build of the engine has no support for an accelerator."
    return "It runs on the CPU: the engine found no accelerator."


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
