"""Exporting and publishing posts."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from app.cli.question import whole
from app.cli.session import Session, reporting_errors
from app.cli.unlocking import with_vault
from app.privacy.terminal import clean

if TYPE_CHECKING:
    from app.vault import Vault
    from app.writing.exporting import Form

_FORMS = click.Choice(["markdown", "html", "hugo", "jekyll"])


@click.command("export")
@click.argument("which", metavar="POST")
@click.option("-f", "--format", "form", type=_FORMS, default="markdown", show_default=True, help="What reads it.")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), help="The folder that it goes into.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.pass_obj
@reporting_errors
def export_post(session: Session, which: str, form: Form, output: Path | None, force: bool) -> None:
    """Print POST, or write it below a folder. Exported files are not encrypted."""

    async def exported_(vault: Vault) -> None:
        from app.writing.exporting import exported
        from app.writing.publishing import publish

        file = exported(await vault.posts.find(whole(which)), form)
        if output is None:
            click.echo(clean(file.text) if sys.stdout.isatty() else file.text, nl=False)
            return
        path = await publish(file, output, replace=force)
        click.echo(clean(f"Exported to {path}. The file is not encrypted."), err=True)

    session.run(with_vault(exported_))


@click.command("publish")
@click.argument("which", metavar="POST")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("-f", "--format", "form", type=_FORMS, default="hugo", show_default=True, help="What the folder is for.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.pass_obj
@reporting_errors
def publish_post(session: Session, which: str, folder: Path, form: Form, force: bool) -> None:
    """Write POST into FOLDER, the root of a site, as a post that is out; today is its date where it has none.

    Its address is its slug. Where it has none its title makes one, and it keeps that when the title changes.
    """

    async def published(vault: Vault) -> None:
        from app.vault.slugs import address_of
        from app.writing.exporting import exported
        from app.writing.publishing import publish

        post = await vault.posts.find(whole(which))
        date = post.date if post.date is not None else time.time()
        out = msgspec.structs.replace(post, status="published", date=date, slug=address_of(post))
        path = await publish(exported(out, form), folder, replace=force)
        if out != post:
            await vault.posts.save(msgspec.structs.replace(out, updated_at=time.time()))
        click.echo(clean(f"Published to {path}."), err=True)

    session.run(with_vault(published))
