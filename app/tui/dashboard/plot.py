"""A measure over time, as bars."""

from __future__ import annotations

import time
from collections.abc import Sequence

from textual.content import Content
from textual.widget import Widget

from app.vault.activity.figures import Figures, Overview, Period
from app.vault.activity.periods import Unit

from .bars import EMPTY, Cell, Part, column, labels, layout, marks, top_of
from .colours import Colours
from .measures import MEASURES, Measure

_LEAST_ROWS = 3

_FEW = 10
"""Days that are told by their names."""


class Plot(Widget):
    """Draws what it is told; nothing of it is computed on the way to the screen but cells."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Plot { height: 1fr; width: 1fr; min-height: 3; background: $background; color: $text-muted; text-wrap: nowrap; }
    """

    def __init__(self, colours: Colours) -> None:
        super().__init__(id="figures-plot")
        self._colours = colours
        self._overview: Overview | None = None
        self._unit: Unit = "day"
        self._measure = MEASURES[0]
        self._only: str | None = None

    def show(self, overview: Overview | None, unit: Unit, measure: Measure, only: str | None) -> None:
        """Other bars.

        Args:
            overview: None shows nothing.
            unit: of its periods.
            measure: how high the bars are.
            only: one model alone.
        """
        self._overview, self._unit, self._measure, self._only = overview, unit, measure, only
        self.refresh()

    def render(self) -> Content:
        """The bars, the axis at their left, and the times below."""
        rows = self.content_size.height - 1
        if self._overview is None or rows < _LEAST_ROWS - 1:
            return Content("")
        # An even number has a middle to mark; the line that is left over keeps the bars off the title.
        above, rows = rows % 2, rows - rows % 2
        periods = self._overview.periods
        top = top_of(max((self._height(period) for period in periods), default=0.0))
        told = marks(top, rows, self._measure.scale) if any(map(self._height, periods)) else {}
        axis = max((len(words) + 1 for words in told.values()), default=0)
        width = max(1, self.content_size.width - axis)
        periods = periods[-width:]
        bar, step = layout(len(periods), width)
        columns = [column(self._parts(period), top, rows) for period in periods]
        lines = [Content("")] * above
        for row in reversed(range(rows)):
            pieces: list[tuple[str, str]] = [
                (f"{told.get(row, ''):>{max(0, axis - 1)}}"[:axis].ljust(axis), "$text-muted")
            ]
            ground = Cell("▔", "$border-blurred") if row in told else EMPTY
            if row == 0:
                ground = Cell("▁", "$border-blurred")
            for cells in columns:
                cell = cells[row] if cells[row] != EMPTY else ground
                gap = ground if row else EMPTY
                pieces += [_painted(cell, bar), _painted(gap, step - bar)]
            pieces.append(_painted(ground if row else EMPTY, width - step * len(columns)))
            lines.append(Content.assemble(*pieces))
        few = len(periods) <= _FEW
        times = labels([time_words(period.since, self._unit, few=few) for period in periods], step, width)
        lines.append(Content.styled(" " * axis + times, "$text-muted"))
        return Content("\n").join(lines)

    def _figures(self, period: Period) -> Figures:
        return period.whole if self._only is None else period.models.get(self._only, Figures())

    def _height(self, period: Period) -> float:
        figures = self._figures(period)
        beyond = self._measure.beyond(figures) if self._measure.beyond is not None else 0.0
        return max(self._measure.height(figures) or 0.0, beyond or 0.0)

    def _parts(self, period: Period) -> Sequence[Part]:
        measure = self._measure
        if measure.stacked:
            return [
                Part(measure.height(figures) or 0.0, self._colour(model))
                for model, figures in period.models.items()
                if self._only in (None, model)
            ]
        height = measure.height(self._figures(period)) or 0.0
        beyond = measure.beyond(self._figures(period)) if measure.beyond is not None else None
        strong = "$primary" if self._only is None else self._colour(self._only)
        return [Part(height, strong), Part(max(0.0, (beyond or 0.0) - height), self._pale)]

    def _colour(self, model: str) -> str:
        return self._colours.of(model, self.app.theme_variables, ansi=self.app.current_theme.ansi)

    @property
    def _pale(self) -> str:
        return "ansi_bright_black" if self.app.current_theme.ansi else "$border-blurred"


def most(overview: Overview, measure: Measure, only: str | None) -> Period | None:
    """The period whose bar is the highest; None where there is none."""

    def height(period: Period) -> float:
        return measure.height(period.whole if only is None else period.models.get(only, Figures())) or 0.0

    found = max(overview.periods, key=height, default=None)
    return found if found is not None and height(found) else None


def time_words(since: float, unit: Unit, *, few: bool = False) -> str:
    """When a period begins, below its bar: ``14``, ``16 Nov`` or, of a few days, ``Mon 16``, ``Nov 26``, ``2026``."""
    then = time.localtime(since)
    match unit:
        case "hour":
            return f"{then.tm_hour:02}"
        case "month":
            return time.strftime("%b %y", then)
        case "year":
            return str(then.tm_year)
    if few and unit == "day":
        return f"{time.strftime('%a', then)} {then.tm_mday}"
    return f"{then.tm_mday} {time.strftime('%b', then)}"


def when_words(since: float, unit: Unit) -> str:
    """The same in a sentence: ``at 14:00 on Sat 21 Nov``."""
    then = time.localtime(since)
    day = f"{time.strftime('%a', then)} {then.tm_mday} {time.strftime('%b', then)}"
    match unit:
        case "hour":
            return f"{day}, {then.tm_hour:02}:00"
        case "week":
            return f"from {day}"
        case "month":
            return time.strftime("%B %Y", then)
        case "year":
            return str(then.tm_year)
    return day


def _painted(cell: Cell, count: int) -> tuple[str, str]:
    style = f"{cell.colour} on {cell.behind}" if cell.behind else cell.colour
    return cell.glyph * count, style
