"""``playground vault``: what protects everything that is kept, and how to change it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from app.errors import InvalidRequestError, VaultLockedError
from app.playground import Playground
from app.privacy.terminal import clean

from .asking import ask_secret, can_ask_secret, on_terminal, three_tries
from .counting import CountLine
from .fetching import megabytes
from .session import Session, reporting_errors
from .tables import moment
from .unlocking import LEAST_CHARACTERS, PROTECTED_BY, existing, protection_of, unlocked, with_vault

if TYPE_CHECKING:
    from app.vault import Vault

_LOST = "Nothing can open the vault without its passphrase, not even this program: remember it well."
_PRINT = "`playground vault recovery-key` makes a key to print and put away, for when it is lost."


@click.group()
def vault() -> None:
    """The vault: status, passphrase, keyring, recovery-key, rekey, check."""


@vault.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
@reporting_errors
def status(session: Session, as_json: bool) -> None:
    """Say what protects the vault, where it lies, and when it was last backed up."""
    playground = session.open()
    kept = playground.vault
    state, protection = kept.state, protection_of(kept)
    recovery = kept.has_recovery_key
    last = max((one.manifest.created_at for one in kept.backups.list() if one.manifest), default=0.0)
    database = kept.database.path
    size = database.stat().st_size if database.exists() else 0
    if as_json:
        facts = {
            "state": state,
            "protected_by": protection,
            "recovery_key": recovery,
            "file": str(database),
            "key_file": str(database.with_name("vault.key")),
            "size": size,
            "backups": str(kept.backups.folder),
            "last_backup": last or None,
        }
        click.echo(json.dumps(facts))
        return
    click.echo(PROTECTED_BY[protection])
    if state == "absent":
        return
    rows = [
        (
            "Recovery key",
            "made: it opens the vault too" if recovery else "none; `playground vault recovery-key` makes one",
        ),
        (
            "Vault",
            f"{database}, {megabytes(size)}" if database.exists() else f"{database} is gone; bring a backup back",
        ),
        ("Backups", f"{kept.backups.folder}, the last one {moment(last) if last else 'never'}"),
    ]
    click.echo(clean("\n".join(f"{label:<13} {words}" for label, words in rows)))


@vault.command()
@click.option(
    "--stdin", "from_stdin", is_flag=True, help="Read the new passphrase from the first line of standard input."
)
@click.option("--remove", is_flag=True, help="Open without a passphrase from now on.")
@click.pass_obj
@reporting_errors
def passphrase(session: Session, from_stdin: bool, remove: bool) -> None:
    """Set or change the passphrase. The data are not rewritten, so it is done at once.

    Changing or removing it needs the one that there is, or the recovery key. On a terminal it is asked for, the new one
    twice and unseen. Elsewhere it comes from standard input (--stdin) or from
    PLAYGROUND_PASSPHRASE; that variable also opens the vault where nobody can be asked.
    """
    if from_stdin and remove:
        raise click.UsageError("Give --stdin or --remove, not both.")

    async def removed(playground: Playground) -> None:
        kept = await existing(playground)
        if kept.protection != "passphrase":
            click.echo("There is no passphrase to remove.")
            return
        await _confirmed(kept)
        await kept.remove_passphrase()
        click.echo(f"The passphrase is removed. {PROTECTED_BY['file']}")

    async def changed(playground: Playground) -> None:
        fresh = playground.vault.state == "absent"
        new = _checked(_first_line()) if from_stdin else None
        if fresh and new is None:
            new = _new_passphrase(playground)
        if fresh:
            await playground.vault.open(new)
            kept = playground.vault
        else:
            kept = await unlocked(playground)
        had_one = kept.protection == "passphrase" and not fresh
        if had_one:
            await _confirmed(kept)
        await kept.set_passphrase(new or _new_passphrase(playground))
        click.echo("The passphrase is changed." if had_one else "The passphrase is set.")
        click.echo(_LOST if kept.has_recovery_key else f"{_LOST} {_PRINT}", err=True)
        if had_one:
            click.echo("Backups that were made before open with the passphrase that they had then.", err=True)

    session.run(removed if remove else changed)


async def _confirmed(kept: Vault) -> None:
    """Asks for the passphrase that there is where nobody was asked: the keyring opens the vault unasked."""
    if not kept.opened_by_secret:
        if not can_ask_secret():
            raise VaultLockedError(
                "The passphrase as it is now is needed to change it, and nobody can be asked here.",
                "Give it by PLAYGROUND_PASSPHRASE.",
            )
        await three_tries(kept.confirm, "Passphrase as it is now, or recovery key")


def _new_passphrase(playground: Playground) -> str:
    if on_terminal():
        return _checked(
            ask_secret(f"New passphrase, {LEAST_CHARACTERS} characters at least", again="The same once more")
        )
    given = playground.environ.get("PLAYGROUND_PASSPHRASE")
    if not given:
        raise InvalidRequestError(
            "There is no terminal to ask for a passphrase on.", "Give it by --stdin, or set PLAYGROUND_PASSPHRASE."
        )
    return _checked(given)


def _checked(chosen: str) -> str:
    if len(chosen) < LEAST_CHARACTERS:
        raise InvalidRequestError(
            f"The passphrase has {len(chosen)} characters; it needs {LEAST_CHARACTERS} at least.",
            "A few unusual words are easy to remember and hard to guess. Nothing was changed.",
        )
    return chosen


def _first_line() -> str:
    """The first line of standard input without its end."""
    line = b"" if sys.stdin is None else sys.stdin.buffer.readline(1 << 16)
    try:
        return line.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise InvalidRequestError("The passphrase on standard input is not UTF-8 text.") from error


@vault.command()
@click.pass_obj
@reporting_errors
def keyring(session: Session) -> None:
    """Let the keyring of the operating system open the vault while you are logged in."""

    async def used(playground: Playground) -> None:
        kept = await unlocked(playground)
        await kept.use_keyring()
        click.echo("The keyring opens the vault from now on.")
        if not kept.has_recovery_key:
            click.echo(f"Should the keyring be lost, {_PRINT[0].lower()}{_PRINT[1:]}", err=True)

    session.run(used)


@vault.command("recovery-key")
@click.pass_obj
@reporting_errors
def recovery_key(session: Session) -> None:
    """Make a key to print and put away: it opens the vault when the passphrase is lost. Replaces an earlier one."""

    async def made(kept: Vault) -> None:
        earlier = kept.has_recovery_key
        key = await kept.new_recovery_key()
        click.echo(key)
        click.echo(
            "Print it and put it away. It is shown this once, and opens the vault like the passphrase.", err=True
        )
        if earlier:
            click.echo("The recovery key that was made before opens it no longer.", err=True)

    session.run(with_vault(made))


@vault.command()
@click.pass_obj
@reporting_errors
def rekey(session: Session) -> None:
    """Encrypt all data anew under a new key. Can be cut off at any moment: nothing is lost."""

    async def rewritten(kept: Vault) -> None:
        line = CountLine("Encrypting everything anew")
        try:
            await kept.rekey(line.show)
        finally:
            line.finish()
        click.echo("All data are under a new key. Backups that were made before keep the one that they have.")

    session.run(with_vault(rewritten))


@vault.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
@reporting_errors
def check(session: Session, as_json: bool) -> None:
    """Read every page of the vault and say what is wrong with it."""

    async def checked(kept: Vault) -> list[str]:
        return await kept.check()

    damage = session.run(with_vault(checked))
    if as_json:
        click.echo(json.dumps({"sound": not damage, "damage": damage}))
    elif damage:
        click.echo(clean("\n".join(damage)))
        click.echo("The vault is damaged. To bring back a backup: playground backup restore", err=True)
    else:
        click.echo("The vault is sound: every page is as it was written.")
    sys.exit(bool(damage))
