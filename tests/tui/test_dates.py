from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tui.dates import ago, group

from .vault_app import DAY, HOUR, NOW

pytestmark = pytest.mark.usefixtures("utc")


@pytest.mark.parametrize(
    ("before", "in_group", "in_margin"),
    [
        (0, "Today", "now"),
        (12 * 60, "Today", "12 min"),
        (3 * HOUR, "Today", "3 h"),
        (15.5 * HOUR, "Yesterday", "yesterday"),
        (DAY, "Yesterday", "yesterday"),
        (3 * DAY, "This week", "Tue"),
        (8 * DAY, "November", "12 Nov"),
        (70 * DAY, "September", "11 Sep"),
        (400 * DAY, "Oct 2025", "Oct 2025"),
        (-DAY, "Today", "now"),
    ],
)
def test_times_are_said_as_a_person_says_them(before: float, in_group: str, in_margin: str) -> None:
    assert group(NOW - before, NOW) == in_group
    assert ago(NOW - before, NOW) == in_margin


def test_shortly_after_midnight_an_hour_ago_is_not_yesterday_in_the_margin() -> None:
    midnight = NOW - 15 * HOUR
    assert ago(midnight - HOUR, midnight + HOUR) == "2 h"


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_whatever_an_import_claims_has_a_place_in_the_margin(at: float) -> None:
    assert len(ago(at, NOW)) <= 9
    assert len(group(at, NOW)) <= 11
