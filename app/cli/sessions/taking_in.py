"""Importing conversations: our own exports, and those of ChatGPT and Claude."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from app.cli.counting import CountLine
from app.cli.session import Session, report, reporting_errors
from app.cli.tables import counted
from app.cli.unlocking import unlocked
from app.errors import ImportFormatError, InvalidRequestError, PlaygroundError, UnknownSessionError
from app.playground import Playground
from app.privacy.terminal import clean

if TYPE_CHECKING:
    from app.vault import Vault

_MOST_BYTES = 1024 * 1024 * 1024


@dataclass
class _Taken:
    """What became of the files."""

    imported: list[str] = field(default_factory=list)
    present: int = 0
    skipped: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


@click.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--again", is_flag=True, help="Take in a second time what is here already.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
@reporting_errors
def import_sessions(session: Session, files: tuple[Path, ...], again: bool, as_json: bool) -> None:
    """Take in conversations: our JSON, or the export of ChatGPT or Claude, its .zip or the conversations.json in it.

    FILE may be - for standard input. What was taken in before is left out.
    """

    async def imported(playground: Playground) -> int:
        taken = _Taken()
        # Files that cannot be read are no reason to make a vault, or to ask for its passphrase.
        contents = _read_all(files, taken)
        if contents:
            vault = await unlocked(playground)
            for name, content in contents.items():
                await _take_in(vault, name, content, taken, again=again)
        if as_json:
            found = {
                "imported": taken.imported, "present": taken.present, "skipped": taken.skipped, "failed": taken.failed
            }  # fmt: skip
            click.echo(json.dumps(found))
        elif contents:
            _tell(taken)
        return 1 if taken.failed else 0

    sys.exit(session.run(imported))


def _read_all(files: tuple[Path, ...], taken: _Taken) -> dict[str, bytes]:
    contents = {}
    for file in files:
        try:
            contents[str(file)] = _read(file)
        except PlaygroundError as error:
            report(error)
            taken.failed.append(str(error))
    return contents


def _read(file: Path) -> bytes:
    if str(file) == "-":
        return b"" if sys.stdin is None else _bounded(sys.stdin.buffer, "standard input")
    try:
        with file.open("rb") as opened:
            return _bounded(opened, str(file))
    except OSError as error:
        raise InvalidRequestError(f"{file} cannot be read: {error.strerror or error}.") from error


def _bounded(file: BinaryIO, name: str) -> bytes:
    content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise InvalidRequestError(f"{name} is larger than a gibibyte.", "Take single conversations out of it.")
    return content


async def _take_in(vault: Vault, name: str, content: bytes, taken: _Taken, *, again: bool) -> None:
    from app.chat.formats import read_export

    try:
        found = read_export(content, name)
    except ImportFormatError as error:
        report(error)
        taken.failed.append(str(error))
        return
    taken.skipped += found.skipped
    line = CountLine(f"Taking in {name}")
    try:
        for number, conversation in enumerate(found.sessions, 1):
            if not again and await _is_here(vault, conversation.session.id):
                taken.present += 1
            else:
                taken.imported.append((await vault.sessions.add(conversation)).id)
            line.show(number, len(found.sessions))
    finally:
        line.finish()


async def _is_here(vault: Vault, session_id: str) -> bool:
    """Whether a session is kept. One that lies in the bin does not count: whoever imports it wants it."""
    try:
        return (await vault.sessions.get(session_id)).deleted_at is None
    except UnknownSessionError:
        return False


def _tell(taken: _Taken) -> None:
    words = f"{counted(len(taken.imported), 'conversation')} taken in"
    if taken.present:
        words += f", {taken.present} here already (--again takes them in once more)"
    click.echo(f"{words}.")
    for sentence in taken.skipped[:20]:
        click.echo(clean(f"Left out: {sentence}"), err=True)
    if len(taken.skipped) > 20:
        click.echo(f"… and {len(taken.skipped) - 20} more; --json names all.", err=True)
