"""``playground prompts``: texts with variables that are used again."""

from __future__ import annotations

import click

from app.cli.lazy import LazyGroup

_COMMANDS = {
    "edit": ("app.cli.prompts.changes:edit_prompt", "Change one in your editor, or by what is piped in."),
    "export": ("app.cli.prompts.files:export_prompts", "Write them as Markdown files, or print one."),
    "import": ("app.cli.prompts.files:import_prompts", "Take in Markdown files, or a folder of Fabric's patterns."),
    "list": ("app.cli.prompts.listing:list_prompts", "Show those that there are; with words, those that have them."),
    "new": ("app.cli.prompts.changes:new_prompt", "Write one in your editor, or keep what is piped in."),
    "remove": ("app.cli.prompts.changes:remove", "Put some into the bin; --forever removes them."),
    "rename": ("app.cli.prompts.changes:rename", "Give one another name."),
    "restore": ("app.cli.prompts.changes:restore", "Bring back what was before the last change, or was removed."),
    "show": ("app.cli.prompts.listing:show", "Print one, with its front matter."),
}


@click.group(cls=LazyGroup, commands_at=_COMMANDS)
def prompts() -> None:
    """Prompts and personas: list, show, write, import, export.

    A prompt is asked: playground chat --prompt NAME. A persona answers: playground chat --persona NAME. Variables are
    written {{name}} or {{name:default}}; {{input}} is what is piped in, or written behind the command.
    """
