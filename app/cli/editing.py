"""A text in the person's own editor, for a command."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence

import click

from app.privacy.editor import edit, signals_left_to_another


async def written_by_hand(text: str, environ: Mapping[str, str]) -> str | None:
    """What was saved in the editor; ``None`` when it was left without saving.

    Raises:
        click.UsageError: when there is no terminal to edit in.
        EditorError: when the editor does not start or fails.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("An editor needs a terminal. Without one, pipe the text in.")
    return await edit(text, environ, _run)


async def _run(command: Sequence[str], environ: Mapping[str, str]) -> int:
    with signals_left_to_another():
        process = await asyncio.create_subprocess_exec(*command, env=dict(environ))
        return await process.wait()
