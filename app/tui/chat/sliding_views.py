"""The messages that exist as widgets: a window over the conversation that slides with the reader."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from textual.containers import VerticalScroll
from textual.widget import Widget

from app.messages import Node

if TYPE_CHECKING:
    from .message_view import MessageView

FIRST = 6
"""Messages mounted when a conversation opens, and while an answer streams: each mounted one is laid out with every
piece that arrives, about 1 ms for ten blocks."""

STEP = 6
"""Messages mounted at once when the reader comes near an edge."""

MOST = 30
"""Messages mounted at most; beyond, those farthest from the reader are let go."""

FILL_AFTER = 0.05
"""Seconds after the first paint at which more than it shows is mounted."""

NEAR = 6
"""Lines from an edge at which more is mounted."""


class SlidingViews:
    """At most ``MOST`` messages, in one piece; what is seen of them never moves when others come or go.

    Args:
        scroll: they are mounted in it.
        path: gives the messages of the conversation, as it is now.
        make: the widget of a message.
        following: whether the reader is at the end.
        changed: called when other messages are mounted.

    Attributes:
        messages: those that the last ``show`` was told of, mounted or not.
        views: those that are mounted.
        first: the place of the first view's message.
    """

    def __init__(
        self,
        scroll: VerticalScroll,
        path: Callable[[], tuple[Node, ...]],
        make: Callable[[Node], MessageView],
        following: Callable[[], bool],
        changed: Callable[[], None],
    ) -> None:
        self._scroll = scroll
        self._path = path
        self._make = make
        self._following = following
        self._changed = changed
        self._sliding = asyncio.Lock()
        self.messages: tuple[Node, ...] = ()
        self.views: list[MessageView] = []
        self.first = 0

    @property
    def moving(self) -> bool:
        """Whether views are being mounted or let go."""
        return self._sliding.locked()

    @property
    def at_end(self) -> bool:
        """Whether the last message is mounted."""
        return self._last >= len(self.messages)

    @property
    def _last(self) -> int:
        return self.first + len(self.views)

    def of(self, node_id: str) -> MessageView | None:
        """The widget of a message, when it is mounted."""
        return next((view for view in self.views if view.node.id == node_id), None)

    async def show(self) -> None:
        """Brings the views in line with the conversation; unchanged messages keep theirs."""
        async with self._sliding:
            nodes, known, last = self._path(), self.messages, self._last
            same = _common(known, nodes)
            self.messages = nodes
            kept = min(same, last) - self.first
            reachable = kept > 0 and (same < last or last == len(known)) and len(nodes) - self.first - kept <= MOST
            with self._scroll.app.batch_update():
                if reachable:
                    gone, self.views = self.views[kept:], self.views[:kept]
                    if gone:
                        await self._scroll.remove_children(gone)
                    await self._mount(self.first + kept, len(nodes))
                else:
                    await self._show_end()
                await self._let_go_above(self._enough(1) if self._following() else MOST)
            self._changed()

    async def to_end(self) -> None:
        """Mounts the last messages in place of those that are."""
        async with self._sliding:
            with self._scroll.app.batch_update():
                await self._show_end()

    async def to(self, node_id: str) -> None:
        """Mounts a message and some below it, when it is not mounted."""
        if self.of(node_id) is not None:
            return
        async with self._sliding:
            place = next((place for place, node in enumerate(self.messages) if node.id == node_id), None)
            if place is not None:
                with self._scroll.app.batch_update():
                    await self._show_from(max(0, place - 1), FIRST)

    async def renew(self, node: Node) -> None:
        """Builds the view of a message again, when it is mounted."""
        view = self.of(node.id)
        if view is None:
            return
        fresh = self._make(node)
        self.views[self.views.index(view)] = fresh
        with self._scroll.app.batch_update():
            await self._scroll.mount(fresh, after=view)
            await view.remove()

    def scrolled(self, old: float, new: float) -> None:
        """Mounts more when the reader comes near an edge."""
        if self.moving:
            return
        if new <= NEAR and new < old and self.first > 0:
            self._scroll.call_later(self._slide, -1)
        elif new >= self._scroll.max_scroll_y - NEAR and new > old and not self.at_end:
            self._scroll.call_later(self._slide, 1)

    async def _slide(self, direction: int) -> None:
        async with self._sliding:
            with self._scroll.app.batch_update():
                if direction < 0 and self.first > 0 and self._scroll.scroll_y <= NEAR:
                    await self._mount_above(STEP)
                    gone, self.views = self.views[MOST:], self.views[:MOST]
                    if gone:
                        await self._scroll.remove_children(gone)
                elif direction > 0:
                    await self._mount(self._last, self._last + STEP)
                    await self._let_go_above(MOST)
            self._changed()

    async def _show_end(self) -> None:
        enough = self._enough(1)
        await self._show_from(len(self.messages) - enough, enough)
        self._scroll.set_timer(FILL_AFTER, self._fill)

    async def _fill(self) -> None:
        """What is above the first view is there before it is asked for."""
        async with self._sliding:
            missing = self._enough(2) - len(self.views)
            if missing > 0 and self.first > 0 and self.views:
                with self._scroll.app.batch_update():
                    await self._mount_above(missing)
                self._changed()

    def _enough(self, views: int) -> int:
        """How many of the last messages are surely higher than so many times the view, and can be scrolled in it."""
        # It has no size before it was shown for the first time.
        width, height = self._scroll.size or self._scroll.app.size
        wanted = views * height + 2 * NEAR
        lines = count = 0
        for node in reversed(self.messages[-MOST:]):
            if count >= FIRST and lines >= wanted:
                break
            # A line for the footer or the frame, one between messages; Markdown joins lines, so breaks do not count.
            lines += 2 + len(node.message.text) // max(1, width)
            count += 1
        return count

    async def _show_from(self, start: int, count: int) -> None:
        gone, self.views = self.views, []
        if gone:
            await self._scroll.remove_children(gone)
        self.first = start
        await self._mount(start, start + count)

    async def _mount(self, start: int, end: int) -> None:
        fresh = [self._make(node) for node in self.messages[start:end]]
        if fresh:
            self.views += fresh
            await self._scroll.mount_all(fresh)

    async def _mount_above(self, count: int) -> None:
        start = max(0, self.first - count)
        fresh = [self._make(node) for node in self.messages[start : self.first]]
        await self._keeping(self.views[0], lambda: self._scroll.mount_all(fresh, before=0))
        self.views[:0] = fresh
        self.first = start

    async def _let_go_above(self, most: int) -> None:
        surplus = len(self.views) - most
        if surplus <= 0:
            return
        gone, self.views = self.views[:surplus], self.views[surplus:]
        self.first += surplus
        await self._keeping(self.views[0], lambda: self._scroll.remove_children(gone))

    async def _keeping(self, anchor: Widget, change: Callable[[], Awaitable[object]]) -> None:
        """Makes a change above ``anchor`` and moves the scroll position by as much, all before the next paint."""
        scroll, before = self._scroll, anchor.virtual_region.y
        await change()
        scroll.screen._refresh_layout()
        moved = anchor.virtual_region.y - before
        if moved and not (scroll.is_anchored and self._following()):
            place = scroll.scroll_y + moved
            scroll.set_scroll(None, place)
            scroll.scroll_target_y = place
            if scroll.show_vertical_scrollbar:
                scroll.vertical_scrollbar.position = place
            scroll.refresh(layout=True)


def _common(first: Sequence[Node], second: Sequence[Node]) -> int:
    """How many messages both begin with."""
    count = 0
    for one, other in zip(first, second, strict=False):
        if one.id != other.id:
            break
        count += 1
    return count
