"""Exporting conversations: to standard output, to a file, or all of them into a folder."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.counting import CountLine
from app.cli.session import Session, reporting_errors
from app.cli.tables import counted
from app.cli.unlocking import with_vault
from app.errors import DiskFullError, InvalidRequestError, PlaygroundError
from app.privacy.terminal import clean

from .finding import find

if TYPE_CHECKING:
    from app.chat.formats import Form
    from app.vault import Vault

_BY_SUFFIX: dict[str, Form] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".json": "json",
    ".html": "html",
    ".htm": "html",
}


@click.command("export")
@click.argument("which", metavar="[SESSION]", required=False)
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["markdown", "json", "html"]),
    help="By the file's suffix when not given, else Markdown. JSON holds every branch and can be imported again.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file, or the folder for it.")
@click.option("--all", "folder", type=click.Path(path_type=Path), help="Every session, each as a file in this folder.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
@click.pass_obj
@reporting_errors
def export_sessions(
    session: Session, which: str | None, form: Form | None, output: Path | None, folder: Path | None, force: bool
) -> None:
    """Write SESSION as Markdown, JSON or a web page. Exported files are not encrypted."""
    if (which is None) == (folder is None):
        raise click.UsageError("Give a SESSION, or --all with a folder.")
    if folder is not None and output is not None:
        raise click.UsageError("Give --output or --all, not both.")

    async def exported(vault: Vault) -> None:
        if folder is not None:
            await _export_all(vault, folder, form or "markdown", force=force)
        elif which is not None:
            await _export_one(vault, which, form, output, force=force)

    session.run(with_vault(exported))


async def _export_one(vault: Vault, which: str, form: Form | None, output: Path | None, *, force: bool) -> None:
    from app.chat.formats import export, suggested_name

    form = form or (_BY_SUFFIX.get(output.suffix.lower()) if output else None) or "markdown"
    conversation = await vault.sessions.load(await find(vault, which))
    text = export(conversation, form)
    if output is None:
        click.echo(clean(text) if sys.stdout.isatty() else text, nl=False)
        return
    try:
        path = output / suggested_name(conversation.session, form) if output.is_dir() else output
        if not force:
            _refuse_to_replace([path])
    except OSError as error:
        raise _write_error(output, error) from error
    _write(path, text)
    click.echo(clean(f"Exported to {path}. The file is not encrypted."), err=True)


async def _export_all(vault: Vault, folder: Path, form: Form, *, force: bool) -> None:
    from app.chat.formats import export, suggested_name
    from app.vault import Session as KeptSession

    plan: dict[str, Path] = {}
    taken: set[str] = set()
    for shelf in ("current", "archived"):
        for line in await vault.sessions.lines(limit=await vault.sessions.count(shelf), shelf=shelf):
            path = folder / suggested_name(KeptSession(id=line.id, title=line.title), form)
            if path.name.casefold() in taken:
                path = path.with_name(f"{path.stem}-{line.id[:8]}{path.suffix}")
            if path.name.casefold() in taken:
                path = path.with_name(f"{path.stem}-{line.id}{path.suffix}")
            taken.add(path.name.casefold())
            plan[line.id] = path
    try:
        if not force:
            _refuse_to_replace(plan.values())
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _write_error(folder, error) from error
    counter = CountLine("Exporting")
    try:
        for done, (session_id, path) in enumerate(plan.items(), 1):
            _write(path, export(await vault.sessions.load(session_id), form))
            counter.show(done, len(plan))
    finally:
        counter.finish()
    click.echo(
        clean(f"{counted(len(plan), 'conversation')} exported to {folder}. The files are not encrypted."), err=True
    )


def _refuse_to_replace(paths: Iterable[Path]) -> None:
    """Says what is in the way, before anything is written. Devices and pipes are written to, not replaced."""
    there = [path for path in paths if path.is_dir() or path.is_file()]
    if there:
        more = f" and {counted(len(there) - 1, 'more file')}" if len(there) > 1 else ""
        raise InvalidRequestError(f"{there[0]}{more} would be replaced.", "Give --force if that is what you mean.")


def _write(path: Path, text: str) -> None:
    """Writes for the owner alone; a file that was there is replaced when the new one is whole."""
    content = text.encode("utf-8", "replace")
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return
        part = path.with_name(f".{secrets.token_hex(8)}.part")
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise _write_error(path, error) from error


def _write_error(path: Path, error: OSError) -> PlaygroundError:
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFullError(f"There is no room on the disk for {path}.", "Make room, or export to another disk.")
    return InvalidRequestError(f"{path} cannot be written: {error.strerror or error}.", "Name another place.")
