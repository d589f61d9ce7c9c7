"""``playground backup``: copies of the vault, each an encrypted file that opens by itself."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.errors import BackupError, KeyringError, PlaygroundError, VaultLockedError, WrongPassphraseError
from app.playground import Playground
from app.privacy.terminal import clean

from .asking import can_ask_secret, confirmed, three_tries
from .counting import CountLine
from .fetching import megabytes
from .session import Session, report, reporting_errors
from .tables import counted, moment, table
from .unlocking import PROTECTED_BY, existing

if TYPE_CHECKING:
    from app.vault.copies.backup import Backup, Manifest

_WORDS = "Passphrase or recovery key that the vault had when this backup was made"

_folder = click.option(
    "--to",
    "--folder",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder other than the usual.",
)


@click.group()
def backup() -> None:
    """Backups of the vault: create, list, verify, restore."""


@backup.command()
@_folder
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
@reporting_errors
def create(session: Session, folder: Path | None, as_json: bool) -> None:
    """Make a backup now. Those that you ask for are kept until you remove them."""

    async def created(playground: Playground) -> None:
        vault = await existing(playground)
        _choose(playground, folder)
        line = CountLine("Copying the vault")
        try:
            made = await vault.backups.create("manual", line.show)
        finally:
            line.finish()
        if as_json:
            click.echo(json.dumps(_facts(made)))
        else:
            click.echo(clean(f"{made.path}\n{_described(made)}"))

    session.run(created)


@backup.command("list")
@_folder
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@click.pass_obj
@reporting_errors
def list_backups(session: Session, folder: Path | None, as_json: bool) -> None:
    """Show the backups in the folder, newest first. `playground backup verify` reads them through."""
    playground = session.open()
    _choose(playground, folder)
    found = playground.vault.backups.list()
    if as_json:
        click.echo(json.dumps([_facts(one) for one in found]))
        return
    if not found:
        click.echo(clean(f"No backups in {playground.vault.backups.folder}. To make one: playground backup create"))
        return
    rows = [
        (
            *(
                (moment(made.created_at), made.reason, str(made.sessions), str(made.messages))
                if (made := one.manifest)
                else ("-", "-", "-", "-")
            ),
            megabytes(one.size),
            "not sound" if one.problem else "whole",
            one.path.name,
        )
        for one in found
    ]
    head = ("Made", "Reason", "Sessions", "Messages", "Size", "State", "File")
    click.echo(clean(table(head, rows, right=frozenset({2, 3, 4}))))
    for one in found:
        if one.problem:
            click.echo(clean(one.problem), err=True)


@backup.command()
@click.argument("files", metavar="[FILE]...", nargs=-1)
@_folder
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@click.pass_obj
@reporting_errors
def verify(session: Session, files: tuple[str, ...], folder: Path | None, as_json: bool) -> None:
    """Read backups from the first byte to the last and open them: FILEs, or all in the folder."""

    async def verified(playground: Playground) -> list[dict[str, object]]:
        _choose(playground, folder)
        chosen = [_file(playground, name) for name in files]
        if not files:
            chosen = [one.path for one in playground.vault.backups.list()]
        keys = _Secrets(playground.environ.get("PLAYGROUND_PASSPHRASE"))
        return [await _verified(path, keys, quiet=as_json) for path in chosen]

    results = session.run(verified)
    if as_json:
        click.echo(json.dumps(results))
    elif not results:
        click.echo("There are no backups yet. To make one: playground backup create")
    sys.exit(any(not result["sound"] for result in results))


@backup.command()
@click.argument("file", required=False)
@_folder
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
@reporting_errors
def restore(session: Session, file: str | None, folder: Path | None, yes: bool) -> None:
    """Put a backup in the vault's place: FILE, or the newest in the folder. What was there is kept beside it."""

    async def restored(playground: Playground) -> int:
        from app.vault.copies.backup import verify as read_through

        _choose(playground, folder)
        vault = playground.vault
        path = _file(playground, file) if file is not None else _newest(playground)
        manifest = read_through(path)
        words = f"{path.name}, made {moment(manifest.created_at)}: {_counts(manifest)}"
        if vault.state != "absent":
            click.echo(clean(words), err=True)
            if not confirmed("Put it in the place of the vault that is here, which is kept beside it?", yes=yes):
                click.echo("Nothing was changed.", err=True)
                return 1
        before = _replaced(playground)

        async def attempt(secret: str | None) -> None:
            await vault.restore(path, secret)

        try:
            await attempt(None)
        except (VaultLockedError, WrongPassphraseError, KeyringError):
            if not can_ask_secret():
                raise
            await three_tries(attempt, _WORDS)
        click.echo(clean(f"Restored from {words}."))
        for place in sorted(_replaced(playground) - before):
            click.echo(clean(f"The vault that was here lies in {place}. Delete it when you need it no longer."))
        if vault.protection == "file":
            click.echo(PROTECTED_BY["file"])
        return 0

    sys.exit(session.run(restored))


