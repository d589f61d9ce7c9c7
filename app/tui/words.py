"""Sizes, times and speeds as a person reads them."""

from __future__ import annotations

from pathlib import Path

from rich.cells import cell_len, set_cell_size


def size(count: int | None) -> str:
    """Bytes, in the decimal units that download pages use: ``98 MB``, ``4.9 GB``."""
    if count is None:
        return "size unknown"
    if count < 1000:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.5 or unit == "TB":
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"
    return f"{count} B"


def seconds(value: float) -> str:
    """A short time: ``120 ms``, ``2.4 s``, ``3 min``, ``1 h 05 min``."""
    if value < 0.9995:
        return f"{value * 1000:.0f} ms"
    if value < 59.5:
        return f"{value:.1f} s" if value < 9.95 else f"{value:.0f} s"
    minutes = round(value / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def count(value: int) -> str:
    """A number with thin groups: ``8,192``."""
    return f"{value:,}"


def speed(tokens_per_second: float) -> str:
    """``98 tok/s``; one decimal below ten."""
    return f"{tokens_per_second:.1f} tok/s" if tokens_per_second < 9.95 else f"{tokens_per_second:.0f} tok/s"


def bar(fraction: float, width: int) -> str:
    """A bar of ``width`` cells, filled in eighths of a cell."""
    eighths = round(max(0.0, min(1.0, fraction)) * width * 8)
    full, rest = divmod(eighths, 8)
    partial = " ▏▎▍▌▋▊▉"[rest] if rest else ""
    return ("█" * full + partial).ljust(width)


def cut(text: str, width: int) -> str:
    """``text`` in at most ``width`` cells, with an ellipsis where something is left out."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(0, width - 1)).rstrip() + "…" if width > 0 else ""


def plural(number: int, noun: str) -> str:
    """``1 token``, ``2 tokens``."""
    return f"{count(number)} {noun}" if number == 1 else f"{count(number)} {noun}s"


def path(place: Path) -> str:
    """A path with ``~`` for the person's own folder."""
    try:
        return f"~/{place.relative_to(Path.home())}"
    except (ValueError, RuntimeError):
        return str(place)
