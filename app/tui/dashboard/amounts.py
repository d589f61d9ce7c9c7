"""Figures as they stand where there is little room."""

from __future__ import annotations

from app.tui import words
from app.vault.activity.figures import Sums

NONE = "–"
"""Where nothing was measured, and nothing had to be paid."""

_UNITS = ("", " k", " M", " B", " T")


def short(value: float) -> str:
    """At most seven cells: ``950``, ``9,500``, ``12.3 k``, ``4.21 M``."""
    if value < 9_999.5:
        return f"{value:,.0f}"
    place = 0
    while value >= 999.5 and place < len(_UNITS) - 1:
        value /= 1000
        place += 1
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:,.{digits}f}{_UNITS[place]}"


def shorter(value: float) -> str:
    """At most five cells: ``950``, ``9.5 k``, ``12 k``, ``4.2 M``."""
    if value < 999.5:
        return f"{value:.0f}"
    place = 0
    while value >= 999.5 and place < len(_UNITS) - 1:
        value /= 1000
        place += 1
    return f"{value:.{1 if value < 9.95 else 0}f}{_UNITS[place]}"


def seconds(value: float | None) -> str:
    """``240 ms``, ``2.4 s``, ``3 min``."""
    return NONE if value is None else words.seconds(value)


def speed(value: float | None) -> str:
    """Tokens a second, the unit left out: ``93``, ``8.5``."""
    return NONE if value is None else f"{value:.1f}" if value < 9.95 else short(value)


def dollars(value: float) -> str:
    """At most eight cells: ``$0``, ``$0.0012``, ``$0.25``, ``$12.40``, ``$1,240``, ``$12.3 k``."""
    if value == 0:
        return "$0"
    if value < 0.0001:
        return "<$0.0001"
    if value < 0.0995:
        return f"${value:.2g}" if value >= 0.01 else f"${value:.4f}"
    return f"${value:.2f}" if value < 999.995 else f"${short(value)}"


def cost(sums: Sums) -> str:
    """What is known to have been paid: never 0 where a price is not known, and a dash where there was none to pay."""
    if sums.paid:
        return dollars(sums.cost)
    if sums.unpriced:
        return "no price"
    return NONE if sums.here or not sums.requests else dollars(0)


def count_mark(value: float) -> str:
    """On an axis, exact: ``80 k``, ``1.25 M``; nothing for a part of one."""
    return "" if value < 10 and value % 1 else mark(value)


def mark(value: float) -> str:
    """On an axis: three digits, as few as will do."""
    place = 0
    while value >= 1000 and place < len(_UNITS) - 1:
        value /= 1000
        place += 1
    return f"{f'{value:.3f}'.rstrip('0').rstrip('.') if value < 1000 else f'{value:,.0f}'}{_UNITS[place]}"


def seconds_mark(value: float) -> str:
    """On an axis: ``125 ms``, ``2.5 s``, ``20 min``."""
    if value < 1:
        return f"{mark(value * 1000)} ms"
    return f"{mark(value)} s" if value < 600 else f"{mark(round(value / 60, 1))} min"


def dollars_mark(value: float) -> str:
    """On an axis: ``$0.0012``, ``$0.25``, ``$80``."""
    return f"${f'{value:.6f}'.rstrip('0').rstrip('.') if value < 1 else mark(value)}"


def percent(part: float, whole: float) -> str:
    """``9 %``; empty of nothing, and ``<1 %`` of a little."""
    if not whole or not part:
        return ""
    share = 100 * part / whole
    return "<1 %" if share < 0.5 else f"{share:.0f} %"
