"""Reads the header of a GGUF file and trusts nothing in it.

Native code maps a model file and follows its offsets; a made-up file could lead it out of bounds (CVE-2026-7482 was
one). So every count, length and offset is checked here first, in Python, against fixed bounds and the file's own size.
The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from app.errors import IntegrityError

MAX_COUNT = 65_536
MAX_KEY_BYTES = 64 * 1024
MAX_STRING_BYTES = 16 * 1024 * 1024
MAX_ARRAY_ITEMS = 16 * 1024 * 1024
MAX_ARRAY_TEXTS = 4 * 1024 * 1024
"""Texts in all arrays together, several times the largest vocabulary: each is walked over, so they bound the time."""

MAX_HEADER_BYTES = 256 * 1024 * 1024
_BLOCK_BYTES = 1024 * 1024
_LENGTH = struct.Struct("<Q")
_MAX_ELEMENTS = 2**62

_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}

# Tensor type: values in a block, bytes of a block. Source: ggml.h and ggml-common.h.
_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82),
    23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2),
    34: (256, 54), 35: (256, 66), 39: (32, 17), 40: (64, 36), 41: (128, 18), 42: (64, 18),
}  # fmt: skip


@dataclass(frozen=True)
class Header:
    """What a GGUF header says.

    Attributes:
        metadata: long arrays are given by their length alone.
        tensors: how many there are.
        parameters: values in all of them.
    """

    version: int
    metadata: dict[str, Any]
    tensors: int
    parameters: int


def read_header(path: Path) -> Header:
    """Reads and checks a file's header; the time and memory it takes are bounded, whatever the file says.

    Raises:
        IntegrityError: naming what is wrong, what was found and what was expected.
    """
    try:
        with path.open("rb") as file:
            return _Reader(file, os.fstat(file.fileno()).st_size, path.name).read()
    except OSError as error:
        raise IntegrityError(f"{path} cannot be read: {error.strerror}.") from error


class _Reader:
    def __init__(self, file: BinaryIO, size: int, name: str) -> None:
        self._file, self._size, self._name = file, size, name
        self._at = 0
        self._texts = 0
        self._parameters = 0

    def read(self) -> Header:
        magic = self._take(4)
        if magic != b"GGUF":
            raise self._wrong(f"it begins with {magic!r}; expected b'GGUF'")
        version = self._number("I")
        if version not in (2, 3):
            raise self._wrong(f"its version is {version}; expected 2 or 3")
        tensors, keys = self._number("Q"), self._number("Q")
        for what, count in (("tensors", tensors), ("metadata keys", keys)):
            if count > MAX_COUNT:
                raise self._wrong(f"it claims {count} {what}; at most {MAX_COUNT} are taken")
        metadata: dict[str, Any] = {}
        for _ in range(keys):
            key = self._string(MAX_KEY_BYTES, "key")
            if key in metadata:
                raise self._wrong(f"the key {key!r} stands twice")
            metadata[key] = self._value(self._number("I"))
        extents = list(self._tensors(tensors))
        self._check_extents(extents, self._alignment(metadata))
        return Header(version, metadata, tensors, self._parameters)

    def _tensors(self, count: int) -> Iterator[tuple[str, int, int]]:
        """Name, offset in the data and bytes of each tensor."""
        names: set[str] = set()
        for _ in range(count):
            name = self._string(MAX_KEY_BYTES, "tensor name")
            if name in names:
                raise self._wrong(f"the tensor {name!r} stands twice")
            names.add(name)
            dimensions = self._number("I")
            if not 1 <= dimensions <= 4:
                raise self._wrong(f"the tensor {name!r} has {dimensions} dimensions; expected 1 to 4")
            elements, row = 1, 0
            for index in range(dimensions):
                length = self._number("Q")
                row = length if index == 0 else row
                elements *= length
                if not 0 < elements <= _MAX_ELEMENTS:
                    raise self._wrong(f"the tensor {name!r} has {elements} elements")
            kind = self._number("I")
            if kind not in _BLOCKS:
                raise self._wrong(f"the tensor {name!r} is of the unknown type {kind}")
            self._parameters += elements
            values, size = _BLOCKS[kind]
            if row % values:
                raise self._wrong(f"a row of the tensor {name!r} has {row} values; expected a multiple of {values}")
            yield name, self._number("Q"), elements // values * size

    def _check_extents(self, extents: list[tuple[str, int, int]], alignment: int) -> None:
        start = -(-self._at // alignment) * alignment
        for name, offset, size in extents:
            if offset % alignment:
                raise self._wrong(f"the tensor {name!r} is at {offset}, not a multiple of {alignment}")
            if start + offset + size > self._size:
                raise self._wrong(
                    f"the tensor {name!r} ends at byte {start + offset + size}, beyond the file's {self._size}"
                )

    def _alignment(self, metadata: dict[str, Any]) -> int:
        found = metadata.get("general.alignment", 32)
        if not isinstance(found, int) or isinstance(found, bool) or not 0 < found <= 65_536 or found & (found - 1):
            raise self._wrong(f"general.alignment is {found!r}; expected a power of two up to 65536")
        return int(found)

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._string(MAX_STRING_BYTES, "text")
        if kind == _ARRAY:
            return self._array()
        if kind not in _SCALARS:
            raise self._wrong(f"a value is of the unknown type {kind}")
        return self._number(_SCALARS[kind])

    def _array(self) -> Any:
        kind, count = self._number("I"), self._number("Q")
        if count > MAX_ARRAY_ITEMS:
            raise self._wrong(f"an array has {count} items; at most {MAX_ARRAY_ITEMS} are taken")
        if kind == _STRING:
            self._skip_texts(count)
        elif kind in _SCALARS:
            size = struct.calcsize("<" + _SCALARS[kind])
            if count <= 64:
                return [self._number(_SCALARS[kind]) for _ in range(count)]
            self._skip(size * count)
        else:
            raise self._wrong(f"an array is of the type {kind}; expected numbers, truth values or texts")
        return {"items": count}

    def _skip_texts(self, count: int) -> None:
        """Walks over the texts of an array, in blocks: one at a time would take a vocabulary five times as long."""
        self._texts += count
        if self._texts > MAX_ARRAY_TEXTS:
            raise self._wrong(f"its arrays have {self._texts} texts; at most {MAX_ARRAY_TEXTS} are taken")
        block, start, limit = b"", self._at, min(self._size, MAX_HEADER_BYTES)
        for _ in range(count):
            at = self._at - start
            if at + _LENGTH.size > len(block):
                self._file.seek(self._at)
                block, start, at = self._file.read(_BLOCK_BYTES), self._at, 0
                if len(block) < _LENGTH.size:
                    self._advance(_LENGTH.size)
                    raise self._wrong("it changed while it was read")
            (length,) = _LENGTH.unpack_from(block, at)
            if length > MAX_STRING_BYTES:
                raise self._too_long("text", length, MAX_STRING_BYTES)
            self._at += _LENGTH.size + length
            if self._at > limit:
                self._advance(0)
        self._file.seek(self._at)

    def _string(self, most: int, what: str) -> str:
        return self._take(self._length(most, what)).decode("utf-8", "replace")

    def _length(self, most: int, what: str) -> int:
        length: int = self._number("Q")
        if length > most:
            raise self._too_long(what, length, most)
        return length

    def _too_long(self, what: str, length: int, most: int) -> IntegrityError:
        return self._wrong(f"a {what} is {length} bytes long; at most {most} are taken")

    def _number(self, code: str) -> Any:
        size = struct.calcsize("<" + code)
        return struct.unpack("<" + code, self._take(size))[0]

    def _take(self, count: int) -> bytes:
        self._advance(count)
        found = self._file.read(count)
        if len(found) != count:
            raise self._wrong("it changed while it was read")
        return found

    def _skip(self, count: int) -> None:
        self._advance(count)
        self._file.seek(self._at)

    def _advance(self, count: int) -> None:
        self._at += count
        if self._at > self._size:
            raise self._wrong(f"its header goes on beyond its {self._size} bytes: it is cut short")
        if self._at > MAX_HEADER_BYTES:
            raise self._wrong(f"its header is longer than {MAX_HEADER_BYTES} bytes")

    def _wrong(self, what: str) -> IntegrityError:
        return IntegrityError(f"{self._name} is not a sound GGUF file: {what}.", "Fetch it again, or use another file.")
