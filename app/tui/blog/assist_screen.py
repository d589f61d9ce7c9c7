"""What the screens share on which a model's help arrives."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import ClassVar, TypeVar

from msgspec import Struct
from textual import getters
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Static

from app.errors import PlaygroundError
from app.messages import Failure
from app.privacy.terminal import clean
from app.tui import words
from app.tui.dialogs.dialog import Dialog
from app.tui.error_card import failure_words
from app.tui.face import Face
from app.writing.assistant import AssistEvent, Ended, Progress, Proposed

Answer = TypeVar("Answer")


class Job(Struct, frozen=True):
    """Help that is asked for.

    Attributes:
        title: of the screen: what is done.
        about: to what, by whom.
        old: the text that it is done to.
        run: asks; each call anew.
        whole: makes the whole new text of what the model proposes.
    """

    title: str
    about: str
    old: str
    run: Callable[[], AsyncGenerator[AssistEvent, None]]
    whole: Callable[[str], str] = str


class AssistScreen(Dialog[Answer]):
    """Asks as soon as it is shown; leaving it stops the model."""

    CSS_PATH: ClassVar[CSSPathType | None] = ["../dialogs/dialogs.tcss", "dialogs.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [Binding("t", "again", "Try again", id="assist.again")]

    app = getters.app(Face)

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job
        self.running = True
        self.failure: Failure | None = None
        self._progress = Progress(0, 1)

    def head(self) -> Static:
        """The line on top, for ``compose``."""
        return Static(classes="title")

    def wrong(self) -> Static:
        """The place of an error, for ``compose``."""
        return Static(classes="wrong")

    def hint(self) -> Static:
        """The line of keys, for ``compose``."""
        return Static(classes="hint")

    def on_mount(self) -> None:
        """Asks."""
        self._begin()

    def _begin(self) -> None:
        self.running, self.failure, self._progress = True, None, Progress(0, 1)
        self._show_state()
        self.run_worker(self._run(), group="assist", exclusive=True, exit_on_error=False)

    def action_again(self) -> None:
        """Asks once more."""
        self._begin()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only keys that would do something now."""
        return not (action == "again" and self.running)

    async def _run(self) -> None:
        try:
            async with aclosing(self.job.run()) as events:
                async for event in events:
                    if isinstance(event, Progress):
                        self._progress = event
                        await self.part_done()
                        self._show_state()
                    elif isinstance(event, Proposed):
                        await self.proposed(clean(event.text), event.rest)
                    elif isinstance(event, Ended):
                        self.running = False
                        cleaned = Ended(clean(event.text), tuple(clean(choice) for choice in event.choices))
                        await self.ended(cleaned)
        except PlaygroundError as error:
            self.running = False
            self.failure = Failure.of(error)
            await self.failed()
        except Exception as error:  # noqa: BLE001 (the boundary that reports)
            self.running = False
            self.app.report_fault(error)
            self.dismiss(None)
            return
        self.running = False
        self._show_state()

    @property
    def sixteen(self) -> bool:
        """Whether the terminal's own sixteen colours are used."""
        return self.has_pseudo_class("ansi")

    # For subclasses

    async def part_done(self) -> None:
        """A part of the text is done; what was proposed so far is whole."""

    async def proposed(self, text: str, rest: str) -> None:
        """The model proposes this so far, and has not come to the rest."""

    async def ended(self, result: Ended) -> None:
        """There is a result."""

    async def failed(self) -> None:
        """The model could not answer; ``failure`` says why."""

    def keys(self) -> list[tuple[str, str]]:
        """The keys of the line below, and what they do."""
        return []

    # What is shown

    def _show_state(self) -> None:
        if not self.is_mounted:
            return
        done, total = self._progress.done, self._progress.total
        pieces = [(self.job.title, "bold $primary"), (f"  {self.job.about}", "not bold $text-muted")]
        if self.running:
            part = f"part {min(done + 1, total)} of {total} " if total > 1 else "writing … "
            pieces += [("   ", ""), (part, "$accent")]
            if total > 1 and self.app.size.width >= 100:
                pieces.append((words.bar(done / total, 10), "$primary on $panel"))
        self.query_one(".title", Static).update(Content.assemble(*pieces))
        wrong = self.query_one(".wrong", Static)
        wrong.display = self.failure is not None
        if self.failure is not None:
            wrong.update(failure_words(self.failure))
        keys = [("esc", "stop and leave")] if self.running else [*self.keys(), ("esc", "leave")]
        if not self.running:
            keys.insert(-1, ("t", "again"))
        hint = [piece for key, does in keys for piece in ((key, "bold $primary"), (f" {does}   ", ""))]
        self.query_one(".hint", Static).update(Content.assemble(*hint))
        self.refresh_bindings()
