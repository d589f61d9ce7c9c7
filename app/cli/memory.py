"""``playground memory``: what is remembered of conversations and posts."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from app.errors import VaultError
from app.playground import Playground
from app.privacy.terminal import clean

from .asking import confirmed
from .fetching import fetch
from .memory_export import export
from .session import Session, reporting_errors
from .tables import counted, moment, shortened
from .unlocking import existing

if TYPE_CHECKING:
    from app.memory.recall import Recalled
    from app.memory.remembering import Progress
    from app.vault.recall.vectors import Source
    from app.vault.vault import Vault

_ID_LETTERS = 10
_TEXT_WIDTH = 300


@click.group()
def memory() -> None:
    """What is remembered: status, search, forget, restore, export, rebuild. All of it stays in the vault."""


memory.add_command(export)


@memory.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
@reporting_errors
def status(session: Session, as_json: bool) -> None:
    """Say how much is remembered, and what is not yet."""
    session.run(lambda playground: _status(playground, as_json=as_json))


@memory.command()
@click.argument("words", nargs=-1, required=True)
@click.option("-n", "--limit", type=click.IntRange(1, 100), default=5, show_default=True, help="How many to show.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@click.pass_obj
@reporting_errors
def search(session: Session, words: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Find what was said by its meaning and its words. What is not remembered yet is embedded first."""
    session.run(lambda playground: _search(playground, " ".join(words), limit, as_json=as_json))


@memory.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--session", "which", metavar="SESSION", help="Every message of this conversation.")
@click.pass_obj
@reporting_errors
def forget(session: Session, ids: tuple[str, ...], which: str | None) -> None:
    """Never recall these again, until `playground memory restore` takes that back.

    ID is what `playground memory search` shows; the messages themselves stay.
    """
    if not ids and which is None:
        raise click.UsageError("Name what to forget: an ID of `playground memory search`, or --session SESSION.")
    session.run(lambda playground: _forget(playground, ids, which))


@memory.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--session", "which", metavar="SESSION", help="Every message of this conversation.")
@click.pass_obj
@reporting_errors
def restore(session: Session, ids: tuple[str, ...], which: str | None) -> None:
    """Take forgetting back: these are remembered and recalled again."""
    if not ids and which is None:
        raise click.UsageError("Name what to restore: an ID that was forgotten, or --session SESSION.")
    session.run(lambda playground: _restore(playground, ids, which))


@memory.command()
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
@reporting_errors
def rebuild(session: Session, yes: bool) -> None:
    """Drop every vector and embed everything anew, as after a change of the model. What is forgotten stays so."""
    if not confirmed("Embed everything anew?", yes=yes):
        return
    session.run(_rebuild)


async def _status(playground: Playground, *, as_json: bool) -> None:
    await existing(playground)
    settings = playground.settings.memory
    standing = await playground.memory.status()
    if as_json:
        found = {
            "enabled": settings.enabled,
            "model": settings.model,
            "remembered": standing.remembered,
            "missing": standing.missing,
            "vectors": standing.vectors,
            "forgotten": standing.forgotten,
            "other_models": dict(standing.other_models),
        }
        click.echo(json.dumps(found))
        return
    click.echo("Memory is on." if settings.enabled else "Memory is off: set memory.enabled to switch it on.")
    entry = playground.catalogue.get(settings.model)
    fetched = playground.store.path_of(entry) is not None
    click.echo(f"Model       {clean(settings.model)}{'' if fetched else ', not fetched yet'}")
    click.echo(f"Remembered  {counted(standing.remembered, 'text')}, in {counted(standing.vectors, 'vector')}")
    click.echo(f"Not yet     {counted(standing.missing, 'text')}")
    click.echo(f"Forgotten   {counted(standing.forgotten, 'text')}")
    for name, number in standing.other_models:
        click.echo(f"Also kept: {counted(number, 'vector')} of {clean(name)}; `playground memory rebuild` drops them.")
    if not fetched:
        click.echo(f"To fetch the model: playground models pull {clean(settings.model)}")


