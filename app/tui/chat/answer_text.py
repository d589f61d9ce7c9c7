"""An answer's Markdown that stays quick however long it grows."""

from __future__ import annotations

from textual import events
from textual.await_complete import AwaitComplete
from textual.widgets import Markdown, Static
from textual.widgets.markdown import MarkdownBlock

from .growing_list import GrowingBulletList, GrowingOrderedList

LEAST = 4
"""Blocks that are put to rest at once: each time costs a layout."""


class AnswerText(Markdown):
    """Markdown of which the blocks far above the reader rest: they keep their place and cost nothing.

    Every paint lays out every block, at about 0.15 ms each: 50 ms in an answer of 300 paragraphs, during which no key
    is seen. In the place of the resting ones stands one empty widget of the same height, so nothing moves.
    """

    BLOCKS = {  # noqa: RUF012 (declared so by the base class)
        **Markdown.BLOCKS,
        "bullet_list_open": GrowingBulletList,
        "ordered_list_open": GrowingOrderedList,
    }

    def __init__(self, text: str) -> None:
        super().__init__(text, open_links=False)
        self._spacer = Static(classes="resting")
        self._starts: list[int] = []  # of each resting block, in lines
        self._end_of_spacer = 0
        self._width_rested = 0

    @property
    def resting(self) -> int:
        """How many blocks rest."""
        return len(self._starts)

    async def rest_above(self, line: int) -> None:
        """Puts the blocks that end above ``line``, counted from the top of this text, to rest, and wakes the others."""
        blocks = self._blocks_shown()
        starts, ready = self._starts_of(blocks), self.resting
        while ready + 1 < len(starts) and starts[ready + 1] <= line:
            ready += 1
        while ready > 0 and starts[ready] > line:
            ready -= 1
        if ready < self.resting or ready >= self.resting + LEAST:
            await self._rest(blocks, starts, ready)

    def update(self, markdown: str) -> AwaitComplete:
        """Another text instead: nothing of it rests."""
        self._starts = []
        self._end_of_spacer = 0
        self._spacer.display = False
        return super().update(markdown)

    async def on_resize(self, event: events.Resize) -> None:
        """In another width every block has another height."""
        if self.resting and event.size.width != self._width_rested:
            await self._rest(self._blocks_shown(), self._starts, 0)

    def _blocks_shown(self) -> list[MarkdownBlock]:
        return [child for child in self.children if isinstance(child, MarkdownBlock)]

    def _starts_of(self, blocks: list[MarkdownBlock]) -> list[int]:
        """The line at which each block begins, as long as it is known: as a vertical layout counts."""
        starts = list(self._starts)
        place, last = self._end_of_spacer, 0
        for block in blocks[self.resting :]:
            if not block.outer_size.height:
                break
            margin = block.styles.margin
            place += max(last, margin.top)
            starts.append(place)
            place += block.outer_size.height
            last = margin.bottom
        return starts

    async def _rest(self, blocks: list[MarkdownBlock], starts: list[int], count: int) -> None:
        with self.app.batch_update():
            for block in blocks[count : self.resting]:
                block.display = True
            for block in blocks[self.resting : count]:
                block.display = False
            self._starts = starts[:count]
            self._end_of_spacer = starts[count] - blocks[count].styles.margin.top if count else 0
            self._width_rested = self.outer_size.width
            self._spacer.styles.height = self._end_of_spacer
            self._spacer.display = count > 0
            if not self._spacer.is_attached:
                await self.mount(self._spacer, before=0)
