"""Changing posts: the bin, and taking in files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from app.cli.asking import confirmed
from app.cli.question import whole
from app.cli.session import Session, report, reporting_errors
from app.cli.tables import counted
from app.cli.unlocking import unlocked, with_vault
from app.errors import ImportFormatError, PlaygroundError, UnknownPostError
from app.playground import Playground
from app.privacy.terminal import clean

if TYPE_CHECKING:
    from app.vault import Vault
    from app.vault.posts.records import Post, PostLine

_MOST_BYTES = 16 * 1024 * 1024


@click.command()
@click.argument("which", metavar="POST...", nargs=-1, required=True)
@click.option("--forever", is_flag=True, help="Remove them, and their revisions, for good.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
@reporting_errors
def delete(session: Session, which: tuple[str, ...], forever: bool, yes: bool) -> None:
    """Put each POST into the bin, from which it can be restored."""

    async def deleted(vault: Vault) -> None:
        found = [
            await _find_anywhere(vault, words) if forever else await vault.posts.find(whole(words)) for words in which
        ]
        for post in found:
            title = clean(post.title) or "untitled"
            if not forever:
                await vault.posts.delete(post.id)
                click.echo(f"“{title}” is in the bin.")
            elif confirmed(f"Remove “{title}” and its revisions for good?", yes=yes):
                await vault.posts.purge(post.id)
                click.echo(f"“{title}” is gone.")

    session.run(with_vault(deleted))


@click.command()
@click.argument("which", metavar="POST...", nargs=-1, required=True)
@click.pass_obj
@reporting_errors
def restore(session: Session, which: tuple[str, ...]) -> None:
    """Take each POST out of the bin."""

    async def restored(vault: Vault) -> None:
        for words in which:
            line = await _in_bin(vault, whole(words))
            if line is None:
                raise UnknownPostError(f"There is no post {words!r} in the bin.", "See: playground posts list --bin")
            await vault.posts.restore(line.id)
            click.echo(f"“{clean(line.title) or 'untitled'}” is back.")

    session.run(with_vault(restored))


@click.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.pass_obj
@reporting_errors
def import_posts(session: Session, files: tuple[Path, ...]) -> None:
    """Take in Markdown files. Front matter in YAML or TOML is read; without a title in it the first heading is one."""

    async def imported(playground: Playground) -> int:
        taken: list[Post] = []
        for file in files:
            try:
                taken.append(_read(file))
            except PlaygroundError as error:
                report(error)
        if taken:
            # Files that cannot be read are no reason to make a vault, or to ask for its passphrase.
            vault = await unlocked(playground)
            for post in taken:
                await vault.posts.save(post)
                click.echo(f"{post.id[:8]}  {clean(post.title)}")
        return len(files) - len(taken)

    failed = session.run(imported)
    if failed:
        click.echo(f"{counted(failed, 'file')} not taken in.", err=True)
        raise SystemExit(1)


def _read(file: Path) -> Post:
    from app.vault.posts.posts import new_post
    from app.writing.front_matter import taken_in
    from app.writing.outline import outline

    try:
        with file.open("rb") as opened:
            content = opened.read(_MOST_BYTES + 1)
        text = content.decode("utf-8")
    except OSError as error:
        raise ImportFormatError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ImportFormatError(
            f"{file} is not UTF-8 text: byte {error.start} cannot be read.", "Save it as UTF-8."
        ) from error
    if len(content) > _MOST_BYTES:
        raise ImportFormatError(f"{file} has more than {_MOST_BYTES // 2**20} MiB.", "A post is shorter than that.")
    try:
        post = taken_in(text, new_post())
    except ImportFormatError as error:
        raise ImportFormatError(f"{file}: {error.message}", error.remedy) from error
    first = next(iter(outline(post.body)), None)
    title = post.title or (first.title if first else "") or file.stem
    return msgspec.structs.replace(post, title=title)


async def _find_anywhere(vault: Vault, words: str) -> Post | PostLine:
    return await _in_bin(vault, whole(words)) or await vault.posts.find(whole(words))


async def _in_bin(vault: Vault, words: str) -> PostLine | None:
    """The deleted post that is meant by an id, its beginning, or a title; None when none is.

    Raises:
        UnknownPostError: when several are.
    """
    words = words.strip()
    if not words:
        return None
    lines = await vault.posts.lines(limit=await vault.posts.count("bin"), shelf="bin")
    for fits in (
        [line for line in lines if line.title.casefold() == words.casefold()],
        [line for line in lines if line.id.startswith(words)],
    ):
        if len(fits) > 1:
            named = ", ".join(f"{line.id[:8]} ({line.title or 'untitled'})" for line in fits[:5])
            raise UnknownPostError(f"{words!r} could be several posts in the bin: {named}.", "Give more of the id.")
        if fits:
            return fits[0]
    return None
