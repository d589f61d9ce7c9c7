"""The row of figures: each is a measure, and the chosen one's bars stand below."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from app.vault.activity.figures import Figures

from .measures import MEASURES

_LEAST_GAP = 1
_MOST_GAP = 8


class Tiles(Widget):
    """Figures side by side; on a narrow screen as many as there is room for, the chosen one among them."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Tiles { height: 3; width: 1fr; background: $background; color: $text-muted; text-wrap: nowrap; }
    """

    class Chosen(Message):
        """One was clicked."""

        def __init__(self, place: int) -> None:
            super().__init__()
            self.place = place

    def __init__(self) -> None:
        super().__init__(id="figures-tiles")
        self._figures = Figures()
        self._chosen = 0

    def show(self, figures: Figures, chosen: int) -> None:
        """Other figures, or another choice: the place of a measure."""
        self._figures, self._chosen = figures, chosen
        self.refresh()

    def render(self) -> Content:
        """Labels, figures, notes."""
        label, figure, note = [], [], []
        for place, width in self._view():
            measure = MEASURES[place]
            chosen = place == self._chosen
            label.append((_cell(measure.label, width), "bold $primary" if chosen else "$text-muted"))
            told = measure.told(self._figures)
            figure.append((_cell(told, width), "bold $primary" if chosen else "bold $foreground"))
            note.append((_cell(measure.note(self._figures), width), "$text-muted"))
        return Content("\n").join(Content.assemble(*pieces) for pieces in (label, figure, note))

    def _view(self) -> list[tuple[int, int]]:
        """Those that there is room for, from left to right: the place of each, and its cells with the gap behind it."""
        room = self.content_size.width + _LEAST_GAP
        first, after = self._chosen, self._chosen + 1
        # Those at the right before those at the left, for as long as they fit.
        while True:
            if after < len(MEASURES) and _cells(first, after + 1) <= room:
                after += 1
            elif first > 0 and _cells(first - 1, after) <= room:
                first -= 1
            else:
                break
        shown = range(first, after)
        left = self.content_size.width - sum(MEASURES[one].width for one in shown)
        gap = max(_LEAST_GAP, min(_MOST_GAP, left // max(1, len(shown) - 1)))
        return [(place, MEASURES[place].width + (gap if place < after - 1 else 0)) for place in shown]

    def on_click(self, event: events.Click) -> None:
        """Tells which one lies under the pointer."""
        reached = 0
        for place, width in self._view():
            reached += width
            if event.x < reached:
                self.post_message(self.Chosen(place))
                return


def _cells(first: int, after: int) -> int:
    """What those from ``first`` until before ``after`` need, a gap behind each."""
    return sum(MEASURES[place].width + _LEAST_GAP for place in range(first, after))


def _cell(text: str, width: int) -> str:
    return text[:width].ljust(width)
