"""How a model that runs elsewhere is described: where, how large, what it costs, what leaves the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from app.privacy.terminal import clean
from app.tui import words

if TYPE_CHECKING:
    from app.routing.catalogue.remote_models import Price
    from app.routing.listing import ModelLine

_REACH = {
    "here": ("here", "$text-success"),
    "yes": ("reachable", "$text-success"),
    "no": ("not reachable", "$text-error"),
    "unknown": ("not asked yet", "$text-muted"),
}


def short_count(tokens: int) -> str:
    """``400k``, ``1M``, ``8,192``; empty for 0."""
    if tokens >= 1_000_000:
        return f"{tokens / 1_000_000:.3g}M"
    return f"{tokens // 1000}k" if tokens >= 10_000 else words.count(tokens) if tokens else ""


def dollars(value: float) -> str:
    """``$2``, ``$0.25``, ``$0.0012``."""
    if value == 0:
        return "$0"
    return f"${value:.2f}".removesuffix(".00") if value >= 0.095 else f"${value:.2g}" if value >= 0.0001 else "<$0.0001"


def price_words(price: Price | None) -> str:
    """``$0.25 in, $2 out``: per million tokens; ``free``; empty when it is not known."""
    if price is None:
        return ""
    return f"{dollars(price.input)} in, {dollars(price.output)} out" if price.input or price.output else "free"


def reach_words(line: ModelLine, refused: str) -> tuple[str, str]:
    """Whether it can be asked, in two words, and their colour."""
    return ("off: local only", "$text-disabled") if refused else _REACH[line.reachable]


def remote_detail(line: ModelLine, refused: str, allow_key: str = "alt+l") -> Content:
    """Some lines about a model that runs elsewhere; what leaves the machine comes first.

    ``allow_key`` ends local-only mode.
    """
    lines: list[tuple[str, str]] = []
    if refused:
        lines.append((f"{refused} {allow_key} allows the network.", "$text-warning"))
    lines.append(
        (f"Leaves this machine: {clean(line.leaves)}.", "$text-warning")
        if line.leaves
        else ("Nothing leaves this machine.", "$text-success")
    )
    if line.reason and not refused:
        lines.append((clean(line.reason), "$text-error" if line.reachable == "no" else "$text-muted"))
    price = price_words(line.price)
    known = [
        clean(line.description).rstrip("."),
        f"{words.count(line.context)} tokens of context" if line.context else "",
        f"{price} for a million tokens" if price and price != "free" else price or "price unknown",
        "sees pictures" if line.vision else "",
    ]
    lines.append((" · ".join(filter(None, known)), "$text-muted"))
    if line.fallback:
        lines.append((f"When it cannot answer: {', '.join(map(clean, line.fallback))}", "$text-muted"))
    return Content("\n").join(Content.styled(*one) for one in lines)
