"""When something was, as a person says it: the group that a day belongs to, and a few letters for the margin."""

from __future__ import annotations

from datetime import date, datetime

DAY = 86_400


def group(at: float, now: float) -> str:
    """``Today``, ``Yesterday``, ``This week`` (the last seven days), ``October``, ``Mar 2024``. Seconds since 1970."""
    day, today = _day(at), _day(now)
    days = (today - day).days
    if days <= 0:
        return "Today"
    if days == 1:
        return "Yesterday"
    if days < 7:
        return "This week"
    if day.year == today.year:
        return day.strftime("%B")
    return day.strftime("%b %Y")


def ago(at: float, now: float) -> str:
    """``now``, ``5 min``, ``3 h``, ``yesterday``, ``Tue``, ``12 Oct``, ``Mar 2024``: nine cells at most."""
    seconds = now - at
    days = (_day(now) - _day(at)).days
    if seconds < 60:
        return "now"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    if days <= 0 or seconds < 6 * 3600:
        return f"{seconds / 3600:.0f} h"
    if days == 1:
        return "yesterday"
    day = _day(at)
    if days < 7:
        return day.strftime("%a")
    if day.year == _day(now).year:
        return f"{day.day} {day.strftime('%b')}"
    return day.strftime("%b %Y")


def _day(at: float) -> date:
    try:
        return datetime.fromtimestamp(at).date()
    except (OverflowError, OSError, ValueError):
        # An imported conversation may claim any time at all.
        return date(1970, 1, 1)
