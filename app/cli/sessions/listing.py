"""Looking at sessions: the list, one conversation, a search through all."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING

import click
import msgspec

from app.cli.question import whole
from app.cli.session import Session, reporting_errors
from app.cli.tables import cells, counted, moment, shortened, table
from app.cli.unlocking import existing, with_vault
from app.playground import Playground
from app.privacy.terminal import clean

from .finding import as_object, find

if TYPE_CHECKING:
    from app.vault import SearchHit, SessionLine, Vault
    from app.vault.conversations.sessions import Shelf

_TITLE_WIDTH = 60
_LEAST_TITLE_WIDTH = 20
_OTHER_COLUMNS = 40
_LINES = 50
_NOTHING = {
    "current": "No conversations yet. To begin one: playground chat “Hello”",
    "archived": "Nothing is archived.",
    "bin": "The bin is empty.",
}


@click.command("list")
@click.option("--archived", is_flag=True, help="Those that were archived.")
@click.option("--bin", "deleted", is_flag=True, help="Those that were deleted and can be restored.")
@click.option("--tag", help="Those that have this tag.")
@click.option("--limit", type=click.IntRange(min=1), help=f"At most so many; {_LINES} when not given, all with --json.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@click.pass_obj
@reporting_errors
def list_sessions(
    session: Session, archived: bool, deleted: bool, tag: str | None, limit: int | None, as_json: bool
) -> None:
    """Show the conversations that are kept: pinned ones first, then the latest."""
    if archived and deleted:
        raise click.UsageError("Give --archived or --bin, not both.")
    shelf: Shelf = "archived" if archived else "bin" if deleted else "current"
    tag = whole(tag) if tag is not None else None

    async def listed(playground: Playground) -> None:
        if playground.vault.state == "absent":
            click.echo("[]" if as_json else _NOTHING[shelf])
            return
        vault = await existing(playground)
        there = await vault.sessions.count(shelf, tag)
        lines = await vault.sessions.lines(limit=limit or (there if as_json else _LINES), shelf=shelf, tag=tag)
        if as_json:
            click.echo(json.dumps([as_object(line) for line in lines]))
        elif lines:
            click.echo(_table(lines))
            if there > len(lines):
                click.echo(f"{there - len(lines)} more; --limit {there} shows all.", err=True)
        else:
            click.echo(_NOTHING[shelf] if tag is None else await _no_such_tag(vault, tag))

    session.run(listed)


def _title_width(lines: tuple[SessionLine, ...]) -> int:
    """As wide as the terminal has room for beside the other columns."""
    if not sys.stdout.isatty():
        return _TITLE_WIDTH
    tags = max(cells(clean(", ".join(line.tags))) for line in lines)
    return max(_LEAST_TITLE_WIDTH, min(_TITLE_WIDTH, shutil.get_terminal_size().columns - _OTHER_COLUMNS - tags))


def _table(lines: tuple[SessionLine, ...]) -> str:
    width = _title_width(lines)
    rows = [
        (
            line.id[:8],
            shortened(("★ " if line.pinned else "") + (clean(line.title) or "untitled"), width),
            str(line.messages),
            moment(line.updated_at),
            clean(", ".join(line.tags)),
        )
        for line in lines
    ]
    return table(("Id", "Title", "Messages", "Changed", "Tags"), rows, right=frozenset({2}))


async def _no_such_tag(vault: Vault, tag: str) -> str:
    known = ", ".join(name for name, _count in await vault.sessions.tags())
    return clean(
        f"No conversation here has the tag {tag!r}. " + (f"Tags in use: {known}" if known else "No tag is in use.")
    )


@click.command()
@click.argument("which", metavar="SESSION")
@click.option("--json", "as_json", is_flag=True, help="Print everything that is kept of it as JSON, every branch.")
@click.pass_obj
@reporting_errors
def show(session: Session, which: str, as_json: bool) -> None:
    """Print a conversation: the branch that is shown, as Markdown."""

    async def shown(vault: Vault) -> None:
        from app.chat.formats import export
        from app.chat.formats.markdown import to_markdown

        conversation = await vault.sessions.load(await find(vault, which))
        text = export(conversation, "json") if as_json else to_markdown(conversation, pictures=not sys.stdout.isatty())
        click.echo(clean(text) if sys.stdout.isatty() else text, nl=False)

    session.run(with_vault(shown))


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many messages.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
@reporting_errors
def search(session: Session, words: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Find the messages and titles that hold every word of WORDS; the last word may be only begun."""
    asked = whole(" ".join(words))

    async def found(playground: Playground) -> None:
        titles: tuple[SessionLine, ...] = ()
        hits: tuple[SearchHit, ...] = ()
        if playground.vault.state != "absent":
            vault = await existing(playground)
            titles = await vault.search.sessions(asked, limit)
            hits = await vault.search.messages(asked, limit)
        if as_json:
            click.echo(
                json.dumps({"sessions": [as_object(line) for line in titles], "messages": msgspec.to_builtins(hits)})
            )
            return
        if titles:
            click.echo(_table(titles))
        for hit in hits:
            _print_hit(hit)
        if not titles and not hits:
            click.echo(clean(f"Nothing that is kept holds {asked!r}."), err=True)
        elif len(hits) == limit:
            click.echo(f"There may be more than {counted(limit, 'message')}; --limit shows more.", err=True)

    session.run(found)


def _print_hit(hit: SearchHit) -> None:
    title = shortened(clean(hit.session_title) or "untitled", _TITLE_WIDTH)
    click.echo(clean(f"\n{hit.session_id[:8]}  {title}  {hit.role}, {moment(hit.created_at)}"))
    excerpt, at = "    ", 0
    for start, end in hit.marks:
        excerpt += clean(hit.excerpt[at:start]) + click.style(clean(hit.excerpt[start:end]), bold=True)
        at = end
    click.echo(excerpt + clean(hit.excerpt[at:]))
