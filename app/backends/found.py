"""What may stand in a provider's JSON, read without trusting that it does: another type is as good as nothing there."""

from __future__ import annotations

from typing import Any

from .rules import JsonObject

_MOST = 2**53


def words(value: Any) -> str:
    """A text; empty when it is none."""
    return value if isinstance(value, str) else ""


def table(value: Any) -> JsonObject:
    """An object; empty when it is none."""
    return value if isinstance(value, dict) else {}


def tables(value: Any) -> list[JsonObject]:
    """The objects of a list."""
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def count(value: Any) -> int:
    """A number of things; 0 when it is none."""
    return min(value, _MOST) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def seconds(nanoseconds: Any) -> float:
    """A duration that was told in nanoseconds."""
    return count(nanoseconds) / 1e9


def number(value: Any) -> float:
    """A number; 0 when it is none, or larger than any could be."""
    usable = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _MOST
    return float(value) if usable else 0.0
