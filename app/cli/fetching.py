"""Model files that come while somebody waits at the command line."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.errors import InvalidRequestError
from app.playground import Playground

if TYPE_CHECKING:
    from app.engine.catalogues.catalogue import ModelEntry
    from app.engine.progress import Progress

_BAR_WIDTH = 24


class ProgressLine:
    """One line on standard error that grows in place; where that is no terminal, a few plain lines instead."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._live = sys.stderr.isatty()
        self._last_paint = 0.0
        self._last_stage = ""
        self._painted = False

    def show(self, progress: Progress) -> None:
        """The newest state of the work; painted ten times a second at most."""
        now = time.monotonic()
        if not self._live:
            if progress.stage != self._last_stage:
                self._last_stage = progress.stage
                click.echo(f"{self._title}: {progress.stage}", err=True)
            return
        if now - self._last_paint < 0.1 and progress.done != progress.total:
            return
        self._last_paint, self._painted = now, True
        click.echo(f"\r\x1b[K{self._title}  {describe(progress)}", err=True, nl=False)

    def finish(self) -> None:
        """Leaves the line to what comes next."""
        if self._painted:
            click.echo("\r\x1b[K", err=True, nl=False)


def describe(progress: Progress) -> str:
    """A bar, how much, how fast and how long yet."""
    if not progress.total:
        return f"{progress.stage} {megabytes(progress.done)}"
    share = progress.done / progress.total
    bar = ("█" * round(share * _BAR_WIDTH)).ljust(_BAR_WIDTH, "░")
    words = f"{bar} {share:4.0%}  {megabytes(progress.done)} of {megabytes(progress.total)}"
    if progress.bytes_per_second:
        words += f"  {megabytes(round(progress.bytes_per_second))}/s"
    if progress.seconds_left is not None and progress.done < progress.total:
        words += f"  {duration(progress.seconds_left)} left"
    return words if progress.stage == "downloading" else f"{progress.stage}  {words}"


def megabytes(count: int) -> str:
    """Bytes as people read them, in powers of ten."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def model_here(playground: Playground, name: str) -> ModelEntry:
    """A model that runs on this machine, whether its file is here or not.

    Raises:
        UnknownModelError: there is none of this name.
        InvalidRequestError: it runs elsewhere.
    """
    if playground.router.is_remote(name):
        raise InvalidRequestError(
            f"{name} runs elsewhere, and has no file here.", "What is known of it: playground models info " + name
        )
    return playground.catalogue.get(name)


def chat_model(playground: Playground, name: str) -> ModelEntry:
    """A model of this machine that chats; looked at before anything of it is fetched.

    Raises:
        UnknownModelError: there is none of this name.
        InvalidRequestError: it is for something else, or runs elsewhere.
    """
    entry = model_here(playground, name)
    if entry.role != "chat":
        raise InvalidRequestError(
            f"{name} is for {entry.role}, not for chat.", "`playground models list` shows which model is."
        )
    return entry


async def fetch(playground: Playground, entry: ModelEntry) -> Path:
    """The model's file, downloaded first where it is missing, with progress on standard error."""
    here = playground.store.path_of(entry)
    if here is not None:
        return here
    line = ProgressLine(f"Fetching {entry.name}")
    try:
        return await playground.store.fetch(entry, line.show)
    finally:
        line.finish()