def _choose(playground: Playground, folder: Path | None) -> None:
    if folder is not None:
        playground.vault.backups.folder = folder.expanduser()


def _file(playground: Playground, name: str) -> Path:
    """A backup by its path, or by its name in the folder."""
    for path in (Path(name).expanduser(), playground.vault.backups.folder / name):
        with suppress(OSError):  # a name too long for a file, a folder that may not be looked into
            if path.is_file():
                return path
    raise BackupError(f"There is no backup {name!r}.", "`playground backup list` shows those that there are.")


def _newest(playground: Playground) -> Path:
    backups = playground.vault.backups
    for one in backups.list():
        if one.manifest is not None:
            return one.path
    raise BackupError(f"There is no sound backup in {backups.folder}.", "Name the file, or another folder by --to.")


def _replaced(playground: Playground) -> set[Path]:
    """Where vaults lie that backups took the place of."""
    return set(playground.folders.data.glob("replaced-*"))


@dataclass
class _Secrets:
    """The passphrase that opened the last backup, tried first on the next, so that nobody types it twice."""

    known: str | None


async def _verified(path: Path, secrets: _Secrets, *, quiet: bool) -> dict[str, object]:
    from app.vault.copies.backup import verify as read_through

    try:
        manifest = read_through(path)
        opened = await _opens(path, manifest, secrets)
    except PlaygroundError as error:
        report(error)
        return {"file": str(path), "sound": False, "opened": False, "problem": error.message}
    if not quiet:
        state = "sound" if opened else "every byte is as it was written; not opened, for want of its passphrase"
        click.echo(clean(f"{path.name}  {state}  {_counts(manifest)}"))
    return {"file": str(path), "sound": True, "opened": opened, "problem": None}


async def _opens(path: Path, manifest: Manifest, secrets: _Secrets) -> bool:
    """Whether its keys could be tried; False when that needs a passphrase and nobody can be asked."""
    from app.vault.opening import master_key

    async def attempt(secret: str) -> None:
        master_key(manifest.keys, secret)
        secrets.known = secret

    try:
        master_key(manifest.keys, secrets.known)
    except (VaultLockedError, KeyringError):
        if not can_ask_secret():
            return False
    except WrongPassphraseError:
        if not can_ask_secret():
            raise
    else:
        return True
    click.echo(clean(f"{path.name}:"), err=True)
    await three_tries(attempt, _WORDS)
    return True


def _counts(manifest: Manifest) -> str:
    return f"{counted(manifest.sessions, 'conversation')}, {counted(manifest.messages, 'message')}"


def _described(one: Backup) -> str:
    return f"{_counts(one.manifest)}, {megabytes(one.size)}" if one.manifest else one.problem


def _facts(one: Backup) -> dict[str, object]:
    manifest = one.manifest
    return {
        "file": str(one.path),
        "size": one.size,
        "whole": manifest is not None,
        "problem": one.problem or None,
        "created_at": manifest.created_at if manifest else None,
        "reason": manifest.reason if manifest else None,
        "sessions": manifest.sessions if manifest else None,
        "messages": manifest.messages if manifest else None,
    }
