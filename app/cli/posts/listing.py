"""Looking at posts: the list, a search, one post, how it was before."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click
import msgspec

from app.cli.question import whole
from app.cli.session import Session, reporting_errors
from app.cli.tables import counted, moment, shortened, table
from app.cli.unlocking import existing, with_vault
from app.playground import Playground
from app.privacy.terminal import clean

if TYPE_CHECKING:
    from app.vault import Vault
    from app.vault.posts.posts import PostShelf
    from app.vault.posts.records import PostHit, PostLine

_TITLE_WIDTH = 50
_LINES = 50
_NOTHING = {"current": "No posts yet. Begin one in the interface: F6.", "bin": "The bin is empty."}


@click.command("list")
@click.argument("words", nargs=-1)
@click.option("--bin", "deleted", is_flag=True, help="Those that were deleted and can be restored.")
@click.option("--limit", type=click.IntRange(min=1), help=f"At most so many; {_LINES} when not given, all with --json.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@click.pass_obj
@reporting_errors
def list_posts(session: Session, words: tuple[str, ...], deleted: bool, limit: int | None, as_json: bool) -> None:
    """Show the posts that are kept, the latest first; with WORDS those that have all of them."""
    shelf: PostShelf = "bin" if deleted else "current"
    sought = whole(" ".join(words))

    async def listed(playground: Playground) -> None:
        if playground.vault.state == "absent":
            click.echo("[]" if as_json else _NOTHING[shelf])
            return
        vault = await existing(playground)
        there = await vault.posts.count(shelf, sought)
        lines = await vault.posts.lines(limit=limit or (there if as_json else _LINES), shelf=shelf, words=sought)
        if as_json:
            click.echo(json.dumps([msgspec.to_builtins(line) for line in lines]))
        elif lines:
            click.echo(_table(lines))
            if there > len(lines):
                click.echo(f"{there - len(lines)} more; --limit {there} shows all.", err=True)
        else:
            click.echo("No post has these words." if sought else _NOTHING[shelf])

    session.run(listed)


def _table(lines: tuple[PostLine, ...]) -> str:
    rows = [
        (
            line.id[:8],
            shortened(clean(line.title) or "untitled", _TITLE_WIDTH),
            line.status,
            str(line.characters),
            moment(line.updated_at),
            clean(", ".join(line.tags)),
        )
        for line in lines
    ]
    return table(("Id", "Title", "Status", "Length", "Changed", "Tags"), rows, frozenset({3}))


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--bin", "deleted", is_flag=True, help="Among those that were deleted and can be restored.")
@click.option("--limit", type=click.IntRange(min=1), default=_LINES, show_default=True, help="At most so many posts.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@click.pass_obj
@reporting_errors
def search(session: Session, words: tuple[str, ...], deleted: bool, limit: int, as_json: bool) -> None:
    """Find the posts that have every word of WORDS in title, tags or text; a word may be only begun."""
    sought = whole(" ".join(words))

    async def found(playground: Playground) -> None:
        hits: tuple[PostHit, ...] = ()
        if playground.vault.state != "absent":
            vault = await existing(playground)
            hits = await vault.posts.search(sought, limit, shelf="bin" if deleted else "current")
        if as_json:
            click.echo(json.dumps(msgspec.to_builtins(hits)))
            return
        for hit in hits:
            _print_hit(hit)
        if not hits:
            click.echo(clean(f"No post has {sought!r}."), err=True)
        elif len(hits) == limit:
            click.echo(f"There may be more than {counted(limit, 'post')}; --limit shows more.", err=True)

    session.run(found)


def _print_hit(hit: PostHit) -> None:
    line = hit.line
    title = shortened(clean(line.title) or "untitled", _TITLE_WIDTH)
    click.echo(
        clean("  ".join((line.id[:8], title, line.status, moment(line.updated_at), ", ".join(line.tags)))).rstrip()
    )
    if not hit.marks:
        return
    excerpt, at = "    ", 0
    for start, end in hit.marks:
        excerpt += clean(hit.excerpt[at:start]) + click.style(clean(hit.excerpt[start:end]), bold=True)
        at = end
    click.echo(excerpt + clean(hit.excerpt[at:]))


@click.command()
@click.argument("which", metavar="POST")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@click.pass_obj
@reporting_errors
def show(session: Session, which: str, as_json: bool) -> None:
    """Print POST as Markdown with its front matter."""

    async def shown(vault: Vault) -> None:
        from app.writing.front_matter import written

        post = await vault.posts.find(whole(which))
        _print(json.dumps(msgspec.to_builtins(post)) + "\n" if as_json else written(post))

    session.run(with_vault(shown))


@click.command()
@click.argument("which", metavar="POST")
@click.argument("number", type=click.IntRange(min=1), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
@reporting_errors
def revisions(session: Session, which: str, number: int | None, as_json: bool) -> None:
    """Show how POST was before; with NUMBER, print that revision's text."""

    async def shown(vault: Vault) -> None:
        post = await vault.posts.find(whole(which))
        if number is not None:
            revision = await vault.posts.revision(post.id, number)
            _print(json.dumps(msgspec.to_builtins(revision)) + "\n" if as_json else revision.body)
            return
        lines = await vault.posts.revisions(post.id)
        if as_json:
            click.echo(json.dumps([msgspec.to_builtins(line) for line in lines]))
        elif lines:
            rows = [
                (str(line.number), moment(line.created_at), clean(line.reason), str(line.characters)) for line in lines
            ]
            click.echo(table(("Number", "Kept", "Why", "Length"), rows, frozenset({0, 3})))
        else:
            click.echo("It has no revisions yet.")

    session.run(with_vault(shown))


def _print(text: str) -> None:
    click.echo(clean(text) if sys.stdout.isatty() else text, nl=False)
