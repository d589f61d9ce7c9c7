"""Changing sessions: titles, tags, pins, the archive and the bin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.cli.asking import confirmed
from app.cli.question import whole
from app.cli.session import Session, reporting_errors
from app.cli.tables import counted
from app.cli.unlocking import with_vault
from app.errors import UnknownSessionError
from app.privacy.terminal import clean

from .finding import find, find_in_bin

if TYPE_CHECKING:
    from app.vault import Vault


@click.command()
@click.argument("which", metavar="SESSION")
@click.argument("title", nargs=-1, required=True)
@click.pass_obj
@reporting_errors
def rename(session: Session, which: str, title: tuple[str, ...]) -> None:
    """Give SESSION a TITLE; no model replaces it then."""
    chosen = " ".join(whole(" ".join(title)).split())
    if not chosen:
        raise click.UsageError("The title is empty.")

    async def renamed(vault: Vault) -> None:
        await vault.sessions.rename(await find(vault, which), chosen)
        click.echo(clean(f"Its title is now “{chosen}”."))

    session.run(with_vault(renamed))


@click.command()
@click.argument("which", metavar="SESSION")
@click.argument("tags", nargs=-1)
@click.option("-r", "--remove", multiple=True, help="Take this tag off; may be given more than once.")
@click.pass_obj
@reporting_errors
def tag(session: Session, which: str, tags: tuple[str, ...], remove: tuple[str, ...]) -> None:
    """Give SESSION these TAGS beside those that it has; without TAGS, show them."""
    added = {" ".join(whole(name).split()) for name in tags} - {""}
    removed = {" ".join(whole(name).split()) for name in remove}

    async def tagged(vault: Vault) -> None:
        kept = await vault.sessions.get(await find(vault, which))
        now = tuple(sorted((set(kept.tags) | added) - removed))
        if now != kept.tags:
            await vault.sessions.set_tags(kept.id, now)
        click.echo(clean(f"Tags: {', '.join(now)}" if now else "It has no tags."))

    session.run(with_vault(tagged))


@click.command()
@click.argument("which", metavar="SESSION...", nargs=-1, required=True)
@click.option("--off", is_flag=True, help="No longer.")
@click.pass_obj
@reporting_errors
def pin(session: Session, which: tuple[str, ...], off: bool) -> None:
    """Keep sessions at the top of the list."""

    async def pinned(vault: Vault) -> None:
        for session_id in await _all(vault, which):
            await vault.sessions.pin(session_id, not off)
        click.echo(f"{counted(len(which), 'session')} {'no longer pinned' if off else 'pinned'}.")

    session.run(with_vault(pinned))


@click.command()
@click.argument("which", metavar="SESSION...", nargs=-1, required=True)
@click.option("--off", is_flag=True, help="Take them back into the usual list.")
@click.pass_obj
@reporting_errors
def archive(session: Session, which: tuple[str, ...], off: bool) -> None:
    """Put sessions away: kept and found by search, but not in the usual list."""

    async def archived(vault: Vault) -> None:
        for session_id in await _all(vault, which):
            await vault.sessions.archive(session_id, not off)
        click.echo(f"{counted(len(which), 'session')} {'back in the list' if off else 'archived'}.")

    session.run(with_vault(archived))


@click.command()
@click.argument("which", metavar="SESSION...", nargs=-1, required=True)
@click.option("--forever", is_flag=True, help="Remove them and their messages for good, from the bin or the list.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
@reporting_errors
def delete(session: Session, which: tuple[str, ...], forever: bool, yes: bool) -> None:
    """Put sessions into the bin, from where `playground sessions restore` brings them back."""

    async def deleted(vault: Vault) -> int:
        if not forever:
            for session_id in await _all(vault, which):
                await vault.sessions.delete(session_id)
            click.echo(f"{counted(len(which), 'session')} put into the bin. To undo: playground sessions restore")
            return 0
        doomed = {words: await find_in_bin(vault, words) or await find(vault, words) for words in which}
        titles = [(await vault.sessions.get(session_id)).title or "untitled" for session_id in doomed.values()]
        named = ", ".join(f"“{title}”" for title in titles[:5]) + (" …" if len(titles) > 5 else "")
        click.echo(clean(f"For good: {named}"), err=True)
        if not confirmed(f"Remove {counted(len(doomed), 'session')}? Nothing brings them back but a backup.", yes=yes):
            click.echo("Nothing was removed.", err=True)
            return 1
        for session_id in set(doomed.values()):
            await vault.sessions.purge(session_id)
        click.echo(f"{counted(len(doomed), 'session')} removed for good.")
        return 0

    raise SystemExit(session.run(with_vault(deleted)))


@click.command()
@click.argument("which", metavar="SESSION...", nargs=-1, required=True)
@click.pass_obj
@reporting_errors
def restore(session: Session, which: tuple[str, ...]) -> None:
    """Take sessions out of the bin."""

    async def restored(vault: Vault) -> None:
        found = []
        for words in which:
            session_id = await find_in_bin(vault, words)
            if session_id is None:
                raise UnknownSessionError(
                    f"There is no session {whole(words)!r} in the bin.",
                    "`playground sessions list --bin` shows what is.",
                )
            found.append(session_id)
        for session_id in found:
            await vault.sessions.restore(session_id)
        click.echo(f"{counted(len(which), 'session')} restored.")

    session.run(with_vault(restored))


async def _all(vault: Vault, which: tuple[str, ...]) -> list[str]:
    """The ids of all that are meant, before anything is done to the first."""
    return [await find(vault, words) for words in which]
