"""``playground requests``: what was asked of models, of whom, and how it went."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from app.errors import DiskFullError, InvalidRequestError
from app.playground import Playground
from app.privacy.masking import Masker
from app.privacy.terminal import clean

from .dates import day
from .session import Session, reporting_errors
from .tables import counted, dollars, moment, seconds, shortened, table
from .unlocking import existing

if TYPE_CHECKING:
    from app.vault import Vault
    from app.vault.activity.audit import AuditNote

F = TypeVar("F", bound=Callable[..., Any])

_LINES = 50
_PAGE = 500
_NOTHING = "No request is noted. Each is, from now on, unless routing.audit is switched off."
_LEAST_WIDTH = 16
_OTHER_COLUMNS = 92


@click.group()
def requests() -> None:
    """Requests to models: when, who answered, how long it took, what it cost. Secrets are masked always.

    Settings: routing.audit switches the notes on and off, routing.audit_bodies keeps what was asked and answered too,
    routing.audit_keep_days says for how long.
    """


def _chosen(command: F) -> F:
    """The options that choose among requests."""
    for option in (
        click.option("--failed", is_flag=True, help="Those that failed."),
        click.option("--until", metavar="DATE", help="Until this day, which is left out."),
        click.option("--since", metavar="DATE", help="From this day on, as 2026-01-31 (UTC)."),
        click.option("-m", "--model", help="Those that asked for this model, or were answered by it."),
    ):
        command = option(command)
    return command


class _Wanted(msgspec.Struct, frozen=True):
    model: str | None
    since: float
    until: float | None
    failed: bool

    @classmethod
    def of(cls, model: str | None, since: str | None, until: str | None, *, failed: bool) -> _Wanted:
        return cls(model, 0.0 if since is None else day(since), None if until is None else day(until), failed)

    def options(self) -> dict[str, Any]:
        return msgspec.structs.asdict(self)


@requests.command("list")
@_chosen
@click.option("--limit", type=click.IntRange(min=1), help=f"At most so many; {_LINES} when not given, all with --json.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@click.option("--pretty", is_flag=True, help="Print a table; so it is without --json too.")
@click.pass_obj
@reporting_errors
def list_requests(
    session: Session,
    model: str | None,
    since: str | None,
    until: str | None,
    failed: bool,
    limit: int | None,
    as_json: bool,
    pretty: bool,
) -> None:
    """Show requests, the latest first."""
    if as_json and pretty:
        raise click.UsageError("Give --json or --pretty, not both.")
    wanted = _Wanted.of(model, since, until, failed=failed)
    masker = Masker.of_environment(session.environ)

    async def listed(playground: Playground) -> None:
        if playground.vault.state == "absent":
            click.echo("[]" if as_json else _NOTHING)
            return
        audit = (await existing(playground)).audit
        there = await audit.count(**wanted.options())
        notes = await audit.notes(limit=limit or (None if as_json else _LINES), **wanted.options())
        if as_json:
            click.echo(json.dumps([_facts(note, masker) for note in notes], ensure_ascii=False))
        elif notes:
            click.echo(_table(notes))
            if there > len(notes):
                click.echo(f"{there - len(notes)} more; --limit {there} shows all.", err=True)
        else:
            click.echo(_NOTHING if wanted == _Wanted(None, 0.0, None, failed=False) else "No such request is noted.")

    session.run(listed)


@requests.command()
@click.argument("number", type=click.IntRange(min=1))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
@reporting_errors
def show(session: Session, number: int, as_json: bool) -> None:
    """Show all that is noted of the request NUMBER."""
    masker = Masker.of_environment(session.environ)

    async def shown(playground: Playground) -> AuditNote:
        return await (await existing(playground)).audit.get(number)

    facts = _facts(session.run(shown), masker)
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))
    else:
        click.echo(clean(_told(facts)))


@requests.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@_chosen
@click.option("--csv", "as_csv", is_flag=True, help="As CSV, without what was asked and answered.")
@click.pass_obj
@reporting_errors
def export(
    session: Session,
    file: Path | None,
    model: str | None,
    since: str | None,
    until: str | None,
    failed: bool,
    as_csv: bool,
) -> None:
    """Write requests to FILE, or to standard output: a JSON object a line, the latest first."""
    wanted = _Wanted.of(model, since, until, failed=failed)
    masker = Masker.of_environment(session.environ)
    if file is not None and file.exists():
        raise InvalidRequestError(f"{file} is there already.", "Choose another name; nothing was written.")

    async def exported(playground: Playground) -> int:
        if playground.vault.state == "absent":
            return 0
        vault = await existing(playground)
        count = 0
        out = io.StringIO() if file is None else file.open("x", encoding="utf-8", newline="")
        with out:
            write = _csv_writer(out) if as_csv else _json_writer(out)
            async with aclosing(_all(vault, wanted)) as notes:
                async for note in notes:
                    write(_facts(note, masker))
                    count += 1
                    if isinstance(out, io.StringIO):
                        click.echo(out.getvalue(), nl=False)
                        out.seek(0)
                        out.truncate()
        return count

    try:
        count = session.run(exported)
    except OSError as error:
        raise DiskFullError(f"{file} could not be written: {error.strerror}.") from error
    if file is not None:
        click.echo(f"{counted(count, 'request')} written to {file}.")


async def _all(vault: Vault, wanted: _Wanted) -> AsyncGenerator[AuditNote, None]:
    """Every note that is wanted, newest first; those that come meanwhile are left out."""
    before = wanted.until if wanted.until is not None else datetime.now(UTC).timestamp()
    options = msgspec.structs.replace(wanted, until=before).options()
    offset = 0
    while notes := await vault.audit.notes(offset, _PAGE, **options):
        for note in notes:
            yield note
        offset += len(notes)


def _facts(note: AuditNote, masker: Masker) -> dict[str, Any]:
    """As JSON values. Masked once more: a key may have become known only after the note was made."""
    facts = {name: getattr(note, name) for name in note.__struct_fields__}
    return {"number": facts.pop("number"), **masker.value(msgspec.to_builtins(facts))}


def _table(notes: tuple[AuditNote, ...]) -> str:
    width = 40
    if sys.stdout.isatty():
        width = max(_LEAST_WIDTH, shutil.get_terminal_size().columns - _OTHER_COLUMNS)
    head = ("No", "When", "From", "Model", "By", "Outcome", "First", "Total", "Tokens", "Cost")
    rows = [
        (
            str(note.number),
            moment(note.at),
            note.face,
            shortened(clean(_models(note)), width),
            shortened(clean("cache" if note.from_cache else note.backend or "-"), 12),
            clean(note.error or note.finish or note.outcome),
            seconds(note.first_token_s),
            seconds(note.total_s),
            f"{note.prompt_tokens}+{note.completion_tokens}",
            dollars(note.cost),
        )
        for note in notes
    ]
    return table(head, rows, right=frozenset({0, 6, 7, 8, 9}))


def _models(note: AuditNote) -> str:
    return note.asked if note.model in ("", note.asked) else f"{note.asked} → {note.model}"


def _told(facts: dict[str, Any]) -> str:
    """One fact a line, what is not known left out, bodies last."""
    lines = [("at", f"{datetime.fromtimestamp(facts['at'], UTC):%Y-%m-%d %H:%M:%S} UTC")]
    for name, value in facts.items():
        if name not in ("at", "detours", "request", "answer") and value not in (None, "") and value is not False:
            lines.append((name, _worded(name, value)))
    lines += [("instead", f"{one['model']} → {one['next_model']}: {one['reason']}") for one in facts["detours"]]
    width = max(len(name) for name, _ in lines)
    told = [f"{name.removesuffix('_s').replace('_', ' '):{width}}  {value}" for name, value in lines]
    for name in ("request", "answer"):
        if facts[name] is not None:
            told.append(f"\n{name}\n{json.dumps(facts[name], indent=2, ensure_ascii=False)}")
    return "\n".join(told)


def _worded(name: str, value: Any) -> str:
    if value is True:
        return "yes"
    return seconds(value) if name.endswith("_s") else dollars(value) if name == "cost" else str(value)


def _json_writer(out: Any) -> Callable[[dict[str, Any]], None]:
    return lambda facts: out.write(json.dumps(facts, ensure_ascii=False) + "\n")


def _csv_writer(out: Any) -> Callable[[dict[str, Any]], None]:
    writer = csv.writer(out, lineterminator="\n")
    begun = False

    def write(facts: dict[str, Any]) -> None:
        nonlocal begun
        row = {name: value for name, value in facts.items() if name not in ("request", "answer")}
        row["detours"] = "; ".join(
            f"{one['model']} to {one['next_model']}: {one['reason']}" for one in facts["detours"]
        )
        if not begun:
            writer.writerow(row)
            begun = True
        writer.writerow([_cell(value) for value in row.values()])

    return write


def _cell(value: object) -> object:
    """A text that a spreadsheet would take for a formula is made text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
