"""How the post was before: a list, what has changed since, and the way back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import ClassVar

from rich.cells import cell_len
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import OptionList, Static

from app.errors import PlaygroundError
from app.privacy.terminal import clean
from app.tui import dates, words
from app.tui.dialogs.dialog import Dialog
from app.tui.dialogs.dialog_lines import key_line
from app.tui.face import Face
from app.vault.posts.records import Post, Revision, RevisionLine

from .hunk_words import hunk_words

_REASONS = {
    "opened": "as it was opened",
    "assist": "before help",
    "replaced": "before replacing",
    "restored": "before going back",
    "editor": "before the editor",
    "saved": "saved",
}


class RevisionsScreen(Dialog[Revision]):
    """The latest first. Its answer is the revision to go back to."""

    HELP = "How the post was before. Green is what has come since, red what has gone. **Enter** goes back to it."
    CSS_PATH: ClassVar[CSSPathType | None] = ["../dialogs/dialogs.tcss", "dialogs.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pagedown,space", "scroll(1)", "Scroll", show=False, priority=True, id="revisions.down"),
        Binding("pageup", "scroll(-1)", "Scroll up", show=False, priority=True, id="revisions.up"),
    ]
    AUTO_FOCUS = "OptionList"

    app = getters.app(Face)

    def __init__(
        self,
        post: Post,
        lines: tuple[RevisionLine, ...],
        read: Callable[[int], Awaitable[Revision]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self._post, self._lines, self._read, self._clock = post, lines, read, clock
        self._shown: Revision | None = None

    def compose(self) -> ComposeResult:
        """The list, and what has changed since."""
        with Vertical(classes="dialog"):
            yield Static(Content("Revisions"), classes="title")
            with Horizontal():
                yield OptionList(*(self._words(line) for line in self._lines), compact=True)
                with VerticalScroll(can_focus=False):
                    yield Static(classes="body")
            yield key_line(("⏎", "go back to it"), ("↑↓", "move"), ("space", "scroll"), ("esc", "leave"))

    def _words(self, line: RevisionLine) -> Content:
        when = dates.ago(line.created_at, self._clock())
        reason = _REASONS.get(line.reason, clean(line.reason))
        gap = " " * max(1, 10 - cell_len(when))
        return Content.assemble((when, "$foreground"), (gap, ""), (reason, "$text-muted"))

    def on_mount(self) -> None:
        """Fits the terminal."""
        self.set_class(self.app.size.width < 100, "-narrow")

    def on_resize(self) -> None:
        """Fits the terminal."""
        self.set_class(self.app.size.width < 100, "-narrow")

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        line = self._lines[event.option_index]
        self.run_worker(self._show(line), group="revision", exclusive=True, exit_on_error=False)

    async def _show(self, line: RevisionLine) -> None:
        from app.writing.diffs import hunks

        try:
            revision = await self._read(line.number)
        except PlaygroundError as error:
            self.app.notify_error(error)
            return
        now, sixteen = self._post, self.has_pseudo_class("ansi")

        def compared() -> list[Content]:
            return [hunk_words(hunk, sixteen=sixteen) for hunk in hunks(revision.body, now.body)]

        changes = await asyncio.to_thread(compared)
        head = [Content.styled(f"{words.plural(len(changes), 'change')} since", "$text-muted")]
        if revision.title != now.title:
            head.append(
                Content.assemble(
                    ("title  ", "$text-muted"), (clean(revision.title) or "untitled", "$text-error"),
                    (" → ", "$text-muted"), (clean(now.title) or "untitled", "$text-success"),
                )
            )  # fmt: skip
        elif not changes:
            head = [Content.styled("The same as now.", "$text-muted")]
        self._shown = revision
        self.query_one(".body", Static).update(Content("\n\n").join([Content("\n").join(head), *changes]))
        self.query_one(VerticalScroll).scroll_home(animate=False)

    def action_scroll(self, step: int) -> None:
        """Scrolls what has changed, while the list keeps the keys."""
        holder = self.query_one(VerticalScroll)
        if step > 0:
            holder.scroll_page_down(animate=False)
        else:
            holder.scroll_page_up(animate=False)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        # Nothing is gone back to that was not looked at.
        if self._shown is not None and self._shown.number == self._lines[event.option_index].number:
            self.dismiss(self._shown)
