"""Hours, days, weeks, months and years of the person's own calendar."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.vault.activity.periods import SPANS, between, periods

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from([UTC, *map(ZoneInfo, ("Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia"))])


def at(*when, zone=BERLIN):
    return datetime(*when, tzinfo=zone).timestamp()


@given(st.sampled_from(SPANS), st.floats(1.2e9, 2.2e9), st.floats(0, 2e8), ZONES)
def test_they_follow_each_other_and_the_last_is_now(span, now, before, zone):
    found = periods(span, now, first=now - before, zone=zone)
    assert list(found.edges) == sorted(set(found.edges))
    last_since, last_until = found.each[-1]
    assert last_since <= now < last_until
    assert len(found.each) <= 60
    if span == "all":
        assert found.since <= now - before
    else:
        assert (len(found.each), found.unit) == {"day": (24, "hour"), "week": (7, "day"), "month": (30, "day")}[span]


@given(st.floats(1.2e9, 2.2e9), st.sampled_from(("day", "week", "month", "year")), ZONES)
def test_they_begin_at_midnight_there(now, unit, zone):
    for edge in between(now - 9e7, now, unit, zone).edges:
        begin = datetime.fromtimestamp(edge, zone)
        # In one zone a whole day was left out; it has no midnight.
        assert (begin.hour, begin.minute) == (0, 0) or begin.year == 2011
        assert unit != "week" or begin.weekday() == 0
        assert unit not in ("month", "year") or begin.day == 1


def test_the_days_on_which_clocks_change_are_shorter_and_longer():
    spring = between(at(2026, 3, 28, 12), at(2026, 3, 30, 12), "day", BERLIN)
    assert [until - since for since, until in spring.each] == [86_400, 82_800, 86_400]
    assert spring.since == at(2026, 3, 28)


@pytest.mark.parametrize(
    ("first", "unit"),
    [
        ((2026, 11, 20), "day"),
        ((2026, 10, 20), "day"),
        ((2026, 2, 1), "week"),
        ((2024, 1, 1), "month"),
        ((2009,), "year"),
    ],
)
def test_all_of_it_is_told_in_as_fine_a_unit_as_fits(first, unit):
    found = periods("all", at(2026, 11, 21, 22), first=at(*(*first, 1, 1)[:3]), zone=BERLIN)
    assert found.unit == unit and len(found.each) >= 7