async def _search(playground: Playground, words: str, limit: int, *, as_json: bool) -> None:
    await existing(playground)
    await _catch_up(playground)
    found = await playground.memory.search(words, limit)
    if as_json:
        click.echo(json.dumps([_as_json(each) for each in found]))
        return
    if not found:
        click.echo("Nothing was found.")
    for each in found:
        where = f"post “{each.title}”" if each.source == "post" else f"“{each.title or 'untitled'}”"
        who = "you" if each.role == "user" else "model"
        head = f"{each.source_id[:_ID_LETTERS]}  {moment(each.date)}  {who}  {where}  (by {each.why})"
        click.echo(clean(head))
        click.echo(f"    {clean(shortened(each.text, _TEXT_WIDTH))}")


async def _forget(playground: Playground, ids: tuple[str, ...], which: str | None) -> None:
    vault = await existing(playground)
    meant = await _meant(vault, ids, "forgotten")
    session_id = (await vault.sessions.find(which)).id if which is not None else None
    number = 0
    for source, source_id in meant:
        number += await vault.vectors.forget(source, [source_id])
    if session_id is not None:
        number += await vault.vectors.forget_session(session_id)
    if not number:
        click.echo("All of it was forgotten already." if meant else "There is nothing in it to forget.")
        return
    undo = [*ids, *(("--session", which) if which is not None else ())]
    click.echo(f"{counted(number, 'text')} forgotten. To undo: playground memory restore {clean(shlex.join(undo))}")


async def _restore(playground: Playground, ids: tuple[str, ...], which: str | None) -> None:
    vault = await existing(playground)
    meant = await _meant(vault, ids, "restored")
    if which is not None:
        whole = await vault.sessions.load((await vault.sessions.find(which)).id)
        meant += [("message", node.id) for node in whole.nodes]
    model = playground.settings.memory.model
    before = (await vault.vectors.standing(model)).forgotten
    for source in ("message", "post"):
        await vault.vectors.remember_again(source, [source_id for kind, source_id in meant if kind == source])
    number = before - (await vault.vectors.standing(model)).forgotten
    if number:
        click.echo(f"{counted(number, 'text')} restored, and remembered again as soon as there is time.")
    else:
        click.echo("Nothing of it was forgotten.")


async def _meant(vault: Vault, ids: tuple[str, ...], done: str) -> list[tuple[Source, str]]:
    """The messages and posts with these ids, or beginnings of ids; ``done`` is what is not done when one is unclear."""
    meant: list[tuple[Source, str]] = []
    for given in ids:
        found = await vault.vectors.find(given)
        if len(found) != 1:
            trouble = "No message or post has an id that begins" if not found else "Several ids begin"
            raise VaultError(
                f"{trouble} with {clean(given)!r}. Nothing was {done}.", "`playground memory search` shows ids."
            )
        meant += found
    return meant


async def _rebuild(playground: Playground) -> None:
    await existing(playground)
    await fetch(playground, playground.catalogue.get(playground.settings.memory.model))
    dropped = await playground.memory.rebuild()
    began = time.monotonic()
    embedded = await _catch_up(playground)
    seconds = time.monotonic() - began
    click.echo(f"{counted(dropped, 'vector')} dropped, {counted(embedded, 'text')} embedded in {seconds:.1f} s.")


async def _catch_up(playground: Playground) -> int:
    await fetch(playground, playground.catalogue.get(playground.settings.memory.model))
    live = sys.stderr.isatty()
    painted = False

    def told(progress: Progress) -> None:
        nonlocal painted
        if live:
            painted = True
            click.echo(f"\r\x1b[KEmbedding: {progress.embedded} texts…", err=True, nl=False)

    try:
        return await playground.memory.remembering(told).catch_up()
    finally:
        if painted:
            click.echo("\r\x1b[K", err=True, nl=False)


async def remember_a_little(playground: Playground, seconds: float) -> None:
    """Embeds what was just said, for as long as a person may wait behind an answer; the rest comes next time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await playground.memory.remembering().catch_up()


def _as_json(each: Recalled) -> dict[str, object]:
    return {
        "id": each.source_id,
        "source": each.source,
        "session": each.session_id or None,
        "title": each.title,
        "role": each.role,
        "date": each.date,
        "text": each.text,
        "why": each.why,
        "score": round(each.score, 5),
        "cosine": round(each.cosine, 4),
    }
