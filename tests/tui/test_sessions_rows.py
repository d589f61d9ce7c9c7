"""What a row looks like, whatever was written into a title, a tag or a message."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from app.privacy.terminal import is_clean
from app.tui.sessions.hit_list import HitList, excerpt_words
from app.tui.sessions.pages import Pages
from app.tui.sessions.session_list import SessionList
from app.tui.words import cut
from app.vault import SearchHit, SessionLine

from .vault_app import NOW

ANYTHING = st.text(max_size=80)
CUTS = st.lists(st.integers(0, 80), max_size=6)


class Known(Pages):
    """One line, known."""

    def __init__(self, line: SessionLine) -> None:
        super().__init__()
        self.count = 1
        self._line = line

    def line(self, place: int) -> SessionLine | None:
        return self._line if place == 0 else None


@given(
    title=ANYTHING,
    tags=st.lists(ANYTHING, max_size=4),
    at=st.floats(allow_nan=False, allow_infinity=False),
    pinned=st.booleans(),
    messages=st.integers(0, 99_999),
    width=st.integers(50, 220),
)
def test_a_row_is_one_line_as_wide_as_the_list_and_harmless(
    title: str, tags: list[str], at: float, pinned: bool, messages: int, width: int
) -> None:
    line = SessionLine(id="s", title=title, updated_at=at, pinned=pinned, tags=tuple(tags), messages=messages)
    rows = SessionList(Known(line), lambda: NOW)
    words = rows.paint(rows.row(0), 0, width)
    assert words.cell_length == width
    assert is_clean(words.plain)
    assert "\n" not in words.plain and "\t" not in words.plain


@given(
    excerpt=ANYTHING,
    title=ANYTHING,
    role=ANYTHING,
    cuts=st.lists(st.integers(0, 80), max_size=6),
    width=st.integers(40, 220),
)
@example(excerpt="a\nb", title="c\nd", role="\n", cuts=[0, 3], width=40)
def test_a_hit_is_two_harmless_lines_with_its_words(
    excerpt: str, title: str, role: str, cuts: list[int], width: int
) -> None:
    places = sorted(min(place, len(excerpt)) for place in cuts)
    marks = tuple(zip(places[::2], places[1::2], strict=False))
    hit = SearchHit(
        session_id="s", session_title=title, node_id="n", role=role, created_at=NOW, excerpt=excerpt, marks=marks
    )
    rows = HitList(lambda: NOW)
    rows.hits = (hit,)
    for line in (0, 1):
        words = rows.paint(rows.row(0), line, width)
        assert is_clean(words.plain)
        assert "\n" not in words.plain and "\t" not in words.plain
    assert rows.paint(rows.row(0), 0, width).cell_length <= width


def test_what_was_searched_for_is_marked_even_beside_characters_that_are_shown_longer() -> None:
    hit = SearchHit(
        session_id="s",
        session_title="",
        node_id="n",
        role="user",
        created_at=NOW,
        excerpt="a\x1b[2J noun here",
        marks=((6, 10),),
    )
    words = excerpt_words(hit)
    marked = [words.plain[span.start : span.end] for span in words.spans if "accent" in str(span.style)]
    assert marked == ["noun"]


@given(ANYTHING, st.integers(0, 60))
def test_what_is_cut_fits(text: str, width: int) -> None:
    from rich.cells import cell_len

    assert cell_len(cut(text, width)) <= width
