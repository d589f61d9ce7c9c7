"""The unrounded weights of an ONNX model whose own are rounded to 8 bits, from the safetensors beside it.

Such a file computes in float32 all the same: it holds ``name_q`` (int8) and ``name_scale``, and multiplies them when it
is opened. So the weights from which ``name_q`` was rounded can stand in its place, divided by the scale, and nothing
else changes: not the graph, not the speed, only the rounding goes. Which tensor that was is told by its numbers: those
of rows all over it round to what the file holds.

Formats: onnx.proto3 (ModelProto.graph = 7, GraphProto.initializer = 5, TensorProto.dims = 1, data_type = 2, name = 8,
raw_data = 9), and https://huggingface.co/docs/safetensors#format.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_GRAPH, _INITIALIZER = 7, 5
_DIMS, _TYPE, _NAME, _RAW = 1, 2, 8, 9
_FLOAT, _INT8 = 1, 3
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
_ROUNDED, _SCALE = b"_q", b"_scale"
_LONGEST_HEADER = 1 << 24
_SAMPLE = 64
"""Rows at least by which a tensor is known."""

_HALF = 0.5 + 1e-3
"""A rounded number is this near to what it was rounded from, in steps of its scale."""

Weights = NDArray[np.float32]
_Piece = bytes | memoryview
"""Of a file that is put together: a hundred megabytes are copied once, not at every level."""


def unrounded(model: bytes, weights: Path) -> tuple[bytes, int]:
    """An ONNX file with the weights of a safetensors file in the place of their roundings, and how many were found.

    Raises:
        ValueError: when either is not of its format.
    """
    exact = _tensors(weights)
    pieces: list[_Piece] = []
    replaced = 0
    for number, kind, content in _fields(memoryview(model)):
        if number == _GRAPH and kind == _BYTES:
            graph, replaced = _graph(content, exact)
            pieces += _field(_GRAPH, *graph)
        else:
            pieces += _encoded(number, kind, content)
    return b"".join(pieces), replaced


def _graph(graph: memoryview, exact: Mapping[tuple[int, ...], list[Weights]]) -> tuple[list[_Piece], int]:
    fields = list(_fields(graph))
    tensors = [_Tensor(content) for number, _, content in fields if number == _INITIALIZER]
    scales = {tensor.name: tensor.floats() for tensor in tensors if tensor.name.endswith(_SCALE)}
    pieces: list[_Piece] = []
    replaced = 0
    for number, kind, content in fields:
        if number == _INITIALIZER:
            tensor = _Tensor(content)
            scale = scales.get(tensor.name.removesuffix(_ROUNDED) + _SCALE)
            if tensor.type == _INT8 and tensor.name.endswith(_ROUNDED) and scale is not None:
                steps = _steps_of(tensor.bytes8(), scale, exact)
                if steps is not None:
                    pieces += _field(_INITIALIZER, *tensor.with_floats(steps))
                    replaced += 1
                    continue
        pieces += _encoded(number, kind, content)
    return pieces, replaced


def _steps_of(
    rounded: NDArray[np.int8], scale: Weights, exact: Mapping[tuple[int, ...], list[Weights]]
) -> Weights | None:
    """The tensor, in steps of the scale, that rounds to this; None for none."""
    turned = [each.T for each in exact.get(rounded.shape[::-1], ())]
    some = slice(None, None, max(1, len(rounded) // _SAMPLE))
    for candidate in [*exact.get(rounded.shape, ()), *turned]:
        if np.abs(candidate[some] / scale[some] - rounded[some]).max(initial=0.0) <= _HALF:
            steps: Weights = candidate / scale
            return steps
    return None


class _Tensor:
    """A TensorProto, as far as it is needed here."""

    def __init__(self, content: memoryview) -> None:
        self.dims: list[int] = []
        self.type, self.name = 0, b""
        self._raw = memoryview(b"")
        for number, kind, value in _fields(content):
            if number == _DIMS:
                self.dims += [_varint(value, 0)[0]] if kind == _VARINT else list(_varints(value))
            elif number == _TYPE:
                self.type = _varint(value, 0)[0]
            elif number == _NAME:
                self.name = bytes(value)
            elif number == _RAW:
                self._raw = value

    def floats(self) -> Weights:
        return np.frombuffer(self._whole(4), "<f4").reshape(self.dims)

    def bytes8(self) -> NDArray[np.int8]:
        return np.frombuffer(self._whole(1), np.int8).reshape(self.dims)

    def _whole(self, size: int) -> memoryview:
        if len(self._raw) != size * math.prod(self.dims):
            raise ValueError(f"{self.name!r} has {len(self._raw)} bytes for {self.dims} numbers of {size}")
        return self._raw

    def with_floats(self, values: Weights) -> list[_Piece]:
        dims = b"".join(_key(_DIMS, _VARINT) + _as_varint(each) for each in self.dims)
        kind = _key(_TYPE, _VARINT) + _as_varint(_FLOAT)
        raw = np.ascontiguousarray(values, "<f4").data.cast("B")
        return [dims, kind, *_field(_NAME, self.name), *_field(_RAW, raw)]


def _tensors(path: Path) -> dict[tuple[int, ...], list[Weights]]:
    """The float32 matrices of a safetensors file, by their shape."""
    data = np.memmap(path, np.uint8, "r")
    length = int.from_bytes(data[:8].tobytes(), "little")
    if not 2 <= length <= min(_LONGEST_HEADER, len(data) - 8):
        raise ValueError(f"{path.name} has a header of {length} bytes; it is no safetensors file")
    found: dict[tuple[int, ...], list[Weights]] = {}
    for name, told in json.loads(data[8 : 8 + length].tobytes()).items():
        if name == "__metadata__" or told["dtype"] != "F32" or len(told["shape"]) != 2:
            continue
        start, end = (8 + length + offset for offset in told["data_offsets"])
        shape = tuple(told["shape"])
        if not 8 + length <= start <= end <= len(data) or end - start != 4 * shape[0] * shape[1]:
            raise ValueError(f"{name} of {path.name} lies outside the file, or is not of its size")
        found.setdefault(shape, []).append(data[start:end].view("<f4").reshape(shape))
    return found


def _fields(message: memoryview) -> Iterator[tuple[int, int, memoryview]]:
    """Each field of a protobuf message: its number, its wire type, and its content (of a varint, its bytes)."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        kind = key & 7
        if kind == _VARINT:
            end = _varint(message, place)[1]
        elif kind == _BYTES:
            size, place = _varint(message, place)
            end = place + size
        elif kind in {_EIGHT, _FOUR}:
            end = place + (8 if kind == _EIGHT else 4)
        else:
            raise ValueError(f"a field has the wire type {kind}; it is no ONNX file")
        if end > len(message):
            raise ValueError("a field ends behind the file's end; it was cut short")
        yield key >> 3, kind, message[place:end]
        place = end


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            break
        byte = message[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    raise ValueError("a number does not end; it is no ONNX file")


def _varints(message: memoryview) -> Iterator[int]:
    place = 0
    while place < len(message):
        value, place = _varint(message, place)
        yield value


def _as_varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return bytes(found)


def _key(number: int, kind: int) -> bytes:
    return _as_varint(number << 3 | kind)


def _field(number: int, *content: _Piece) -> list[_Piece]:
    return [_key(number, _BYTES), _as_varint(sum(map(len, content))), *content]


def _encoded(number: int, kind: int, content: memoryview) -> list[_Piece]:
    return _field(number, content) if kind == _BYTES else [_key(number, kind), content]
