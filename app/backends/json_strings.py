"""A filter of texts, let loose on JSON that comes in pieces: it sees what strings say, never how they are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

_SHORT = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "\\": "\\", "/": "/"}


class TextFilter(Protocol):
    """Changes a text that comes in pieces. One is used for one text."""

    def feed(self, text: str) -> str:
        """Takes more of the text; gives what is certain, and holds back the rest."""
        ...

    def finish(self) -> str:
        """What was still held back, now that nothing more comes."""
        ...


class JsonStrings:
    """Runs a fresh filter over every string, names too, and writes it so that the JSON stays JSON.

    A quotation mark that a filter puts in is escaped; an escape that is split between two pieces is put together. A
    surrogate without its half cannot be written and becomes U+FFFD. What is not JSON comes out much as it went in.
    """

    def __init__(self, make: Callable[[], TextFilter]) -> None:
        self._make = make
        self._filter: TextFilter | None = None
        self._escape = ""
        self._half = ""

    def feed(self, text: str) -> str:
        """Takes more of the JSON; gives what is certain of it."""
        out: list[str] = []
        place = 0
        while place < len(text):
            if self._filter is None:
                quote = text.find('"', place)
                if quote < 0:
                    out.append(text[place:])
                    break
                out.append(text[place : quote + 1])
                self._filter = self._make()
                place = quote + 1
            elif self._escape:
                place = self._more_escape(text, place, out)
            else:
                place = self._more_string(text, place, out)
        return "".join(out)

    def finish(self) -> str:
        """What a string that never ended held back."""
        if self._filter is None:
            return ""
        said = _written(self._filter.feed(self._left()) + self._filter.finish())
        self._filter = None
        return said

    def _left(self) -> str:
        left = ("\ufffd" if self._half else "") + self._escape
        self._half = self._escape = ""
        return left

    def _more_string(self, text: str, place: int, out: list[str]) -> int:
        assert self._filter is not None
        quote, slash = text.find('"', place), text.find("\\", place)
        end = min(found for found in (quote, slash, len(text)) if found >= 0)
        if end > place:
            self._said(text[place:end], out)
        if end == len(text):
            return end
        if end == slash:
            self._escape = "\\"
            return end + 1
        out.append(_written(self._filter.feed(self._left()) + self._filter.finish()) + '"')
        self._filter = None
        return end + 1

    def _more_escape(self, text: str, place: int, out: list[str]) -> int:
        self._escape += text[place]
        kind = self._escape[1]
        if kind != "u":
            escape, self._escape = self._escape, ""
            self._said(_SHORT.get(kind, escape), out)
        elif len(self._escape) == 6:
            escape, self._escape = self._escape, ""
            try:
                self._unit(int(escape[2:], 16), out)
            except ValueError:
                self._said(escape, out)
        return place + 1

    def _unit(self, unit: int, out: list[str]) -> None:
        if 0xD800 <= unit < 0xDC00:
            if self._half:
                self._said("", out)
            self._half = chr(unit)
        elif 0xDC00 <= unit < 0xE000:
            first, self._half = self._half, ""
            paired = 0x10000 + ((ord(first) - 0xD800) << 10) + unit - 0xDC00 if first else 0xFFFD
            self._said(chr(paired), out)
        else:
            self._said(chr(unit), out)

    def _said(self, text: str, out: list[str]) -> None:
        assert self._filter is not None
        if self._half:
            text, self._half = "\ufffd" + text, ""
        out.append(_written(self._filter.feed(text)))


def _written(text: str) -> str:
    """As it stands between the quotation marks of a JSON string."""
    return msgspec.json.encode(text).decode()[1:-1] if text else ""
