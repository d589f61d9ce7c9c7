"""What stands above the figures, and above the bars."""

from __future__ import annotations

from textual.content import Content

from app.privacy.terminal import clean
from app.vault.activity.figures import Overview
from app.vault.activity.periods import Span, Unit

from .measures import Measure
from .plot import most, when_words

SPAN_TITLES: dict[Span, str] = {
    "day": "The last 24 hours",
    "week": "The last 7 days",
    "month": "The last 30 days",
    "all": "Since the beginning",
}

_BY: dict[Unit, str] = {
    "hour": "by the hour",
    "day": "by the day",
    "week": "by the week",
    "month": "by the month",
    "year": "by the year",
}


def span_words(span: Span, only: str | None) -> Content:
    """How far back it goes, and of which model if it is one alone."""
    if only is None:
        return Content.styled(SPAN_TITLES[span], "bold $foreground")
    return Content.assemble((clean(only), "bold $foreground"), (f" · {SPAN_TITLES[span]}", "$text-muted"))


def bars_words(overview: Overview, unit: Unit, measure: Measure, only: str | None) -> Content:
    """What the bars show, and where they are highest."""
    pieces: list[tuple[str, str]] = [(measure.title, "$foreground"), (f" {_BY[unit]}", "$text-muted")]
    highest = most(overview, measure, only)
    if highest is not None:
        of = highest.whole if only is None else highest.models[only]
        pieces += [
            (" · at most ", "$text-muted"),
            (measure.told(of), "$foreground"),
            (f", {when_words(highest.since, unit)}", "$text-muted"),
        ]
    return Content.assemble(*pieces)
