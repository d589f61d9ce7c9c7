"""``playground keys``: keys for programs that ask the server."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from typing import TYPE_CHECKING, get_args

import click

from app.errors import InvalidRequestError
from app.playground import Playground
from app.privacy.terminal import clean

from .dates import day
from .session import Session, reporting_errors
from .tables import counted, moment, table
from .unlocking import existing, unlocked

if TYPE_CHECKING:
    from app.vault.access.api_keys import ApiKey
    from app.vault.activity.usage import UsageRow

_UNITS = {"h": 3600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400}
_SPAN = re.compile(r"(\d{1,5})\s*([hdwy])")


@click.group()
def keys() -> None:
    """Keys for programs that ask the server: create, list, revoke, usage."""


@keys.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(("chat", "embed", "admin")),
    help="What it may do; can be given again.  [chat, embed]",
)
@click.option("--expires", metavar="SPAN", help="How long it is valid: 12h, 30d, 8w, 1y. For good without it.")
@click.option("--requests-per-minute", type=click.IntRange(0), default=0, help="0 sets no limit.")
@click.option("--tokens-per-minute", type=click.IntRange(0), default=0, help="Prompt and answer together.")
@click.option("--tokens-per-month", type=click.IntRange(0), default=0, help="The same, a calendar month.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
@reporting_errors
def create(
    session: Session,
    name: str,
    scopes: tuple[str, ...],
    expires: str | None,
    requests_per_minute: int,
    tokens_per_minute: int,
    tokens_per_month: int,
    as_json: bool,
) -> None:
    """Make a key called NAME and show it, this once: only its SHA-256 is kept."""
    lasts = None if expires is None else _span(expires)

    async def made(playground: Playground) -> tuple[ApiKey, str]:
        from app.vault.access.api_keys import Scope
        from app.vault.access.limits import AccessLimits

        limits = AccessLimits(
            requests_per_minute=requests_per_minute,
            tokens_per_minute=tokens_per_minute,
            tokens_per_month=tokens_per_month,
        )
        kept = await unlocked(playground)
        chosen: list[Scope] = [scope for scope in get_args(Scope) if scope in (scopes or ("chat", "embed"))]
        return await kept.api_keys.create(
            name, chosen, expires_at=None if lasts is None else time.time() + lasts, limits=limits
        )

    key, text = session.run(made)
    if as_json:
        click.echo(json.dumps({**_facts(key), "key": text}))
        return
    click.echo(text)
    click.echo("Copy it now. It is shown this once, and cannot be had again.", err=True)


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@click.pass_obj
@reporting_errors
def list_keys(session: Session, as_json: bool) -> None:
    """List the keys, newest first, those that are no longer valid too."""

    async def listed(playground: Playground) -> tuple[ApiKey, ...]:
        if playground.vault.state == "absent":
            return ()
        return await (await existing(playground)).api_keys.list()

    found = session.run(listed)
    if as_json:
        click.echo(json.dumps([_facts(key) for key in found]))
    elif not found:
        click.echo("There are no keys yet. To make one: playground keys create NAME")
    else:
        now = time.time()
        rows = [
            (key.id, key.name, ", ".join(key.scopes), _state(key, now), moment(key.last_used_at or 0.0), _limits(key))
            for key in found
        ]
        click.echo(clean(table(("ID", "NAME", "MAY", "STATE", "LAST USED", "LIMITS"), rows)))


@keys.command()
@click.argument("key")
@click.pass_obj
@reporting_errors
def revoke(session: Session, key: str) -> None:
    """End KEY, an id or a name: it opens nothing from now on. Its usage is kept."""

    async def ended(playground: Playground) -> ApiKey:
        kept = await existing(playground)
        found = await kept.api_keys.find(key)
        await kept.api_keys.revoke(found.id)
        return found

    found = session.run(ended)
    click.echo(clean(f"The key {found.name!r} ({found.id}) is revoked. A running server obeys within a second."))


@keys.command()
@click.argument("key", required=False)
@click.option("--since", metavar="DATE", help="From this day on, as 2026-01-31 (UTC).")
@click.option("--until", metavar="DATE", help="Until this day, which is left out.")
@click.option("--csv", "as_csv", is_flag=True, help="Export every answer as CSV.")
@click.option("--json", "as_json", is_flag=True, help="Export every answer as one JSON array.")
@click.pass_obj
@reporting_errors
def usage(session: Session, key: str | None, since: str | None, until: str | None, as_csv: bool, as_json: bool) -> None:
    """Say what the keys were used for: by key and model, or every answer with --csv or --json."""
    if as_csv and as_json:
        raise click.UsageError("Give --csv or --json, not both.")
    start = 0.0 if since is None else day(since)
    end = None if until is None else day(until)

    async def read(playground: Playground) -> tuple[tuple[UsageRow, ...], dict[str, str]]:
        if key is None and playground.vault.state == "absent":
            return (), {}
        kept = await existing(playground)
        names = {one.id: one.name for one in await kept.api_keys.list()}
        # Users and fixed keys have rows too: `user:anna`, `fixed:1`.
        wanted = key if key is None or ":" in key else (await kept.api_keys.find(key)).id
        return await kept.usage.rows(key=wanted, since=start, until=end), names

    rows, names = session.run(read)
    if as_json:
        click.echo(json.dumps([_row(row) for row in rows]))
    elif as_csv:
        click.echo(_csv(rows), nl=False)
    elif not rows:
        click.echo("Nothing was used in that time.")
    else:
        click.echo(clean(_summary(rows, names)))


def _summary(rows: tuple[UsageRow, ...], names: dict[str, str]) -> str:
    sums: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        who = row.api_key or "-"
        total = sums.setdefault((names.get(who, who), row.model), [0, 0, 0])
        for place, more in enumerate((1, row.prompt_tokens, row.completion_tokens)):
            total[place] += more
    lines = [(who, model, *map(str, total)) for (who, model), total in sorted(sums.items())]
    shown = table(("KEY", "MODEL", "ANSWERS", "PROMPT", "COMPLETION"), lines, right=frozenset({2, 3, 4}))
    tokens = sum(row.tokens for row in rows)
    return f"{shown}\n{counted(len(rows), 'answer')}, {counted(tokens, 'token')}"


def _csv(rows: tuple[UsageRow, ...]) -> str:
    from app.vault.activity.usage import UsageRow

    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(UsageRow.__struct_fields__)
    writer.writerows([_cell(value) for value in _row(row).values()] for row in rows)
    return written.getvalue()


def _cell(value: object) -> object:
    """A model's name that a spreadsheet would take for a formula is made text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _row(row: UsageRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__struct_fields__}


def _facts(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": list(key.scopes),
        "state": _state(key, time.time()),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
        "limits": {name: getattr(key.limits, name) for name in key.limits.__struct_fields__},
    }


def _state(key: ApiKey, now: float) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if not key.valid_at(now):
        return "expired"
    return "valid" if key.expires_at is None else f"valid until {moment(key.expires_at)}"


def _limits(key: ApiKey) -> str:
    limits = key.limits
    said = (
        (limits.requests_per_minute, "requests/min"),
        (limits.tokens_per_minute, "tokens/min"),
        (limits.tokens_per_month, "tokens/month"),
    )
    return ", ".join(f"{amount} {words}" for amount, words in said if amount) or "-"


def _span(text: str) -> float:
    match = _SPAN.fullmatch(text.strip())
    if match is None or not int(match[1]):
        raise InvalidRequestError(f"--expires is {text!r}; expected a number with h, d, w or y, such as 30d.")
    return float(int(match[1]) * _UNITS[match[2]])
