"""The models and what each of them did, one a line."""

from __future__ import annotations

from collections.abc import Hashable

from msgspec import Struct
from rich.cells import cell_len
from textual.content import Content

from app.privacy.terminal import clean
from app.tui.row_list import RowList
from app.tui.words import cut
from app.vault.activity.figures import Figures, Overview

from . import amounts
from .colours import Colours

_LEAST_NAME = 14


class _Column(Struct, frozen=True):
    title: str
    width: int


_COLUMNS = (
    _Column("requests", 9),
    _Column("tokens", 9),
    _Column("tok/s", 7),
    _Column("first", 8),
    _Column("latency", 9),
    _Column("cache", 7),
    _Column("cost", 10),
)
_GIVEN_UP_FIRST = (5, 4, 3, 0, 2, 6)
"""Which columns go where there is no room for them."""


class _Row(Struct, frozen=True):
    model: str
    colour: str
    told: tuple[str, ...]
    alone: bool


def columns(width: int) -> tuple[int, ...]:
    """The columns that there is room for beside a name."""
    shown = list(range(len(_COLUMNS)))
    for place in _GIVEN_UP_FIRST:
        if 4 + _LEAST_NAME + sum(_COLUMNS[one].width for one in shown) <= width:
            break
        shown.remove(place)
    return tuple(shown)


def head_words(width: int) -> Content:
    """What stands above the columns of a table of ``width`` cells."""
    shown = columns(width)
    name = width - 1 - sum(_COLUMNS[place].width for place in shown)
    told = "".join(f"{_COLUMNS[place].title:>{_COLUMNS[place].width}}" for place in shown)
    return Content.styled(f"   {'model':<{max(0, name - 3)}}{told}", "$text-muted")


class ModelTable(RowList):
    """The one with the most tokens first; the chosen one can be looked at alone."""

    def __init__(self, colours: Colours) -> None:
        super().__init__(id="figures-models")
        self._colours = colours
        self._models: list[tuple[str, Figures]] = []
        self._only: str | None = None

    @property
    def model(self) -> str | None:
        """The chosen one."""
        return self._models[self.chosen][0] if self.chosen < len(self._models) else None

    def show_models(self, overview: Overview | None, only: str | None) -> None:
        """Other figures; the choice stays with its model."""
        before = self.model
        self._models, self._only = list(overview.models.items()) if overview is not None else [], only
        place = next((place for place, (model, _) in enumerate(self._models) if model == before), 0)
        self.show(len(self._models), place)

    def row(self, place: int) -> Hashable:
        """What of a model stands in the table."""
        model, of = self._models[place]
        told = (
            amounts.short(of.sums.requests),
            amounts.short(of.sums.tokens),
            amounts.speed(of.times.speed),
            amounts.seconds(of.times.first_token),
            amounts.seconds(of.times.latency),
            amounts.short(of.sums.given_again) if of.sums.given_again else amounts.NONE,
            amounts.cost(of.sums),
        )
        colour = self._colours.of(model, self.app.theme_variables, ansi=self.app.current_theme.ansi)
        return _Row(clean(model), colour, told, model == self._only)

    def on_bar(self, row: Hashable, words: Content) -> Content:
        """The mark keeps its colour; of the sixteen, one could be the bar's."""
        assert isinstance(row, _Row)
        plain = super().on_bar(row, words)
        return plain if self.app.current_theme.ansi else plain.stylize(row.colour, 0, 2)

    def paint(self, row: Hashable, line: int, width: int) -> Content:
        """The model as a line of ``width`` cells."""
        assert isinstance(row, _Row)
        shown = columns(width)
        room = max(1, width - 4 - sum(_COLUMNS[place].width for place in shown))
        name = cut(row.model, room - 1)
        told = "".join(f"{row.told[place]:>{_COLUMNS[place].width}}" for place in shown)
        return Content.assemble(
            (" ▶ " if row.alone else " ■ ", row.colour),
            (name + " " * (room - cell_len(name)), "$foreground"),
            (f"{told} ", "$text-muted"),
        )
