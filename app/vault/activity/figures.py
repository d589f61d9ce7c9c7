"""Figures of what models did: sums and medians over time and by model, from the rows of usage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from app.vault.storage.database import Database

from .quantiles import quantile

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection

MOST_TIMED = 4_000
"""Answers whose times are looked at. Of more, as many of each model are taken by lot: the median is then off by a
hundredth part of the answers or so, and reading ten years takes as long as reading one."""

_LEAST_OF_A_MODEL = 100
_LOTS = 1 << 32


class Sums(Struct, frozen=True):
    """What adds up. Tokens are those that models worked on: an answer given again has none.

    Attributes:
        requests: all of them, failed ones too.
        stopped: left by whoever asked.
        given_again: answers that had been given before, from the cache.
        cached_tokens: of the prompts, what needed no work because it was worked on before.
        here: requests to models of this machine.
        cost: US dollars, of what has a known price.
        unpriced: requests to models elsewhere whose price is not known.
    """

    requests: int = 0
    failed: int = 0
    stopped: int = 0
    given_again: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    here: int = 0
    cost: float = 0.0
    unpriced: int = 0

    @property
    def tokens(self) -> int:
        """Of prompts and answers."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def answers(self) -> int:
        """Requests that did not fail."""
        return self.requests - self.failed

    @property
    def paid(self) -> bool:
        """Whether something cost something."""
        return self.cost > 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(*(getattr(self, name) + getattr(other, name) for name in self.__struct_fields__))


class Times(Struct, frozen=True):
    """How long whole answers took; None where none was measured. Seconds, medians where nothing else is said.

    Attributes:
        speed: tokens a second, after the first one.
        first_token: until the answer began.
        first_token_p95: so long or shorter for 95 of 100.
        latency: until it ended.
    """

    speed: float | None = None
    first_token: float | None = None
    first_token_p95: float | None = None
    latency: float | None = None
    latency_p95: float | None = None


class Figures(Struct, frozen=True):
    """All that is known of some requests."""

    sums: Sums = Sums()
    times: Times = Times()


class Period(Struct, frozen=True):
    """Figures from ``since`` until before ``until``, seconds since 1970."""

    since: float
    until: float
    whole: Figures = Figures()
    models: dict[str, Figures] = {}


class Overview(Struct, frozen=True):
    """Figures of some time: of all of it, by model (the one with the most tokens first), and by period."""

    since: float
    until: float
    whole: Figures
    models: dict[str, Figures]
    periods: tuple[Period, ...]


_OF_PERIODS = """
    WITH period AS MATERIALIZED (SELECT key AS place, value ->> 0 AS since, value ->> 1 AS until FROM json_each(?))
    SELECT place, model, {wanted} FROM period CROSS JOIN usage ON usage.at >= period.since AND usage.at < period.until
"""
"""The periods outside, the rows of each found by the index of times inside: every row of the time is read once."""

_SUMS = """
    count(*), sum(outcome = 'failed'), sum(outcome = 'stopped'), sum(from_cache),
    sum(prompt_tokens * (1 - from_cache)), sum(completion_tokens * (1 - from_cache)),
    sum(cached_tokens * (1 - from_cache)), sum(backend = 'local'), total(cost),
    sum(cost IS NULL AND backend NOT IN ('local', 'cache', '') AND NOT from_cache
        AND prompt_tokens + completion_tokens > 0),
    sum(outcome = 'finished' AND NOT from_cache AND completion_tokens > 0)
"""
_TIMES = """
    CASE WHEN completion_tokens > 1 AND decode_s > 0 THEN (completion_tokens - 1) / decode_s END,
    first_token_s, coalesce(total_s, first_token_s + decode_s)
"""
_TIMED = "WHERE outcome = 'finished' AND NOT from_cache AND completion_tokens > 0"


