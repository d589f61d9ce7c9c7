"""What is measured: how each figure is called, told and drawn."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from app.tui import words
from app.vault.activity.figures import Figures

from . import amounts


class Measure(Struct, frozen=True):
    """One figure.

    Attributes:
        name: the end of its command's name, and how tests call it.
        label: above the figure.
        width: cells that label, figure and note have.
        title: above the bars.
        told: the figure in a few cells.
        note: below it, in a few cells; empty when there is nothing to add.
        height: of a bar; None where nothing was measured.
        beyond: how much higher a paler bar goes; None for a measure that is stacked by model.
        scale: a mark on the axis; empty where there should be none.
    """

    name: str
    label: str
    width: int
    title: str
    told: Callable[[Figures], str]
    note: Callable[[Figures], str]
    height: Callable[[Figures], float | None]
    scale: Callable[[float], str]
    beyond: Callable[[Figures], float | None] | None = None

    @property
    def stacked(self) -> bool:
        """Whether the models' parts add up to the whole."""
        return self.beyond is None


def _p95(value: float | None) -> str:
    return "" if value is None else f"p95 {words.seconds(value)}"


def _cost_note(figures: Figures) -> str:
    sums = figures.sums
    if sums.unpriced:
        return "+ unknown" if sums.paid else "not known"
    return "all here" if sums.here and sums.here == sums.requests else ""


def _requests_note(figures: Figures) -> str:
    sums = figures.sums
    if not sums.failed:
        return ""
    return f"{amounts.shorter(sums.failed)} {'failed' if sums.failed < 1000 else 'fail'}"


def _reused(figures: Figures) -> str:
    cached, prompts = figures.sums.cached_tokens, figures.sums.prompt_tokens
    if cached and cached > 0.995 * prompts:
        return "all reused"
    share = amounts.percent(cached, prompts)
    return f"{share} reuse" if share else ""


MEASURES: tuple[Measure, ...] = (
    Measure(
        "requests",
        "requests",
        10,
        "Requests",
        lambda of: amounts.short(of.sums.requests),
        _requests_note,
        lambda of: of.sums.requests,
        amounts.count_mark,
    ),
    Measure(
        "tokens",
        "tokens",
        9,
        "Tokens",
        lambda of: amounts.short(of.sums.tokens),
        lambda of: f"{amounts.shorter(of.sums.completion_tokens)} out" if of.sums.tokens else "",
        lambda of: of.sums.tokens,
        amounts.count_mark,
    ),
    Measure(
        "speed",
        "speed",
        6,
        "Tokens a second (median)",
        lambda of: amounts.speed(of.times.speed),
        lambda of: "tok/s" if of.times.speed is not None else "",
        lambda of: of.times.speed,
        amounts.mark,
        lambda of: 0.0,
    ),
    Measure(
        "first",
        "first token",
        11,
        "First token (median, p95)",
        lambda of: amounts.seconds(of.times.first_token),
        lambda of: _p95(of.times.first_token_p95),
        lambda of: of.times.first_token,
        amounts.seconds_mark,
        lambda of: of.times.first_token_p95,
    ),
    Measure(
        "latency",
        "latency",
        10,
        "Latency (median, p95)",
        lambda of: amounts.seconds(of.times.latency),
        lambda of: _p95(of.times.latency_p95),
        lambda of: of.times.latency,
        amounts.seconds_mark,
        lambda of: of.times.latency_p95,
    ),
    Measure(
        "cache",
        "from cache",
        10,
        "Answers from the cache",
        lambda of: amounts.short(of.sums.given_again),
        _reused,
        lambda of: of.sums.given_again,
        amounts.count_mark,
    ),
    Measure(
        "cost",
        "cost",
        9,
        "Cost",
        lambda of: amounts.cost(of.sums),
        _cost_note,
        lambda of: of.sums.cost,
        amounts.dollars_mark,
    ),
)
