"""A screen of several models that answer side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from textual import events, getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Static

from app.errors import PlaygroundError
from app.privacy.terminal import clean
from app.tui import words
from app.tui.dialogs.dialog import Dialog
from app.tui.face import Face
from app.tui.later import Later

from .lane_view import LaneView

Answer = TypeVar("Answer")

_LEAST_COLUMN = 30
"""Cells in which a column can be read; in less the lanes lie below each other."""


class LanesScreen(Dialog[Answer]):
    """Begins as soon as it is shown; leaving it stops every model.

    Args:
        title: what is done.
        question: what is asked.
        models: who answers, from left to right.
    """

    CSS_PATH: ClassVar[CSSPathType | None] = ["../dialogs/dialogs.tcss", "lab.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "Copy", id="lab.copy"),
        Binding("right", "app.focus_next", "Next", show=False, id="lab.next"),
        Binding("left", "app.focus_previous", "Before", show=False, id="lab.previous"),
    ]

    app = getters.app(Face)

    def __init__(self, title: str, question: str, models: Sequence[str]) -> None:
        super().__init__()
        self._title, self._question = title, question
        self.views = {model: LaneView(model) for model in models}
        self.running = True

    def compose(self) -> ComposeResult:
        """The question, the lanes, the keys."""
        with Vertical(classes="dialog lanes"):
            asked = words.cut(" ".join(clean(self._question).split()), 200)
            yield Static(
                Content.assemble((self._title, "bold $primary"), (f"  {asked}", "not bold $text-muted")),
                classes="title",
            )
            with Container(classes="beside"):
                yield from self.views.values()
            yield from self.below()
            yield Static(classes="hint")

    def on_mount(self) -> None:
        """Asks."""
        self._say_keys()
        self.run_worker(Later(self._run), group="lab", exclusive=True, exit_on_error=False)

    def on_resize(self, event: events.Resize) -> None:
        """Columns where there is room for them."""
        self.set_class(event.size.width < _LEAST_COLUMN * len(self.views) + 6, "-stacked")

    async def _run(self) -> None:
        try:
            await self.run_lanes()
        except PlaygroundError as error:
            self.app.notify_error(error)
        except Exception as error:  # noqa: BLE001 (the boundary that reports)
            self.app.report_fault(error)
            self.dismiss(None)
            return
        self.running = False
        for view in self.query(LaneView):
            await view.end()
        self._say_keys()

    def _say_keys(self) -> None:
        keys = [*(() if self.running else self.keys()), ("c", "copy"), ("⇥", "next model")]
        keys.append(("esc", "stop and leave" if self.running else "leave"))
        hint = [piece for key, does in keys for piece in ((key, "bold $primary"), f" {does}   ")]
        self.query_one(".hint", Static).update(Content.assemble(*hint))
        self.refresh_bindings()

    @property
    def chosen(self) -> LaneView | None:
        """The lane that has the keys."""
        focused = self.focused
        found = focused.parent if isinstance(focused, VerticalScroll) else None
        return found if isinstance(found, LaneView) else None

    def action_copy(self) -> None:
        """Copies what the chosen one said last."""
        view = self.chosen or next(iter(self.views.values()))
        if view.text:
            self.app.copy_to_clipboard(view.text)
            self.app.notify(f"What {clean(view.model)} said is copied.", timeout=2, markup=False)

    # For subclasses

    async def run_lanes(self) -> None:
        """Asks them all, and shows what they say."""
        raise NotImplementedError

    def below(self) -> ComposeResult:
        """What stands below the lanes."""
        yield from ()

    def keys(self) -> list[tuple[str, str]]:
        """What can be done once all is said."""
        return []
