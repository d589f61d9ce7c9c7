"""Prompts from files, and as files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import click

from app.chat.prompt_library.importing import hidden_in, prompts_at
from app.chat.prompt_library.prompt_files import file_of
from app.cli.question import whole
from app.cli.session import Session, report, reporting_errors
from app.cli.tables import counted
from app.errors import FileThereError, PlaygroundError
from app.playground import Playground
from app.privacy.terminal import clean

from .listing import warn_of_hidden
from .opening import readable, writable

if TYPE_CHECKING:
    from app.chat.prompt_library.library import Taken
    from app.vault.prompts.records import Prompt

_NAMED = 5


@click.command("import")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Replace those of the same name; `restore` brings the earlier one back.")
@click.pass_obj
@reporting_errors
def import_prompts(session: Session, paths: tuple[Path, ...], replace: bool) -> None:
    """Take in a Markdown file, or every prompt in a folder: files with or without front matter, or Fabric's patterns.

    Front matter may say name, title, description, tags, kind (prompt or persona), model, temperature and the like.
    Those whose name is in use with another text are left as they are, unless --replace is given.
    """

    async def imported(playground: Playground) -> bool:
        prompts, sound = _read(paths)
        if prompts:
            # Files that cannot be read are no reason to make a vault, or to ask for its passphrase.
            library, _ = await writable(playground)
            _tell(await library.take_in(prompts, replace=replace))
            for prompt in filter(hidden_in, prompts):
                warn_of_hidden(prompt)
        elif sound:
            click.echo("There are no prompts.", err=True)
        return sound

    if not session.run(imported):
        sys.exit(1)


def _read(paths: tuple[Path, ...]) -> tuple[list[Prompt], bool]:
    """The prompts at all of them, and whether each file could be read. Of two with one name the first is taken."""
    prompts: dict[str, Prompt] = {}
    troubles: list[PlaygroundError] = []
    left_out = links = 0
    calls: list[str] = []
    for path in paths:
        try:
            found = prompts_at(path)
        except PlaygroundError as error:
            troubles.append(error)
            continue
        troubles += found.troubles
        left_out, links = left_out + found.left_out, links + found.links
        calls += found.calls
        for prompt in found.prompts:
            if prompts.setdefault(prompt.name, prompt) is not prompt:
                troubles.append(PlaygroundError(f"{path}: another prompt {prompt.name!r} was taken before it."))
    for trouble in troubles:
        report(trouble)
    if left_out:
        click.echo(
            f"{counted(left_out, 'Markdown file')} beside patterns left out; give the folder of them to take them in.",
            err=True,
        )
    if links:
        click.echo(f"{counted(links, 'link')} not followed.", err=True)
    if calls:
        click.echo(clean(f"Plugins of Fabric's are not run; their calls stay as text in: {_some(calls)}."), err=True)
    return list(prompts.values()), not troubles


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


def _tell(taken: Taken) -> None:
    for names, words in (
        (taken.added, "taken in"),
        (taken.replaced, "replaced; `playground prompts restore NAME` brings the earlier text back"),
        (taken.same, "there already"),
        (taken.left, "there with another text, and left as it is; --replace replaces it"),
    ):
        if names:
            click.echo(clean(f"{counted(len(names), 'prompt')} {words}: {_some(names)}"))


@click.command("export")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), help="The folder that they go into.")
@click.option("--all", "everything", is_flag=True, help="All of your own.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
@click.pass_obj
@reporting_errors
def export_prompts(
    session: Session, names: tuple[str, ...], output: Path | None, everything: bool, force: bool
) -> None:
    """Write each NAME as NAME.md into a folder, or print one. Exported files are not encrypted."""
    if bool(names) == everything:
        raise click.UsageError("Give a NAME, or --all.")
    if output is None and (everything or len(names) > 1):
        raise click.UsageError("Give --output with a folder.")

    async def exported(playground: Playground) -> None:
        library = await readable(playground)
        if everything:
            prompts = list(await library.own.all()) if library.own is not None else []
        else:
            prompts = [await library.get(whole(name)) for name in names]
        if output is None:
            text = file_of(prompts[0])
            click.echo(clean(text) if sys.stdout.isatty() else text, nl=False)
            return
        await _write(prompts, output, force=force)
        click.echo(
            clean(f"{counted(len(prompts), 'prompt')} exported to {output}. The files are not encrypted."), err=True
        )

    session.run(exported)


async def _write(prompts: list[Prompt], folder: Path, *, force: bool) -> None:
    from app.writing.exporting import Exported
    from app.writing.publishing import publish, require_room

    files = [Exported(PurePosixPath(f"{prompt.name}.md"), file_of(prompt)) for prompt in prompts]
    try:
        if not force:
            await require_room(files, folder)
        for file in files:
            await publish(file, folder, replace=force)
    except FileThereError as error:
        raise FileThereError(error.message, "Give --force if that is what you mean.") from error
