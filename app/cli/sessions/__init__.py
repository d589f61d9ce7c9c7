"""``playground sessions``: the conversations that are kept."""

from __future__ import annotations

import click

from app.cli.lazy import LazyGroup

_COMMANDS = {
    "archive": ("app.cli.sessions.changes:archive", "Put sessions away, out of the usual list."),
    "delete": ("app.cli.sessions.changes:delete", "Put sessions into the bin; --forever removes them."),
    "export": ("app.cli.sessions.taking_out:export_sessions", "Write one, or all, as Markdown, JSON or a web page."),
    "import": ("app.cli.sessions.taking_in:import_sessions", "Take in our JSON, or an export of ChatGPT or Claude."),
    "list": ("app.cli.sessions.listing:list_sessions", "Show what is kept, the latest first."),
    "pin": ("app.cli.sessions.changes:pin", "Keep sessions at the top of the list."),
    "rename": ("app.cli.sessions.changes:rename", "Give a session a title."),
    "restore": ("app.cli.sessions.changes:restore", "Take sessions out of the bin."),
    "search": ("app.cli.sessions.listing:search", "Find messages and titles by their words."),
    "show": ("app.cli.sessions.listing:show", "Print a conversation."),
    "tag": ("app.cli.sessions.changes:tag", "Give a session tags, or take them off."),
}


@click.group(cls=LazyGroup, commands_at=_COMMANDS)
def sessions() -> None:
    """Conversations that are kept: list, show, search, change, export, import.

    SESSION is an id, the beginning of one, or a title.
    """
