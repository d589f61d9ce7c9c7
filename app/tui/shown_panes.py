"""Which pane is in front, and those that were there before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from textual.app import App
from textual.containers import Container

from .bars.tabs import TabBar
from .pane import Pane
from .panes import PANES, Parts


class ShownPanes:
    """Shows one pane of ``PANES`` at a time. Those that were shown once can be gone through.

    Args:
        app: on whose first screen they are.
        parts: gives what a pane that is shown for the first time is made of.
    """

    def __init__(self, app: App[Any], parts: Callable[[], Parts]) -> None:
        self._app, self._parts = app, parts

    def __iter__(self) -> Iterator[Pane]:
        """Also while a dialog lies over them; none while the interface closes."""
        for screen in self._app.screen_stack[:1]:
            yield from screen.query("#panes > Pane").results(Pane)

    def in_front(self, names: tuple[object, ...]) -> bool:
        """Whether the pane that is shown is one of these."""
        return any(bar.current in names for bar in self._app.query_children(TabBar))

    async def show(self, name: str) -> None:
        """Shows a pane; one that was never shown is made now. Under a dialog nothing changes."""
        app = self._app
        if len(app.screen_stack) > 1:
            return
        holder = app.query_one("#panes", Container)
        entry = next(entry for entry in PANES if entry.name == name)
        if entry.make is not None and not app.query(f"#{name}"):
            await holder.mount(entry.make(self._parts()))
        for child in holder.children:
            child.display = child.id == name
        app.query_one(TabBar).current = name
        app.refresh_bindings()
        front = app.query_one(f"#{name}", Pane)
        front.shown()
        front.take_focus()
