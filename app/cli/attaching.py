"""Files that go with a question of the command line, and whether they may."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.privacy.terminal import clean

from .asking import confirmed, on_terminal

if TYPE_CHECKING:
    from app.chat.attaching.files import Attachment
    from app.playground import Playground

PIPED = "-"
"""Stands for what is piped in."""


def attached(files: Sequence[str]) -> tuple[Attachment, ...]:
    """Reads the files, in order.

    Raises:
        AttachmentError: naming the one that cannot be attached.
        click.UsageError: when standard input is meant, and nothing is piped in.
    """
    if not files:
        return ()
    from app.chat.attaching.files import MOST_PICTURE, attach_all, attach_bytes, short_name

    paths = [Path(file).expanduser() for file in files if file != PIPED]
    found = attach_all([(path, short_name(path)) for path in paths])
    if PIPED not in files:
        return found
    if sys.stdin is None or sys.stdin.isatty():
        raise click.UsageError("--attach - means what is piped in, and nothing is.")
    return (*found, attach_bytes(sys.stdin.buffer.read(MOST_PICTURE + 1), "standard input"))


async def require_sendable(playground: Playground, model: str, files: Sequence[Attachment]) -> None:
    """Looks whether a model may have the files, before anything is sent; asks where they commonly hold secrets.

    Raises:
        NotSupportedError: when there is a picture among them, and the model sees none.
        AttachmentError: when they are not to be sent.
    """
    from app.chat.attaching.files import AttachmentError
    from app.chat.attaching.sending import refused_images

    if any(file.pixels for file in files) and playground.router.sees(model) is False:
        raise refused_images(model)
    private = [clean(file.name) for file in files if file.private]
    if not private or not await _leaves(playground, model):
        return
    names = " and ".join(private)
    if not on_terminal():
        raise AttachmentError(
            f"{names} may hold secrets, and {model} is not on this machine, so nothing was sent.",
            "Ask a model of this machine; or pipe in what is not secret of it.",
        )
    if not confirmed(f"{names} may hold secrets. Send it to {model}, which is not on this machine?", yes=False):
        raise AttachmentError(f"{names} was not sent.")


async def _leaves(playground: Playground, model: str) -> bool:
    """Whether what is said to a model, or to one that answers in its place, leaves this machine."""
    lines = {line.name: line for line in await playground.router.listing()}
    asked = next((line for line in lines.values() if model == line.name or model in line.aliases), None)
    if asked is None:
        return playground.router.is_remote(model)
    return any(line.leaves for line in (asked, *(lines[name] for name in asked.fallback if name in lines)))
