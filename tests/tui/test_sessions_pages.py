from __future__ import annotations

from app.tui.sessions.pages import KEPT, PAGE, Pages
from app.vault import SessionLine


class Shelf:
    """A long list, and what was read of it."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.reads: list[int] = []
        self.edition = 0

    async def fetch(self, offset: int, limit: int) -> tuple[SessionLine, ...]:
        self.reads.append(offset)
        last = min(self.count, offset + limit)
        return tuple(SessionLine(id=f"{self.edition}-{n}", title="", updated_at=0) for n in range(offset, last))


async def test_only_the_pages_in_view_are_read() -> None:
    shelf, pages = Shelf(50_000), Pages()
    pages.expire(50_000)
    assert pages.line(31_234) is None
    page = pages.missing(31_230, 31_270)
    assert page == 312
    await pages.load(page, shelf.fetch)
    line = pages.line(31_234)
    assert line is not None and line.id == "0-31234"
    assert pages.missing(31_230, 31_270) is None
    assert pages.missing(31_290, 31_330) == 313
    assert shelf.reads == [31_200]


async def test_after_a_change_the_old_lines_stay_until_new_ones_are_here() -> None:
    shelf, pages = Shelf(250), Pages()
    pages.expire(250)
    await pages.load(2, shelf.fetch)
    shelf.edition, shelf.count = 1, 249
    pages.expire(249)
    assert pages.line(248) == SessionLine(id="0-248", title="", updated_at=0)
    assert pages.missing(240, 249) == 2
    await pages.load(2, shelf.fetch)
    assert pages.line(248) == SessionLine(id="1-248", title="", updated_at=0)
    assert pages.line(249) is None


async def test_what_was_asked_for_before_a_change_of_shelf_does_not_come_in_after_it() -> None:
    pages = Pages()
    pages.expire(10)

    async def slow(_offset: int, _limit: int) -> tuple[SessionLine, ...]:
        pages.clear()
        return (SessionLine(id="of the other shelf", title="", updated_at=0),)

    await pages.load(0, slow)
    assert pages.line(0) is None


async def test_a_bounded_number_of_pages_is_kept_nearest_to_the_reader() -> None:
    shelf, pages = Shelf(50_000), Pages()
    pages.expire(50_000)
    for page in range(KEPT + 20):
        await pages.load(page, shelf.fetch)
    here = [page for page in range(500) if pages.line(page * PAGE) is not None]
    assert len(here) == KEPT
    assert here[-1] == KEPT + 19


async def test_a_session_is_found_again_near_where_it_was() -> None:
    shelf, pages = Shelf(300), Pages()
    pages.expire(300)
    await pages.load(1, shelf.fetch)
    assert pages.place_of("0-150", 140, 160) == 150
    assert pages.place_of("0-150", 151, 400) is None
    assert pages.place_of("0-50", 0, 299) is None


def test_an_empty_shelf_needs_nothing() -> None:
    pages = Pages()
    assert pages.missing(0, 40) is None
    assert pages.line(0) is None
