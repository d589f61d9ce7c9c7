"""Usage rows: kept, summed by the month, given back by time and key."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from app.vault.activity.usage import UsageRow, start_of_month, start_of_next_month


def row(at, key="a", **more):
    return UsageRow(at=at, model="m", backend="local", api_key=key, prompt_tokens=3, completion_tokens=4, **more)


async def test_rows_come_back_as_they_went_in_by_time_and_key(vault):
    rows = [row(3.0, cost=0.5, outcome="stopped"), row(1.0, "b"), row(2.0, None, first_token_s=0.1)]
    await vault.usage.add(rows)
    assert await vault.usage.rows() == tuple(sorted(rows, key=lambda one: one.at))
    assert await vault.usage.rows(key="a") == (rows[0],)
    assert await vault.usage.rows(since=1.0, until=3.0) == (rows[1], rows[2])


async def test_tokens_of_a_key_since_a_moment(vault):
    await vault.usage.add([row(at) for at in (1.0, 2.0, 3.0)])
    assert await vault.usage.tokens("a", 2.0) == 14
    assert await vault.usage.tokens("b", 0.0) == 0


@given(st.floats(min_value=0, max_value=4e9))
def test_a_month_has_a_beginning_and_an_end(moment):
    first, after = start_of_month(moment), start_of_next_month(moment)
    assert first <= moment < after and 28 <= (after - first) / 86_400 <= 31
    assert datetime.fromtimestamp(after, UTC).day == datetime.fromtimestamp(first, UTC).day == 1
