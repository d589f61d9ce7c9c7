"""Medians and their like, of values that count differently."""

from __future__ import annotations

from collections.abc import Iterable

_AS_GOOD_AS_EQUAL = 1e-9


def quantile(values: Iterable[tuple[float, float]], part: float) -> float | None:
    """The value below which ``part`` of the weight lies; between two, their mean. None of nothing.

    Args:
        values: each with its weight, in any order.
        part: 0.5 for the median.
    """
    ordered = sorted(values)
    wanted = sum(weight for _, weight in ordered) * part
    slack = wanted * _AS_GOOD_AS_EQUAL
    reached = 0.0
    for place, (value, weight) in enumerate(ordered):
        reached += weight
        if reached > wanted + slack:
            return value
        if reached >= wanted - slack:
            return (value + ordered[place + 1][0]) / 2 if place + 1 < len(ordered) else value
    return ordered[-1][0] if ordered else None
