"""``playground usage``: what models did over time, from the rows that every answer leaves in the vault."""

from __future__ import annotations

import json
import shutil
import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click
import msgspec

from app.errors import InvalidRequestError
from app.playground import Playground
from app.privacy.terminal import clean

from .dates import day
from .session import Session, reporting_errors
from .tables import cells, counted, dollars, seconds, shortened, table
from .unlocking import existing

if TYPE_CHECKING:
    from app.vault.activity.figures import Figures, Overview
    from app.vault.activity.periods import Periods

_SPANS = {"day": "The last 24 hours", "week": "The last 7 days", "month": "The last 30 days", "all": "All time"}
_NOTHING = "No usage is counted yet. Every answer is, from the first one on."
_HEAD = ("Requests", "Failed", "Prompt", "Answer", "Tok/s", "First", "p95", "Latency", "Cached", "Cost")
_GIVEN_UP_FIRST = ("p95", "Cached", "Failed", "First", "Prompt", "Latency")
"""Which columns go where a terminal has no room for them."""

_LEAST_NAME = 16


@click.command()
@click.option(
    "--span",
    type=click.Choice(list(_SPANS)),
    help="The last 24 hours, 7 days or 30 days, or all of it; week when nothing is given.",
)
@click.option("--since", metavar="DATE", help="From this day on, as 2026-01-31, until now.")
@click.option("--by", type=click.Choice(["model", "day"]), default="model", help="A line for each model, or each day.")
@click.option("-m", "--model", help="This model alone.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
@reporting_errors
def usage(session: Session, span: str | None, since: str | None, by: str, model: str | None, as_json: bool) -> None:
    """Show what models did: requests, tokens, speed, waiting, answers from the cache, cost.

    Times are medians of whole answers, in seconds where this is read by a program. Days are those of this machine.
    Piped, columns are separated by tabs and figures are exact.
    """
    if span is not None and since is not None:
        raise click.UsageError("Give --span or --since, not both.")
    begin = None if since is None else day(since, zone=None)
    now = time.time()
    if begin is not None and begin > now:
        raise InvalidRequestError(f"{since} is still to come.", "Give a day that has begun.")

    async def read(playground: Playground) -> Overview | None:
        if playground.vault.state == "absent":
            return None
        figures = (await existing(playground)).figures
        first = await figures.first_at()
        if first is None:
            return None
        return await figures.overview(_periods(span or "week", begin, first, now, by).edges)

    found = session.run(read)
    lines = _lines(found, by, model) if found is not None else []
    if as_json:
        click.echo(json.dumps(_as_json(found, lines, by, model), ensure_ascii=False))
    elif found is None:
        click.echo(_NOTHING)
    elif not lines:
        click.echo("No such request is counted.")
    elif sys.stdout.isatty():
        when = _SPANS[span or "week"] if since is None else f"Since {since}"
        click.echo(f"{when}: {_in_words(_whole(found, model))}\n\n{_table(lines, by)}")
    else:
        click.echo(_plain(lines, by))


def _periods(span: str, begin: float | None, first: float, now: float, by: str) -> Periods:
    """Days; or the whole as one, where they are not told apart."""
    from app.vault.activity.periods import Periods, Span, between, periods

    if begin is None and span != "all":
        found = periods(msgspec.convert(span, Span), now)
        found = between(found.since, now, "day") if by == "day" and found.unit == "hour" else found
    else:
        found = between(max(first, begin or 0.0), now, "day")
    return found if by == "day" else Periods(found.unit, (found.since, found.until))


def _whole(found: Overview, model: str | None) -> Figures:
    from app.vault.activity.figures import Figures

    return found.whole if model is None else found.models.get(model, Figures())


def _lines(found: Overview, by: str, model: str | None) -> list[tuple[str, Figures]]:
    """Each model, or each day on which there was something."""
    from app.vault.activity.figures import Figures

    if by == "model":
        return [(name, figures) for name, figures in found.models.items() if model in (None, name)]
    days = [
        (
            f"{datetime.fromtimestamp(one.since):%Y-%m-%d}",
            one.whole if model is None else one.models.get(model, Figures()),
        )
        for one in found.periods
    ]
    return [(name, figures) for name, figures in days if figures.sums.requests]


def _in_words(figures: Figures) -> str:
    sums = figures.sums
    told = [counted(sums.requests, "request"), f"{sums.tokens:,} tokens"]
    if sums.given_again:
        told.append(f"{sums.given_again:,} from the cache")
    if sums.paid or sums.unpriced:
        told.append(_cost(figures))
    return ", ".join(told)


def _cost(figures: Figures) -> str:
    """Never 0 where a price is not known; a dash for models of this machine, which have none."""
    sums = figures.sums
    known = dollars(sums.cost) if sums.paid else ""
    if sums.unpriced:
        return f"{known} + no price known" if known else "no price known"
    return known or ("-" if sums.here else dollars(0.0))


def _table(lines: list[tuple[str, Figures]], by: str) -> str:
    rows = [
        (
            clean(name),
            f"{of.sums.requests:,}",
            f"{of.sums.failed:,}" if of.sums.failed else "-",
            f"{of.sums.prompt_tokens:,}",
            f"{of.sums.completion_tokens:,}",
            "-" if of.times.speed is None else f"{of.times.speed:.1f}",
            seconds(of.times.first_token),
            seconds(of.times.first_token_p95),
            seconds(of.times.latency),
            f"{of.sums.given_again:,}" if of.sums.given_again else "-",
            _cost(of),
        )
        for name, of in lines
    ]
    head = (by.capitalize(), *_HEAD)
    shown = list(range(len(head)))
    widths = [max(cells(row[place]) for row in (head, *rows)) + 2 for place in shown]
    room = shutil.get_terminal_size().columns + 2
    for title in _GIVEN_UP_FIRST:
        if sum(widths[place] for place in shown[1:]) + min(widths[0], _LEAST_NAME) <= room:
            break
        shown.remove(head.index(title))
    name = max(_LEAST_NAME, room - 2 - sum(widths[place] for place in shown[1:]))
    told = [[shortened(row[0], name), *(row[place] for place in shown[1:])] for row in (head, *rows)]
    return table(told[0], told[1:], right=frozenset(range(1, len(shown))))


def _plain(lines: list[tuple[str, Figures]], by: str) -> str:
    """Columns separated by tabs, with a head; what is not known is empty."""
    told = [_facts(name, by, figures) for name, figures in lines]
    rows = [list(told[0]), *([_cell(value) for value in facts.values()] for facts in told)]
    return "\n".join("\t".join(row) for row in rows)


def _cell(value: object) -> str:
    return "" if value is None else " ".join(clean(value).split()) if isinstance(value, str) else f"{value:.10g}"


def _as_json(found: Overview | None, lines: list[tuple[str, Figures]], by: str, model: str | None) -> dict[str, Any]:
    total = None if found is None else _facts("total", "total", _whole(found, model))
    if total is not None:
        del total["total"]
    return {
        "since": None if found is None else found.since,
        "until": None if found is None else found.until,
        "total": total,
        "by": by,
        "rows": [_facts(name, by, figures) for name, figures in lines],
    }


def _facts(name: str, by: str, figures: Figures) -> dict[str, Any]:
    """Times in seconds; the cost is ``null`` where nothing of it is known, or nothing had to be paid."""
    facts = {by: name, **msgspec.structs.asdict(figures.sums), **msgspec.structs.asdict(figures.times)}
    sums = figures.sums
    return {**facts, "cost": None if not sums.paid and (sums.unpriced or sums.here) else sums.cost}
