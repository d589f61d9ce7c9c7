"""Devices, layers and recommendations, from plain numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.catalogues.catalogue import ModelEntry
from app.engine.fitting import ModelShape, need_of, place, recommended, shape_of
from app.engine.frames import Role
from app.engine.hardware import Device, Hardware, Memory

GIB = 1024**3
CPU = Device("CPU", "a processor", "cpu", 16 * GIB, 16 * GIB)
SHAPE = ModelShape(layers=32, size_bytes=5 * GIB, kv_bytes=128 * 1024, trained_context=8192)


def machine(*devices: Device, offload: bool = True, memory: int = 16 * GIB, problem: str = "") -> Hardware:
    return Hardware(
        memory=Memory(memory, memory), cores=4, devices=(CPU, *devices), gpu_offload=offload, problem=problem
    )


def gpu(name: str = "CUDA0", free: int = 24 * GIB, kind: Any = "gpu") -> Device:
    return Device(name, "a graphics card", kind, free, free)


def test_a_llama_tells_its_shape() -> None:
    metadata = {
        "general.architecture": "llama",
        "llama.block_count": 30,
        "llama.embedding_length": 576,
        "llama.attention.head_count": 9,
        "llama.attention.head_count_kv": 3,
        "llama.context_length": 8192,
    }
    assert ModelShape.of(metadata, 98_000_000) == ModelShape(30, 98_000_000, 30 * 2 * 3 * 64 * 2, 8192)


def test_layers_may_differ_and_garbage_is_no_shape() -> None:
    metadata: dict[str, Any] = {
        "general.architecture": "x",
        "x.block_count": 2,
        "x.embedding_length": 64,
        "x.attention.head_count": 4,
        "x.attention.head_count_kv": [1, 0],
        "x.attention.key_length": 32,
        "x.attention.value_length": 8,
    }
    shape = ModelShape.of(metadata, 1)
    assert shape is not None
    assert shape.kv_bytes == 80
    assert ModelShape.of({}, 1) is None
    assert ModelShape.of(metadata | {"x.block_count": -3}, 1) is None
    assert ModelShape.of(metadata | {"x.attention.head_count": "many"}, 1) is None


def test_without_an_accelerator_the_cpu_is_chosen_and_the_reason_given() -> None:
    assert "no support" in place(machine(offload=False), SHAPE, context=4096).reason
    assert "found no accelerator" in place(machine(), SHAPE, context=4096).reason
    assert "driver" in place(machine(problem="The driver hangs."), SHAPE, context=4096).reason
    assert place(machine(gpu()), SHAPE, context=4096, device="cpu").gpu_layers == 0
    assert place(machine(gpu()), SHAPE, context=4096, gpu_layers=0).device == "cpu"


def test_all_layers_go_where_they_fit() -> None:
    found = place(machine(gpu()), SHAPE, context=4096)
    assert (found.device, found.gpu_layers) == ("CUDA0", -1)
    assert "all 32 layers" in found.reason


def test_some_layers_go_where_not_all_fit() -> None:
    found = place(machine(gpu(free=3 * GIB)), SHAPE, context=4096)
    assert found.device == "CUDA0"
    assert 0 < found.gpu_layers < 32
    assert place(machine(gpu(free=GIB // 4)), SHAPE, context=4096).device == "cpu"


def test_the_largest_dedicated_device_wins_and_a_named_one_is_obeyed() -> None:
    devices = (gpu("iGPU", 32 * GIB, "igpu"), gpu("CUDA0", 8 * GIB), gpu("CUDA1", 12 * GIB))
    assert place(machine(*devices), SHAPE, context=512).device == "CUDA1"
    assert place(machine(*devices), SHAPE, context=512, device="cuda0").device == "CUDA0"
    found = place(machine(*devices), SHAPE, context=512, device="CUDA7")
    assert found.device == "cpu"
    assert "CUDA0" in found.reason
    assert place(machine(*devices), SHAPE, context=512, device="CUDA").device == "CUDA1"
    assert place(machine(gpu("MTL0"), *devices), SHAPE, context=512, device="metal").device == "MTL0"
    assert place(machine(*devices), SHAPE, context=512, device="vulkan").device == "cpu"


@given(st.integers(0, 64 * GIB), st.integers(0, 200_000), st.integers(-1, 100))
def test_what_is_placed_fits(free: int, context: int, wanted: int) -> None:
    found = place(machine(gpu(free=free)), SHAPE, context=context, gpu_layers=wanted)
    layers = SHAPE.layers + 1 if found.gpu_layers == -1 else found.gpu_layers
    assert layers * (SHAPE.size_bytes // 33 + SHAPE.kv_bytes * context // 32) <= free
    assert wanted < 0 or layers <= max(wanted, 0) or found.gpu_layers == -1
    assert found.reason.endswith(".")


def entry(name: str, size: int | None, role: Role = "chat", memory_bytes: int | None = None) -> ModelEntry:
    return ModelEntry(name=name, source="path:/nowhere", role=role, size=size, memory_bytes=memory_bytes, context=8192)


ENTRIES = [
    entry("tiny", GIB // 10),
    entry("small", 2 * GIB),
    entry("large", 20 * GIB),
    entry("unknown", None),
    entry("stated", GIB, memory_bytes=60 * GIB),
    entry("embedder", 3 * GIB, role="embed"),
]


@pytest.mark.parametrize(
    ("memory", "devices", "best"),
    [
        (8 * GIB, (), "small"),
        (1 * GIB, (), "tiny"),
        (64 * GIB, (gpu(free=48 * GIB),), "large"),
        (64 * GIB, (), "small"),
        (64 * GIB, (gpu(free=8 * GIB),), "small"),
        (8 * GIB, (gpu("iGPU", 4 * GIB, "igpu"),), "small"),
    ],
)
def test_the_largest_model_that_leaves_room_is_recommended(memory: int, devices: tuple[Device, ...], best: str) -> None:
    found = recommended(ENTRIES, machine(*devices, memory=memory))
    assert found is not None
    assert found.name == best


def test_nothing_is_recommended_where_nothing_fits() -> None:
    assert recommended(ENTRIES, machine(memory=GIB // 100)) is None
    assert need_of(entry("unknown", None)) is None


def test_the_starter_tells_its_shape(starter_model: Path) -> None:
    shape = shape_of(starter_model)
    assert shape is not None
    assert (shape.layers, shape.kv_bytes, shape.trained_context) == (30, 23040, 8192)
    assert shape.size_bytes == starter_model.stat().st_size
