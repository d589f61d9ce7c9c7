"""Exporting and publishing posts."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from app.cli.counting import CountLine
from app.cli.question import whole
from app.cli.session import Session, reporting_errors
from app.cli.tables import counted
from app.cli.unlocking import with_vault
from app.errors import FileThereError
from app.privacy.terminal import clean

if TYPE_CHECKING:
    from app.vault import Vault
    from app.writing.exporting import Form

_FORMS = click.Choice(["markdown", "html", "hugo", "jekyll"])
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("export")
@click.argument("which", metavar="[POST]", required=False)
@click.option("-f", "--format", "form", type=_FORMS, default="markdown", show_default=True, help="What reads it.")
@click.option("-o", "--output", type=_FOLDER, help="The folder that it goes into.")
@click.option("--all", "everything", type=_FOLDER, help="Every post, each as a file below this folder.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
@click.pass_obj
@reporting_errors
def export_post(
    session: Session, which: str | None, form: Form, output: Path | None, everything: Path | None, force: bool
) -> None:
    """Print POST, or write it below a folder. Exported files are not encrypted."""
    if (which is None) == (everything is None):
        raise click.UsageError("Give a POST, or --all with a folder.")
    if everything is not None and output is not None:
        raise click.UsageError("Give --output or --all, not both.")

    async def exported(vault: Vault) -> None:
        if everything is not None:
            await _export_all(vault, everything, form, force=force)
        elif which is not None:
            await _export_one(vault, which, form, output, force=force)

    session.run(with_vault(exported))


@contextmanager
def _naming_force() -> Iterator[None]:
    """What would be replaced is told with the option that says that it may be."""
    try:
        yield
    except FileThereError as error:
        raise FileThereError(error.message, "Give --force if that is what you mean.") from error


async def _export_one(vault: Vault, which: str, form: Form, output: Path | None, *, force: bool) -> None:
    from app.writing.exporting import exported
    from app.writing.publishing import publish

    file = exported(await vault.posts.find(whole(which)), form)
    if output is None:
        click.echo(clean(file.text) if sys.stdout.isatty() else file.text, nl=False)
        return
    with _naming_force():
        path = await publish(file, output, replace=force)
    click.echo(clean(f"Exported to {path}. The file is not encrypted."), err=True)


async def _export_all(vault: Vault, folder: Path, form: Form, *, force: bool) -> None:
    """Every post as a file of its own. One that is there with another text is told before anything is written."""
    from app.writing.exporting import exported_together
    from app.writing.publishing import publish, require_room

    lines = await vault.posts.lines(limit=await vault.posts.count())
    files = exported_together([await vault.posts.get(line.id) for line in lines], form)
    if not force:
        with _naming_force():
            await require_room(files, folder)
    counter = CountLine("Exporting")
    try:
        for done, file in enumerate(files, 1):
            with _naming_force():
                await publish(file, folder, replace=force)
            counter.show(done, len(files))
    finally:
        counter.finish()
    click.echo(clean(f"{counted(len(files), 'post')} exported to {folder}. The files are not encrypted."), err=True)


@click.command("publish")
@click.argument("which", metavar="POST")
@click.argument("folder", type=_FOLDER)
@click.option("-f", "--format", "form", type=_FORMS, default="hugo", show_default=True, help="What the folder is for.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.pass_obj
@reporting_errors
def publish_post(session: Session, which: str, folder: Path, form: Form, force: bool) -> None:
    """Write POST into FOLDER, the root of a site, as a post that is out; today is its date where it has none.

    Its address is its slug. Where it has none its title makes one, and it keeps that when the title changes.
    """

    async def published(vault: Vault) -> None:
        from app.vault.posts.slugs import address_of
        from app.writing.exporting import exported
        from app.writing.publishing import publish

        post = await vault.posts.find(whole(which))
        date = post.date if post.date is not None else time.time()
        out = msgspec.structs.replace(post, status="published", date=date, slug=address_of(post))
        with _naming_force():
            path = await publish(exported(out, form), folder, replace=force)
        if out != post:
            await vault.posts.save(msgspec.structs.replace(out, updated_at=time.time()))
        click.echo(clean(f"Published to {path}."), err=True)

    session.run(with_vault(published))
