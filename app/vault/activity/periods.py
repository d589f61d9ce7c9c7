"""Hours, days, weeks, months and years as the person's own calendar has them."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Literal

from msgspec import Struct

Unit = Literal["hour", "day", "week", "month", "year"]
Span = Literal["day", "week", "month", "all"]
SPANS: tuple[Span, ...] = ("day", "week", "month", "all")

_HOUR = 3600.0
_MOST: tuple[tuple[Unit, int], ...] = (("day", 45), ("week", 53), ("month", 48))
"""How many of a unit are told apart before a larger one is taken."""


class Periods(Struct, frozen=True):
    """Times that follow each other without a gap, all of one unit.

    Attributes:
        edges: seconds since 1970: where the first begins, where each next one does, where the last ends.
    """

    unit: Unit
    edges: tuple[float, ...]

    @property
    def since(self) -> float:
        """The first second."""
        return self.edges[0]

    @property
    def until(self) -> float:
        """The first second after."""
        return self.edges[-1]

    @property
    def each(self) -> tuple[tuple[float, float], ...]:
        """Beginning and end of each."""
        return tuple(pairwise(self.edges))


def periods(span: Span, now: float, *, first: float | None = None, zone: tzinfo | None = None) -> Periods:
    """What a span of time is looked at in: the one of now is always the last.

    Args:
        span: ``day`` is 24 hours, ``week`` 7 days, ``month`` 30 days; ``all`` begins with ``first``.
        now: seconds since 1970.
        first: when anything was counted for the first time; None is now.
        zone: whose midnights count; None for those of this machine.
    """
    match span:
        case "day":
            hour = datetime.fromtimestamp(now, zone).replace(minute=0, second=0, microsecond=0).timestamp()
            return Periods("hour", tuple(hour + _HOUR * place for place in range(-23, 2)))
        case "week":
            return between(now - 6 * 86_400, now, "day", zone, least=7)
        case "month":
            return between(now - 29 * 86_400, now, "day", zone, least=30)
    begin = min(now, now if first is None else first)
    for unit, most in _MOST:
        found = between(begin, now, unit, zone, least=7 if unit == "day" else 1)
        if len(found.edges) - 1 <= most:
            return found
    return between(begin, now, "year", zone)


def between(since: float, now: float, unit: Unit, zone: tzinfo | None = None, *, least: int = 1) -> Periods:
    """The periods from the one of ``since`` to the one of ``now``; at least so many, the earlier ones added."""
    start, last = _floor(since, unit, zone), _floor(now, unit, zone)
    days = [last]
    while days[-1] > start or len(days) < least:
        days.append(_step(days[-1], unit, -1))
    days.reverse()
    days.append(_step(last, unit, 1))
    return Periods(unit, tuple(_moment(day, zone) for day in days))


def _floor(moment: float, unit: Unit, zone: tzinfo | None) -> datetime:
    """The beginning of the period, as a wall shows it."""
    day = datetime.fromtimestamp(moment, zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    match unit:
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "year":
            return day.replace(month=1, day=1)
    return day


def _step(day: datetime, unit: Unit, by: int) -> datetime:
    match unit:
        case "week":
            return day + timedelta(days=7 * by)
        case "month":
            months = day.year * 12 + day.month - 1 + by
            return day.replace(year=months // 12, month=months % 12 + 1)
        case "year":
            return day.replace(year=day.year + by)
    return day + timedelta(days=by)


def _moment(day: datetime, zone: tzinfo | None) -> float:
    return day.replace(tzinfo=zone).timestamp()
