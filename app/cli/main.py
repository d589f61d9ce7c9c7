"""``playground``: the terminal interface without a command, the command line with one."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from app import __version__

from .session import Session

_COMMANDS = {
    "backup": "app.cli.backup:backup",
    "bench": "app.cli.bench:bench",
    "chat": "app.cli.chat:chat",
    "doctor": "app.cli.doctor:doctor",
    "models": "app.cli.models:models",
    "sessions": "app.cli.sessions:sessions",
    "vault": "app.cli.vault:vault",
}


class LazyGroup(click.Group):
    """Imports a command's file only when that command is called, so that each starts as fast as it can."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands' names, in alphabetical order."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, imported now."""
        target = _COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, _, name = target.partition(":")
        command: Any = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--local-only", is_flag=True, help="Forbid everything that would leave this machine.")
@click.version_option(__version__, "-V", "--version", message="playground %(version)s")
@click.pass_context
def cli(context: click.Context, local_only: bool) -> None:
    """A private AI workbench in the terminal. Without a command it opens the terminal interface."""
    session = context.ensure_object(Session)
    session.local_only = local_only
    if context.invoked_subcommand is None:
        session.open_interface()
