"""The headers of a request, gone through once for all the checks of the gate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

Headers = list[tuple[bytes, bytes]]


class Head:
    """Finds headers by their names.

    Args:
        headers: as ASGI has them, names in lower case.

    Attributes:
        count: of them.
        size: bytes of their names and values.
    """

    __slots__ = ("_first", "_repeated", "count", "size")

    def __init__(self, headers: Headers) -> None:
        self.count = len(headers)
        self._first: dict[bytes, bytes] = {}
        self._repeated: dict[bytes, list[bytes]] = {}
        size, first = 0, self._first
        for name, value in headers:
            size += len(name) + len(value)
            if name in first:
                self._repeated.setdefault(name, [first[name]]).append(value)
            else:
                first[name] = value
        self.size = size

    def get(self, name: bytes) -> bytes | None:
        """The first of this name; None when there is none."""
        return self._first.get(name)

    def all(self, name: bytes) -> list[bytes]:
        """Every one of this name, in order."""
        repeated = self._repeated.get(name)
        if repeated is not None:
            return repeated
        first = self._first.get(name)
        return [] if first is None else [first]


class TextHeaders(Mapping[str, str]):
    """Headers as text, the last of each name. They are decoded when somebody looks: for most requests nobody does.

    Args:
        headers: as ASGI has them.
    """

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    @cached_property
    def _decoded(self) -> dict[str, str]:
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self._headers}

    def __getitem__(self, name: str) -> str:
        return self._decoded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._decoded)

    def __len__(self) -> int:
        return len(self._decoded)
