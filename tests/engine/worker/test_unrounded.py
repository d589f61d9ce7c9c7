"""The unrounded weights take the place of the rounded ones, and of nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.frames import LoadOptions
from app.engine.worker.embed import open_embedder
from app.engine.worker.unrounded import unrounded
from app.errors import ModelLoadError


def field(number: int, content: bytes) -> bytes:
    size = len(content)
    return bytes([number << 3 | 2, *([size] if size < 128 else [size & 127 | 128, size >> 7])]) + content


def tensor(name: str, kind: int, values: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> bytes:
    dims = b"".join(bytes([1 << 3, size]) for size in values.shape)
    return field(5, dims + bytes([2 << 3, kind]) + field(8, name.encode()) + field(9, values.tobytes()))


def safetensors(path: Path, **tensors: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Path:
    header, data = {}, b""
    for name, values in tensors.items():
        header[name] = {
            "dtype": "F32",
            "shape": values.shape,
            "data_offsets": (len(data), len(data) + values.nbytes),
        }
        data += values.tobytes()
    told = json.dumps(header).encode()
    path.write_bytes(len(told).to_bytes(8, "little") + told + data)
    return path


EXACT = np.random.default_rng(1).standard_normal((6, 4)).astype(np.float32)
SCALE = (np.abs(EXACT).max(axis=0, keepdims=True) / 127).astype(np.float32)
ROUNDED = np.round(EXACT / SCALE).astype(np.int8)
MODEL = b"\x08\x08" + field(7, tensor("w_scale", 1, SCALE) + tensor("w_q", 3, ROUNDED) + field(2, b"graph"))


@pytest.mark.parametrize("turned", [False, True])
def test_the_tensor_that_was_rounded_is_found_by_its_numbers(tmp_path: Path, turned: bool) -> None:
    others = {"other": EXACT + np.float32(0.1), "small": EXACT[:2]}
    weights = safetensors(tmp_path / "w", **others, exact=np.ascontiguousarray(EXACT.T) if turned else EXACT)
    model, replaced = unrounded(MODEL, weights)
    assert replaced == 1
    expected = tensor("w_scale", 1, SCALE) + tensor("w_q", 1, EXACT / SCALE) + field(2, b"graph")
    assert model == b"\x08\x08" + field(7, expected)


def test_what_nothing_rounds_to_stays_rounded(tmp_path: Path) -> None:
    weights = safetensors(tmp_path / "w", other=EXACT * 2, small=EXACT[:3])
    model, replaced = unrounded(MODEL, weights)
    assert replaced == 0
    assert ROUNDED.tobytes() in model


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, len(MODEL) - 1), byte=st.integers(0, 255), end=st.integers(0, len(MODEL)))
def test_a_damaged_file_is_refused_or_read_but_does_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, place: int, byte: int, end: int
) -> None:
    weights = safetensors(tmp_path_factory.getbasetemp() / "w", exact=EXACT)
    damaged = (MODEL[:place] + bytes([byte]) + MODEL[place + 1 :])[:end]
    try:
        _, replaced = unrounded(damaged, weights)
    except ValueError:
        return
    assert replaced <= 1


@pytest.mark.parametrize("content", [b"", b"\xff" * 8, b"\x02" + bytes(7) + b"[]", b"\x09" + bytes(7) + b'{"a": 1}x'])
def test_weights_that_are_none_are_named(embedding_model: Path, tmp_path: Path, content: bytes) -> None:
    for name in ("model.onnx", "tokenizer.json"):
        (tmp_path / name).symlink_to(embedding_model.with_name(name).resolve())
    (tmp_path / "weights.safetensors").write_bytes(content)
    with pytest.raises(ModelLoadError, match=r"weights\.safetensors"):
        open_embedder(LoadOptions(path=str(tmp_path / "model.onnx"), role="embed"), lambda fraction: None)


def test_every_weight_of_the_model_that_is_shipped_is_found(embedding_model: Path) -> None:
    """Embeddings of words and places, and six matrices in each of six layers."""
    _, replaced = unrounded(embedding_model.read_bytes(), embedding_model.with_name("weights.safetensors"))
    assert replaced == 2 + 6 * 6
