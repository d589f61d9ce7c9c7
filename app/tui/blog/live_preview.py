"""How the post will look, beside it: follows what is typed without ever making a key wait."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.worker import WorkType

from app.privacy.terminal import clean

from .blocks import Block, blocks
from .painted_markdown import MarkdownPainter

_KEPT = 4_000
"""Painted pieces that are kept at most."""


class LivePreview(ScrollView, can_focus=False):
    """The whole post, painted piece by piece in a thread; pieces that did not change are not painted again.

    It takes the keys only while it stands in the text's place, to be scrolled: letters change nothing then.
    """

    HELP = "How the post will look. The arrows and page keys scroll; **Enter** goes back to the text."

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f4,enter", "to_text", "Text", id="preview.to_text")]

    class TextWanted(Message):
        """The person wants to write on."""

    DEFAULT_CSS = """
    LivePreview {
        width: 1fr; height: 1fr; padding: 0 1 0 2; margin: 0 0 0 1; border-left: solid $border-blurred;
        background: $background; color: $foreground; overflow-x: hidden; scrollbar-size-vertical: 1;
    }
    """

    def __init__(self) -> None:
        super().__init__(id="post-preview")
        self._painted: dict[tuple[str, int], tuple[Strip, ...]] = {}
        self._lines: list[Strip] = []
        self._tops: list[int] = []
        self._blocks: tuple[Block, ...] = ()
        self._text, self._line = "", 0
        self._painter: MarkdownPainter | None = None

    def action_to_text(self) -> None:
        """Asks for the text."""
        self.post_message(self.TextWanted())

    def show(self, markdown: str, line: int) -> None:
        """Shows the text, with what its line ``line`` became in view."""
        self._text, self._line = markdown, line
        work: WorkType[None] = self._follow
        self.run_worker(work, group="preview", exclusive=True, exit_on_error=False)

    def follow(self, line: int) -> None:
        """The cursor is on another line."""
        self._line = line
        self._reveal()

    def forget(self) -> None:
        """Shows nothing, and keeps nothing of what was shown."""
        self.workers.cancel_group(self, "preview")
        self._painted.clear()
        self._lines, self._tops, self._blocks, self._text = [], [], (), ""
        self.virtual_size = Size(0, 0)
        self.refresh()

    async def _follow(self) -> None:
        width = self.scrollable_content_region.width
        if not width or not self.display:
            return
        if self._painter is None:
            self._painter = MarkdownPainter(self.app.theme_variables)
        painter, text = self._painter, self._text

        def paint() -> tuple[tuple[Block, ...], dict[tuple[str, int], tuple[Strip, ...]]]:
            found = blocks(clean(text))
            missing = {block.text for block in found if (block.text, width) not in self._painted}
            return found, {(piece, width): painter.lines(piece, width) for piece in missing}

        found, painted = await asyncio.to_thread(paint)
        if len(self._painted) > _KEPT:
            self._painted = {key: kept for key, kept in self._painted.items() if key[1] == width}
        self._painted |= painted
        self._blocks = found
        self._lines, self._tops = [], []
        for block in found:
            if self._lines:
                self._lines.append(Strip([]))
            self._tops.append(len(self._lines))
            self._lines += _trimmed(self._painted.get((block.text, width), ()))
        self.virtual_size = Size(width, len(self._lines))
        self._reveal()
        self.refresh()

    def _reveal(self) -> None:
        """Scrolls as little as needed to have the piece at the cursor in view."""
        if not self._blocks:
            return
        place = max(0, bisect_right([block.line for block in self._blocks], self._line) - 1)
        top = self._tops[place]
        end = self._tops[place + 1] if place + 1 < len(self._tops) else len(self._lines)
        offset, height = self.scroll_offset.y, self.scrollable_content_region.height
        if top < offset or end - top >= height:
            self.scroll_to(y=top, animate=False, force=True)
        elif end > offset + height:
            self.scroll_to(y=end - height, animate=False, force=True)

    def on_resize(self) -> None:
        """In another width every line is another."""
        self.show(self._text, self._line)

    def notify_style_update(self) -> None:
        """The colours changed."""
        super().notify_style_update()
        self._painter = None
        self._painted.clear()
        if self.is_mounted and self._text:
            self.show(self._text, self._line)

    def render_line(self, y: int) -> Strip:
        """A line of the view."""
        width = self.scrollable_content_region.width
        place = self.scroll_offset.y + y
        style = self.rich_style
        if place >= len(self._lines):
            return Strip.blank(width, style)
        return self._lines[place].adjust_cell_length(width).apply_style(style)


def _trimmed(lines: tuple[Strip, ...]) -> list[Strip]:
    """Without the empty lines at both ends, which some elements bring along."""
    kept = list(lines)
    while kept and not kept[0].text.strip():
        kept.pop(0)
    while kept and not kept[-1].text.strip():
        kept.pop()
    return kept
