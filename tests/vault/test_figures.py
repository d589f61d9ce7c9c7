"""Figures: every row of the time is counted once, and read once."""

from __future__ import annotations

import random
import statistics

import pytest

from app.errors import VaultLockedError
from app.vault.activity.figures import Figures, Sums, _overview
from app.vault.activity.usage import UsageRow

HOUR = 3600.0
START = 1_790_000_000.0


def rows(count, *, seed=1, hours=24.0, models=("a", "b", "c")):
    drawn = random.Random(seed)
    return [
        UsageRow(
            at=START + drawn.random() * hours * HOUR,
            model=drawn.choice(models),
            backend=drawn.choice(("local", "far", "cache", "")),
            prompt_tokens=drawn.randrange(900),
            completion_tokens=drawn.randrange(5),
            cached_tokens=drawn.randrange(9),
            first_token_s=drawn.choice((None, drawn.random())),
            decode_s=drawn.choice((None, drawn.random() + 0.1)),
            cost=drawn.choice((None, 0.25)),
            outcome=drawn.choice(("finished", "finished", "stopped", "failed")),
            total_s=drawn.choice((None, drawn.random() * 9)),
            from_cache=drawn.random() < 0.2,
        )
        for _ in range(count)
    ]


def added_up(some):
    """The same, said another way."""
    made = [row for row in some if not row.from_cache]
    return Sums(
        requests=len(some),
        failed=sum(row.outcome == "failed" for row in some),
        stopped=sum(row.outcome == "stopped" for row in some),
        given_again=len(some) - len(made),
        prompt_tokens=sum(row.prompt_tokens for row in made),
        completion_tokens=sum(row.completion_tokens for row in made),
        cached_tokens=sum(row.cached_tokens for row in made),
        here=sum(row.backend == "local" for row in some),
        cost=sum(row.cost or 0 for row in some),
        unpriced=sum(row.cost is None and row.backend == "far" and row.tokens > 0 for row in made),
    )


async def test_sums_and_medians_by_period_and_model(vault):
    some = rows(400)
    await vault.usage.add(some)
    edges = [START + hour * HOUR for hour in range(2, 23)]
    found = await vault.figures.overview(edges)
    inside = [row for row in some if edges[0] <= row.at < edges[-1]]
    assert found.whole.sums == added_up(inside)
    for model, figures in found.models.items():
        assert figures.sums == added_up([row for row in inside if row.model == model])
    for period in found.periods:
        there = [row for row in inside if period.since <= row.at < period.until]
        assert period.whole.sums == added_up(there)
        assert period.models.keys() == {row.model for row in there}
    whole = [row for row in inside if row.outcome == "finished" and not row.from_cache and row.completion_tokens]
    first = [row.first_token_s for row in whole if row.first_token_s is not None]
    speed = [(row.completion_tokens - 1) / row.decode_s for row in whole if row.decode_s and row.completion_tokens > 1]
    assert found.whole.times.first_token == statistics.median(first)
    assert found.whole.times.speed == pytest.approx(statistics.median(speed))
    assert list(found.models) == sorted(found.models, key=lambda model: -found.models[model].sums.tokens)


async def test_nothing_is_there_and_nothing_is_shown_of_a_locked_vault(vault):
    found = await vault.figures.overview([START, START + HOUR, START + 2 * HOUR])
    assert (found.whole, found.models, len(found.periods)) == (Figures(), {}, 2)
    assert (await vault.figures.last(), await vault.figures.first_at()) == (0, None)
    await vault.usage.add(rows(2))
    assert await vault.figures.last() == 2
    await vault.close()
    with pytest.raises(VaultLockedError):
        await vault.figures.overview([START, START + HOUR])


async def steps(vault, edges):
    """Steps of SQLite's machine, in hundreds, and the figures."""

    def count(connection):
        taken = 0

        def step():
            nonlocal taken
            taken += 1

        connection.set_progress_handler(step, 100)
        try:
            return _overview(connection, edges), taken
        finally:
            connection.set_progress_handler(None, 100)

    return await vault.database.read(count)


async def test_among_a_hundred_thousand_a_day_costs_what_a_day_has_and_all_is_read_twice_at_most(vault):
    many = 100_000

    def fill(connection):
        connection.execute(
            "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO usage"
            " (at, model, backend, prompt_tokens, completion_tokens, first_token_s, decode_s, outcome)"
            " SELECT ? + i * 36.0, CASE i % 100 WHEN 0 THEN 'rare' ELSE 'm' || (i % 2) END, 'local', 3, 11,"
            " CASE WHEN i % 4 < 2 THEN 0.5 ELSE 1.5 END, 0.1, 'finished' FROM n",
            (many - 1, START),
        )

    await vault.database.write(fill)
    last = START + many * 36.0
    day, of_day = await steps(vault, [last - hour * HOUR for hour in range(24, -1, -1)])
    assert day.whole.sums.requests == 2_400
    week = (last - START) / 50
    whole, of_all = await steps(vault, [START + place * week for place in range(51)])
    assert whole.whole.sums.requests == many and len(whole.periods) == 50
    # A row is some 120 steps, counted in hundreds; a second reading would be 60 more.
    assert of_day < 2_400 * 2
    assert of_all < many * 1.6
    assert whole.models["rare"].times.first_token in (0.5, 1.0, 1.5)
    assert whole.whole.times.speed == pytest.approx(100.0)
    assert whole.models["m1"].times.first_token in (0.5, 1.0, 1.5)
