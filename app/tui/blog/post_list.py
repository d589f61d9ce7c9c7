"""The posts of a shelf, one a line."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from msgspec import Struct
from rich.cells import cell_len
from textual.content import Content

from app.tui.row_list import RowList
from app.tui.sessions import dates
from app.tui.sessions.session_list import cut, tag_words, title_words
from app.vault.post_records import PostLine

_STATUS = 10
_DATE = 9


class _Row(Struct, frozen=True):
    line: PostLine
    ago: str


class PostList(RowList):
    """Status, title, tags and date of each post."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """``clock``: seconds since 1970."""
        super().__init__(id="post-list")
        self._clock = clock
        self._lines: tuple[PostLine, ...] = ()

    @property
    def line(self) -> PostLine | None:
        """The chosen post."""
        return self._lines[self.chosen] if 0 <= self.chosen < len(self._lines) else None

    def show_lines(self, lines: tuple[PostLine, ...], chosen_id: str | None = None) -> None:
        """Shows these, with the choice on ``chosen_id`` where it is among them, else where it was."""
        self._lines = lines
        places = {line.id: place for place, line in enumerate(lines)}
        self.show(len(lines), places.get(chosen_id or "", self.chosen))

    def forget(self) -> None:
        """Shows nothing, and keeps nothing of what was shown."""
        self._lines = ()
        super().forget()

    def row(self, place: int) -> Hashable:
        """The line, and how long ago it was written."""
        line = self._lines[place]
        return _Row(line, dates.ago(line.updated_at, self._clock()))

    def paint(self, row: Hashable, line: int, width: int) -> Content:
        """The row as a line of ``width`` cells."""
        assert isinstance(row, _Row)
        post = row.line
        published = post.status == "published"
        room = max(10, width - _STATUS - _DATE - 7)
        title, colour = title_words(post.title)
        tags = " ".join(tag_words(tag) for tag in post.tags)
        title = cut(title, max(room - cell_len(tags) - 2, room * 3 // 4) if tags else room)
        tags = cut(tags, room - cell_len(title) - 2)
        gap = room - cell_len(title) - cell_len(tags) - (2 if tags else 0)
        return Content.assemble(
            (" ● " if published else " ○ ", "$success" if published else "$text-muted"),
            (title, colour),
            ("  " if tags else "", ""),
            (tags, "$secondary"),
            (" " * max(1, gap), ""),
            (f"{post.status:>{_STATUS}}", "$text-muted"),
            (f"{row.ago:>{_DATE + 1}}  ", "$text-muted"),
        )
