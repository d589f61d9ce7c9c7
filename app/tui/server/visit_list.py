"""The requests of the server, one a line, the newest on top."""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content

from app.privacy.terminal import clean
from app.tui import words
from app.tui.row_list import RowList
from app.tui.words import cut

if TYPE_CHECKING:
    from app.server.activity import Visit

WITH_WHO = 100
"""Columns from which there is room for who asked."""

_WHO, _MODEL, _MODEL_NARROW = 20, 24, 14


class VisitList(RowList):
    """Time, who, method and path, model, status, seconds, tokens, speed; what is under way stands first."""

    def __init__(self) -> None:
        super().__init__(id="visits")
        self._visits: tuple[Visit, ...] = ()

    @property
    def visit(self) -> Visit | None:
        """The chosen request."""
        return self._visits[self.chosen] if self.chosen < len(self._visits) else None

    def show_visits(self, visits: tuple[Visit, ...]) -> None:
        """Other requests; the choice stays on its own, and on the newest when it was there."""
        chosen = 0
        if self.chosen and self.visit is not None:
            number = self.visit.number
            chosen = next((place for place, visit in enumerate(visits) if visit.number == number), 0)
        self._visits = visits
        self.show(len(visits), chosen)

    def row(self, place: int) -> Hashable:
        """The request."""
        return self._visits[place]

    def paint(self, row: Hashable, line: int, width: int) -> Content:
        """The request as a line of ``width`` cells."""
        visit: Visit = row  # type: ignore[assignment]  # its class is imported only where the server is
        status, colour = status_words(visit)
        wide = width >= WITH_WHO
        who = _cell(clean(visit.who) or "–", _WHO) if wide else ""
        speed = words.speed(visit.speed) if visit.speed else ""
        tokens = words.count(visit.tokens) if visit.tokens else ""
        seconds = words.seconds(visit.seconds)
        figures = (
            f"{seconds:>8}{tokens:>8}{speed:>11} " if wide else f"{seconds:>7}{tokens:>6}{speed.replace(' tok', ''):>7}"
        )
        model_room = _MODEL if wide else _MODEL_NARROW
        room = max(12, width - 10 - len(who) - 5 - model_room - 4 - len(figures))
        return Content.assemble(
            (f" {clock_words(visit.at)} ", "$text-muted"),
            (who, "$secondary"),
            (f"{visit.method:<5}", "$text-muted"),
            (_cell(clean(visit.path), room), "$foreground"),
            (_cell(clean(visit.model), model_room), "$text-muted"),
            (f"{status:>3} ", colour),
            (figures, "$text-muted"),
        )


def _cell(text: str, width: int) -> str:
    """``text`` in a column of ``width`` cells, the last of them empty."""
    shown = cut(text, width - 1)
    return shown + " " * (width - cell_len(shown))


def clock_words(at: float) -> str:
    """``14:05:09``, local time."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def status_words(visit: Visit) -> tuple[str, str]:
    """The status and its colour; a mark while there is none."""
    if visit.running:
        return ("▸" if visit.tokens else "…"), "$accent"
    if visit.status == 0:
        return "–", "$text-muted"
    colour = "$text-success" if visit.status < 400 else "$text-warning" if visit.status < 500 else "$text-error"
    return str(visit.status), colour


def visit_words(visit: Visit) -> Content:
    """All that is known of a request, in a line or two."""
    known = [
        clock_words(visit.at),
        clean(visit.who) or "no key",
        f"{visit.method} {clean(visit.path)}",
        clean(visit.model),
        visit.error or (str(visit.status) if visit.status else "not answered yet"),
        words.seconds(visit.seconds),
        words.plural(visit.tokens, "token") if visit.tokens else "",
        words.speed(visit.speed) if visit.speed else "",
        "streamed" if visit.streaming else "",
    ]
    return Content.styled(" · ".join(filter(None, known)), "$text-muted")
