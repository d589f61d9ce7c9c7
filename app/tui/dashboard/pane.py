"""The Dashboard pane."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from app.errors import VaultLockedError
from app.tui.pane import Pane
from app.tui.row_list import RowList
from app.vault.activity.figures import Figures, Overview
from app.vault.activity.periods import SPANS, Periods, Span, periods

from .colours import Colours
from .empty import empty_words, nothing_then
from .headings import SPAN_TITLES, bars_words, span_words
from .measures import MEASURES, Measure
from .model_table import ModelTable, head_words
from .plot import Plot
from .tiles import Tiles

if TYPE_CHECKING:
    from app.vault.vault import Vault

LOOK_EVERY = 2.0
"""Seconds between looks at whether something new was counted: one step in an index each."""

_REST = 10
"""What is new waits this many times as long as reading took, so that figures take no more than a tenth of a core."""


class DashboardPane(Pane, can_focus=True):
    """Figures, the chosen one over time, and the models: all of one span of time."""

    HELP = """\
What models did for you: in the chat (they make its titles and summaries, too), for commands, and for programs that use
the server. **←** and **→** choose the figure that is drawn over time; **d**, **w**, **m** and **a** how far back it
goes. **Enter** looks at the chosen model alone.

Speed and times are medians of whole answers; 95 of 100 took no longer than p95. *From cache* counts answers that had
been given before; *reuse* is the part of the prompts that needed no work, because it was worked on already. A model of
this machine costs nothing; *no price* is one elsewhere whose price is not in the catalogue.
"""

    DEFAULT_CSS = """
    DashboardPane { height: 1fr; width: 1fr; padding: 1 1 0 1; background: $background; }
    DashboardPane > #figures-head { height: 1; margin: 0 1 1 1; }
    DashboardPane > #figures-tiles { margin: 0 0 1 1; }
    DashboardPane > #figures-title {
        height: 1; margin: 0 1; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis;
    }
    DashboardPane > #figures-plot { margin: 0 0 1 1; }
    DashboardPane > #figures-columns { height: 1; color: $text-muted; }
    DashboardPane > #figures-models { height: auto; max-height: 20%; min-height: 1; scrollbar-gutter: stable; }
    DashboardPane > #figures-empty { display: none; height: 1fr; align: center middle; }
    DashboardPane > #figures-empty > Static { width: 100%; max-width: 68; height: auto; text-align: center; }
    DashboardPane.-nothing > * { display: none; }
    DashboardPane.-nothing > #figures-empty { display: block; }
    .-short DashboardPane { padding: 0 1; }
    .-short DashboardPane > #figures-columns, .-short DashboardPane > #figures-models { display: none; }
    .-short DashboardPane > #figures-head, .-short DashboardPane > #figures-tiles { margin: 0 0 0 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        # Before the table, which would scroll.
        Binding("left", "measure(-1)", "Figure before", show=False, priority=True, id="dashboard.left"),
        Binding("right", "measure(1)", "Figure", key_display="← →", priority=True, id="dashboard.right"),
        Binding("d", "span('day')", "24 hours", id="dashboard.day"),
        Binding("w", "span('week')", "7 days", id="dashboard.week"),
        Binding("m", "span('month')", "30 days", id="dashboard.month"),
        Binding("a", "span('all')", "All time", id="dashboard.all"),
        Binding("enter", "only", "Alone", id="dashboard.only"),
        Binding("escape", "everything", "All models", key_display="esc", id="dashboard.everything"),
    ]

    def __init__(self, vault: Vault, clock: Callable[[], float] = time.time) -> None:
        super().__init__(id="dashboard")
        self._vault, self._clock = vault, clock
        self._colours = Colours()
        self._span: Span = "week"
        self._measure = 1
        self._only: str | None = None
        self._overview: Overview | None = None
        self._shown: tuple[int, Span, Periods] | None = None
        """What stands on the screen: up to which row, which span, and in which periods."""
        self._anything = True
        self._wake = asyncio.Event()
        self._rests_until = 0.0

    def compose(self) -> ComposeResult:
        """The span, the figures, the bars, the models; or why there are none."""
        yield Static(id="figures-head")
        yield Tiles()
        yield Static(id="figures-title")
        yield Plot(self._colours)
        yield Static(id="figures-columns")
        yield ModelTable(self._colours)
        with Vertical(id="figures-empty"):
            yield Static(id="figures-why")

    def on_mount(self) -> None:
        """Reads, and goes on reading."""
        self._show()
        self.do(self._keep_up(), "figures")
        self.set_interval(LOOK_EVERY, self._look)

    def shown(self) -> None:
        """Reads again."""
        self._wake.set()

    def take_focus(self) -> None:
        """Puts the keys to the models; where there are none, keeps them itself, so that help is about this."""
        (self if self.has_class("-nothing") else self.query_one(ModelTable)).focus()

    def on_resize(self) -> None:
        """The columns are those that there is room for."""
        self._show()

    async def vault_opened(self, vault: Vault) -> None:
        """Reads what is there."""
        self._wake.set()

    async def vault_closing(self) -> None:
        """Forgets what was read."""
        self._overview, self._shown, self._only, self._anything = None, None, None, True
        self._colours.forget()
        self._show()
        self.query_one(ModelTable).forget()

    def session_changed(self) -> None:
        """An answer ended in the chat."""
        self._look()

    # Reading

    def _look(self) -> None:
        if self.display and self._vault.state == "open" and time.monotonic() >= self._rests_until:
            self._wake.set()

    async def _keep_up(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            began = time.monotonic()
            try:
                await self._read()
            except VaultLockedError:
                # It was locked meanwhile; what was read before is forgotten already.
                continue
            now = time.monotonic()
            self._rests_until = now + _REST * (now - began)

    async def _read(self) -> None:
        figures = self._vault.figures
        span = self._span
        last = await figures.last()
        first = await figures.first_at() if span == "all" or not last else None
        wanted = periods(span, self._clock(), first=first)
        if self._shown == (last, span, wanted):
            return
        overview = await figures.overview(wanted.edges)
        if self._vault.state != "open" or span != self._span:
            return
        self._overview, self._shown, self._anything = overview, (last, span, wanted), last > 0
        self._colours.assign(overview.models)
        self._show()

    # Showing

    @property
    def measure(self) -> Measure:
        """What the bars show."""
        return MEASURES[self._measure]

    @property
    def _figures(self) -> Figures:
        if self._overview is None:
            return Figures()
        return self._overview.whole if self._only is None else self._overview.models.get(self._only, Figures())

    def _show(self) -> None:
        if not self.is_mounted:
            return
        overview = self._overview
        nothing = self._vault.state != "open" or not self._anything
        self.set_class(nothing, "-nothing")
        if self.display and self.screen.focused in (None, self, self.query_one(ModelTable)):
            self.take_focus()
        if nothing:
            words = empty_words(locked=self._vault.state != "open", key_of=self._key)
            self.query_one("#figures-why", Static).update(words)
        _, span, shown = self._shown or (0, self._span, None)
        self.query_one("#figures-head", Static).update(span_words(span, self._only))
        self.query_one(Tiles).show(self._figures, self._measure)
        unit = shown.unit if shown is not None else "day"
        title = Content("") if overview is None else bars_words(overview, unit, self.measure, self._only)
        self.query_one("#figures-title", Static).update(title)
        self.query_one(Plot).show(overview, unit, self.measure, self._only)
        self.query_one(ModelTable).show_models(overview, self._only)
        self.query_one("#figures-columns", Static).update(head_words(self.content_size.width - 1))
        self.query_one(ModelTable).say_instead(None if overview is None else nothing_then(span, self._key))
        self.refresh_bindings()

    def _key(self, name: str) -> str:
        return self.app.key_of(self, name)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only keys that would do something now."""
        if not self.is_mounted:
            return True
        if self.has_class("-nothing"):
            return action not in ("measure", "span", "only", "everything")
        if action == "span":
            return self._span not in parameters
        if action == "only":
            model = self.query_one(ModelTable).model
            return model is not None and model != self._only
        if action == "everything":
            return self._only is not None
        return True

    # Actions

    def action_measure(self, step: int) -> None:
        """Draws the next figure, or the one before."""
        self._measure = (self._measure + step) % len(MEASURES)
        self._show()

    def action_span(self, span: Span) -> None:
        """Looks so far back."""
        self._span = span
        self._wake.set()
        self.refresh_bindings()

    def action_only(self) -> None:
        """Looks at the chosen model alone."""
        self._only = self.query_one(ModelTable).model
        self._show()

    def action_everything(self) -> None:
        """Looks at all models."""
        self._only = None
        self._show()

    @on(Tiles.Chosen)
    def _tile_chosen(self, event: Tiles.Chosen) -> None:
        event.stop()
        self._measure = event.place
        self._show()

    @on(RowList.Taken)
    def _model_taken(self, event: RowList.Taken) -> None:
        event.stop()
        if self.query_one(ModelTable).model == self._only:
            self.action_everything()
        else:
            self.action_only()

    @on(RowList.Moved)
    def _moved(self, event: RowList.Moved) -> None:
        event.stop()
        self.refresh_bindings()

    def commands(self) -> Iterable[SystemCommand]:
        """Spans and figures, for the palette."""
        if self.has_class("-nothing"):
            return
        for span in SPANS:
            if span != self._span:
                yield SystemCommand(
                    f"Dashboard: {SPAN_TITLES[span].lower()}", "Look so far back.", partial(self.action_span, span)
                )
        for place, measure in enumerate(MEASURES):
            if place != self._measure:
                yield SystemCommand(
                    f"Dashboard: {measure.label}",
                    f"{measure.title}, over time.",
                    partial(self.action_measure, place - self._measure),
                )
