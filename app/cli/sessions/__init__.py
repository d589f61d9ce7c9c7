"""``playground sessions``: the conversations that are kept."""

from __future__ import annotations

import click

from .changes import archive, delete, pin, rename, restore, tag
from .listing import list_sessions, search, show
from .taking_in import import_sessions
from .taking_out import export_sessions


@click.group()
def sessions() -> None:
    """Conversations that are kept: list, show, search, change, export, import.

    SESSION is an id, the beginning of one, or a title.
    """


for _command in (
    archive,
    delete,
    export_sessions,
    import_sessions,
    list_sessions,
    pin,
    rename,
    restore,
    search,
    show,
    tag,
):
    sessions.add_command(_command)