class UsageFigures:
    """The figures of the vault's rows of usage."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def last(self) -> int:
        """The number of the last row: another one when there is something new. Costs next to nothing."""
        return await self._database.read(
            lambda c: int(c.execute("SELECT coalesce(max(number), 0) FROM usage").fetchone()[0])
        )

    async def first_at(self) -> float | None:
        """When the first row was asked for, seconds since 1970; None where there is none."""

        def read(connection: Connection) -> float | None:
            found = connection.execute("SELECT min(at) FROM usage").fetchone()[0]
            return None if found is None else float(found)

        return await self._database.read(read)

    async def overview(self, edges: Sequence[float]) -> Overview:
        """The figures of periods that follow each other; ``Periods.edges``."""
        return await self._database.read(lambda connection: _overview(connection, edges))


Group = tuple[int | None, str | None]
"""A period and a model; None stands for all of them."""


def _overview(connection: Connection, edges: Sequence[float]) -> Overview:
    bounds = list(pairwise(edges))
    written = msgspec.json.encode(bounds).decode()
    sums: dict[Group, Sums] = defaultdict(Sums)
    timed: dict[str, int] = defaultdict(int)
    statement = _OF_PERIODS.format(wanted=_SUMS) + "GROUP BY place, model"
    for place, model, *found, counted in connection.execute(statement, (written,)):
        for group in _groups(place, model):
            sums[group] += Sums(*found)
        timed[model] += counted
    times = _times(connection, written, _rates(timed))

    def figures(place: int | None, model: str | None) -> Figures:
        return Figures(sums[place, model], times.of(place, model))

    models = sorted(timed, key=lambda model: (-sums[None, model].tokens, -sums[None, model].requests, model))
    return Overview(
        edges[0],
        edges[-1],
        figures(None, None),
        {model: figures(None, model) for model in models},
        tuple(
            Period(
                since,
                until,
                figures(place, None),
                {model: figures(place, model) for model in models if (place, model) in sums},
            )
            for place, (since, until) in enumerate(bounds)
        ),
    )


def _groups(place: int, model: str) -> tuple[Group, ...]:
    return ((place, model), (place, None), (None, model), (None, None))


def _rates(timed: dict[str, int]) -> dict[str, float]:
    """The part of its answers that is looked at, of each model that has too many."""
    if sum(timed.values()) <= MOST_TIMED:
        return {}
    share = max(_LEAST_OF_A_MODEL, MOST_TIMED // len(timed))
    return {model: share / count for model, count in timed.items() if count > share}


def _times(connection: Connection, written: str, rates: dict[str, float]) -> _Times:
    statement = _OF_PERIODS.format(wanted=_TIMES) + _TIMED
    lots = [value for model, rate in rates.items() for value in (model, int(rate * _LOTS))]
    if rates:
        # A number times this, its lowest bits, is spread evenly: the same rows are drawn each time.
        cases = "WHEN ? THEN ? " * len(rates)
        statement += f" AND (number * 2654435761 & {_LOTS - 1}) < CASE model {cases} ELSE {_LOTS} END"
    times = _Times()
    for place, model, *found in connection.execute(statement, (written, *lots)):
        times.add(place, model, found, 1 / rates.get(model, 1.0))
    return times


class _Times:
    """Collects speeds, seconds to the first token and seconds in all, each with its weight."""

    def __init__(self) -> None:
        self._kept: dict[Group, tuple[list[tuple[float, float]], ...]] = {}

    def add(self, place: int, model: str, found: Sequence[float | None], weight: float) -> None:
        for group in _groups(place, model):
            kept = self._kept.get(group)
            if kept is None:
                kept = self._kept[group] = ([], [], [])
            for values, value in zip(kept, found, strict=True):
                if value is not None:
                    values.append((value, weight))

    def of(self, place: int | None, model: str | None) -> Times:
        speed, first, total = self._kept.get((place, model), ([], [], []))
        for values in (speed, first, total):
            values.sort()  # sorting them once more is quick
        return Times(
            quantile(speed, 0.5),
            quantile(first, 0.5),
            quantile(first, 0.95),
            quantile(total, 0.5),
            quantile(total, 0.95),
        )
