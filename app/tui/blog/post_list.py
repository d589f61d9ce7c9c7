"""The posts of a shelf, one a line; of those that a search found, the words around the match."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from msgspec import Struct
from rich.cells import cell_len
from textual.content import Content

from app.tui import dates
from app.tui.row_list import RowList
from app.tui.sessions.excerpts import marked_pieces
from app.tui.sessions.tags import tag_words
from app.tui.sessions.titles import title_words
from app.tui.words import cut
from app.vault.posts.records import PostHit, PostLine

_STATUS = 10
_DATE = 9

_BEFORE_MATCH = 0.25
"""How much of the room for an excerpt stands before its first match, where not all of it can be shown."""


class _Row(Struct, frozen=True):
    line: PostLine
    ago: str
    hit: PostHit | None = None


class PostList(RowList):
    """Status, title, tags and date of each post."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """``clock``: seconds since 1970."""
        super().__init__(id="post-list")
        self._clock = clock
        self._lines: tuple[PostLine, ...] = ()
        self._hits: dict[str, PostHit] = {}

    @property
    def line(self) -> PostLine | None:
        """The chosen post."""
        return self._lines[self.chosen] if 0 <= self.chosen < len(self._lines) else None

    def show_lines(self, lines: tuple[PostLine, ...], chosen_id: str | None = None) -> None:
        """Shows these, with the choice on ``chosen_id`` where it is among them, else where it was."""
        self._hits = {}
        self._show(lines, chosen_id)

    def show_hits(self, hits: tuple[PostHit, ...], chosen_id: str | None = None) -> None:
        """Shows what a search found, with the words around it."""
        self._hits = {hit.line.id: hit for hit in hits}
        self._show(tuple(hit.line for hit in hits), chosen_id)

    def _show(self, lines: tuple[PostLine, ...], chosen_id: str | None) -> None:
        self._lines = lines
        places = {line.id: place for place, line in enumerate(lines)}
        self.show(len(lines), places.get(chosen_id or "", self.chosen))

    def forget(self) -> None:
        """Shows nothing, and keeps nothing of what was shown."""
        self._lines, self._hits = (), {}
        super().forget()

    def row(self, place: int) -> Hashable:
        """The line, and how long ago it was written."""
        line = self._lines[place]
        return _Row(line, dates.ago(line.updated_at, self._clock()), self._hits.get(line.id))

    def paint(self, row: Hashable, line: int, width: int) -> Content:
        """The row as a line of ``width`` cells."""
        assert isinstance(row, _Row)
        post = row.line
        published = post.status == "published"
        room = max(10, width - _STATUS - _DATE - 7)
        title, colour = title_words(post.title)
        title, beside = _excerpt(title, row.hit, room) if row.hit and row.hit.marks else _tags(title, post.tags, room)
        gap = room - cell_len(title) - beside.cell_length - (2 if beside else 0)
        return Content.assemble(
            (" ● " if published else " ○ ", "$success" if published else "$text-muted"),
            (title, colour),
            ("  " if beside else "", ""),
            beside,
            (" " * max(1, gap), ""),
            (f"{post.status:>{_STATUS}}", "$text-muted"),
            (f"{row.ago:>{_DATE + 1}}  ", "$text-muted"),
        )


def _tags(title: str, tags: tuple[str, ...], room: int) -> tuple[str, Content]:
    """A title and the tags beside it."""
    shown = " ".join(tag_words(tag) for tag in tags)
    title = cut(title, max(room - cell_len(shown) - 2, room * 3 // 4) if shown else room)
    return title, Content.styled(cut(shown, room - cell_len(title) - 2), "$secondary")


def _excerpt(title: str, hit: PostHit, room: int) -> tuple[str, Content]:
    """A title, and beside it as much of the excerpt as there is room for, its first match among that."""
    title = cut(title, room * 2 // 5)
    room -= cell_len(title) + 2
    excerpt, start = hit.excerpt, 0
    if cell_len(excerpt[: hit.marks[0][1]]) > room:
        start = max(0, hit.marks[0][0] - round(room * _BEFORE_MATCH))
        start = excerpt.find(" ", start, hit.marks[0][0]) + 1 or hit.marks[0][0]
    more = [("…", "$text-muted")] if start else []
    pieces = [*more, *marked_pieces(excerpt, hit.marks, start)]
    return title, Content.assemble(*pieces).truncate(room, ellipsis=True)
