"""A text in the person's own editor, for a command."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import click

from app.privacy.editor import edit


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
    with _signals_left_to_the_editor():
        process = await asyncio.create_subprocess_exec(*command, env=dict(environ))
        return await process.wait()


@contextmanager
def _signals_left_to_the_editor() -> Iterator[None]:
    # Handled, not ignored: what is ignored here would be ignored by the editor, too.
    before = {number: signal.signal(number, _let_pass) for number in (signal.SIGINT, signal.SIGQUIT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _let_pass(_number: int, _frame: object) -> None:
    """Does nothing."""
