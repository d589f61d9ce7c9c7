"""A list of rows that paints only the rows in view: its length costs nothing."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

_STRIPS_KEPT = 1000


class RowList(ScrollView, can_focus=True):
    """Rows of one height, one of them chosen. What a row looks like is a subclass's matter."""

    ALLOW_SELECT = False
    ROW_HEIGHT: ClassVar[int] = 1
    COMPONENT_CLASSES: ClassVar[set[str]] = {"row--chosen"}
    DEFAULT_CSS = """
    RowList {
        height: 1fr; width: 1fr; background: $background; overflow-x: hidden; scrollbar-size-vertical: 1;
        text-wrap: nowrap; text-overflow: ellipsis;
    }
    RowList > .row--chosen { color: $foreground; background: $surface; }
    RowList:focus > .row--chosen, RowList.-active > .row--chosen {
        color: $block-cursor-foreground; background: $block-cursor-background; text-style: $block-cursor-text-style;
    }
    RowList:ansi > .row--chosen { color: ansi_default; background: ansi_default; text-style: underline; }
    RowList:ansi:focus > .row--chosen, RowList.-active:ansi > .row--chosen {
        color: ansi_black; background: ansi_cyan; text-style: none;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "step(-1)", "Up", show=False, id="list.up"),
        Binding("down", "step(1)", "Down", show=False, id="list.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="list.page_up"),
        Binding("pagedown,space", "page(1)", "Page down", show=False, id="list.page_down"),
        Binding("home,g", "edge(0)", "Top", show=False, id="list.top"),
        Binding("end,G", "edge(1)", "End", show=False, id="list.end"),
    ]

    chosen: reactive[int] = reactive(0, repaint=False)
    """The place of the chosen row."""

    class Moved(Message):
        """Another row is chosen, or other rows are in view."""

        def __init__(self, rows: RowList) -> None:
            super().__init__()
            self.rows = rows

    class Taken(Message):
        """A row was clicked when it was chosen already."""

        def __init__(self, rows: RowList) -> None:
            super().__init__()
            self.rows = rows

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._count = 0
        self._strips: LRUCache[Hashable, Strip] = LRUCache(_STRIPS_KEPT)
        self._instead: Content | None = None

    # For subclasses

    def row(self, place: int) -> Hashable:
        """What the row at ``place`` shows, as a value: two rows of one value look the same."""
        raise NotImplementedError

    def paint(self, row: Hashable, line: int, width: int) -> Content:
        """One line of a row."""
        raise NotImplementedError

    def on_bar(self, row: Hashable, words: Content) -> Content:
        """The words of a line of the chosen row."""
        return _in_one_colour(words)

    # What is shown

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self._count

    def show(self, count: int, chosen: int | None = None) -> None:
        """There are ``count`` rows now; everything in view is painted again."""
        self._count = count
        self._measure()
        wanted = self.chosen if chosen is None else chosen
        self.chosen = max(0, min(wanted, count - 1))
        self.refresh()

    def say_instead(self, words: Content | None) -> None:
        """What stands in the middle while there are no rows."""
        self._instead = words
        self.refresh()

    def forget(self) -> None:
        """Shows nothing, and keeps nothing of what was shown."""
        self._strips.clear()
        self.show(0, 0)

    @property
    def first_in_view(self) -> int:
        """The place of the topmost row that is seen."""
        return self.scroll_offset.y // self.ROW_HEIGHT

    @property
    def last_in_view(self) -> int:
        """The place of the lowest row that is seen, at most."""
        return (self.scroll_offset.y + max(1, self.size.height) - 1) // self.ROW_HEIGHT

    def _measure(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, self._count * self.ROW_HEIGHT)

    def on_resize(self) -> None:
        """The rows are as wide as the list; the chosen one stays in view."""
        self._measure()
        self._strips.clear()
        self._reveal()
        self.post_message(self.Moved(self))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Other rows are in view."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(self.Moved(self))

    def notify_style_update(self) -> None:
        """The colours changed."""
        super().notify_style_update()
        self._strips.clear()

    def render_line(self, y: int) -> Strip:
        """A line of the view; one that was painted before comes from a cache."""
        width = self.scrollable_content_region.width
        place, line = divmod(self.scroll_offset.y + y, self.ROW_HEIGHT)
        if place >= self._count:
            return self._render_instead(y, width)
        chosen = place == self.chosen
        style = self.get_visual_style("row--chosen") if chosen else self.get_visual_style()
        row = self.row(place)
        key = (row, line, width, style)
        strip = self._strips.get(key)
        if strip is None:
            words = self.paint(row, line, width)
            if chosen:
                words = self.on_bar(row, words)
            strips = Visual.to_strips(self, words, width, 1, style, apply_selection=False)
            strip = strips[0] if strips else Strip([Segment("")])
            strip = strip.adjust_cell_length(width, style.rich_style)
            self._strips.set(key, strip)
        return strip

    def _render_instead(self, y: int, width: int) -> Strip:
        style = self.get_visual_style()
        words = self._instead
        if words is not None and not self._count:
            strips = Visual.to_strips(self, words, width, None, style, apply_selection=False)
            line = y - max(0, (self.size.height - len(strips)) // 2)
            if 0 <= line < len(strips):
                left = max(0, (width - strips[line].cell_length) // 2)
                return Strip.join([Strip.blank(left, style.rich_style), strips[line]]).adjust_cell_length(
                    width, style.rich_style
                )
        return Strip.blank(width, style.rich_style)

    def watch_chosen(self, before: int, now: int) -> None:
        """Paints the two rows again and keeps the chosen one in view."""
        for place in (before, now):
            self._repaint(place)
        self._reveal()
        self.post_message(self.Moved(self))

    def _repaint(self, place: int) -> None:
        top = place * self.ROW_HEIGHT - self.scroll_offset.y
        self.refresh(Region(0, top, self.size.width, self.ROW_HEIGHT))

    def _reveal(self) -> None:
        top, height = self.chosen * self.ROW_HEIGHT, self.size.height
        if not height or not self._count:
            return
        offset = self.scroll_offset.y
        if top < offset:
            self.scroll_to(y=top, animate=False, force=True)
        elif top + self.ROW_HEIGHT > offset + height:
            self.scroll_to(y=top + self.ROW_HEIGHT - height, animate=False, force=True)

    # Moving

    def action_step(self, step: int) -> None:
        """Chooses the next or the previous row."""
        self._choose(self.chosen + step)

    def action_page(self, step: int) -> None:
        """Chooses a row a page away."""
        self._choose(self.chosen + step * max(1, self.size.height // self.ROW_HEIGHT - 1))

    def action_edge(self, end: int) -> None:
        """Chooses the first or the last row."""
        self._choose(self._count - 1 if end else 0)

    def _choose(self, place: int) -> None:
        self.chosen = max(0, min(place, self._count - 1))
        # The wheel may have taken the view away from a row that stays chosen.
        self._reveal()

    def on_click(self, event: events.Click) -> None:
        """A click chooses; one on the chosen row takes it."""
        place = (self.scroll_offset.y + event.y) // self.ROW_HEIGHT
        if place >= self._count:
            return
        if place == self.chosen:
            self.post_message(self.Taken(self))
        else:
            self._choose(place)


def _in_one_colour(words: Content) -> Content:
    """The words without colours of their own: in sixteen colours one could be the bar's."""
    plain = Content(words.plain)
    for span in words.spans:
        kept = " ".join(name for name in str(span.style).split() if name in ("bold", "underline"))
        if kept:
            plain = plain.stylize(kept, span.start, span.end)
    return plain
