"""Which pane is in front, and what all of them are told."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widget import Widget

from .bars.tabs import TabBar
from .face import Face
from .pane import Pane
from .panes import PANES, Parts


class SwitchingFace(Face):
    """Shows one pane of ``PANES`` at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # Not in the line of keys: the tabs name them.
        Binding(entry.key, f"pane('{entry.name}')", entry.title, show=False, priority=True, id=f"app.{entry.name}")
        for entry in PANES
    ]

    @abstractmethod
    def parts(self) -> Parts:
        """What a pane that is shown for the first time is made of."""

    def panes(self) -> Iterator[Pane]:
        """Those that were shown once; none while the interface closes."""
        for pane in self.below("#panes > Pane"):
            if isinstance(pane, Pane):
                yield pane

    def below(self, selector: str) -> Iterator[Widget]:
        """What there is on the first screen, also while a dialog lies over it; nothing while the interface closes."""
        for screen in self.screen_stack[:1]:
            yield from screen.query(selector)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The key of the pane that is shown is not offered."""
        if action == "pane":
            return all(bar.current not in parameters for bar in self.query(TabBar))
        return True

    @on(TabBar.Chosen)
    async def _tab_chosen(self, event: TabBar.Chosen) -> None:
        await self.action_pane(event.pane)

    async def action_pane(self, pane: str) -> None:
        """Shows a pane; one that was never shown is made now."""
        if len(self.screen_stack) > 1:
            return
        holder = self.query_one("#panes", Container)
        entry = next(entry for entry in PANES if entry.name == pane)
        if entry.make is not None and not self.query(f"#{pane}"):
            await holder.mount(entry.make(self.parts()))
        for child in holder.children:
            child.display = child.id == pane
        self.query_one(TabBar).current = pane
        self.refresh_bindings()
        front = self.query_one(f"#{pane}", Pane)
        front.shown()
        front.take_focus()
