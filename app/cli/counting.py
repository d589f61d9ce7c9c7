"""A line on standard error that counts while somebody waits."""

from __future__ import annotations

import sys
import time

import click

from app.privacy.terminal import clean


class CountLine:
    """Grows in place on a terminal; says nothing where nobody looks. May be shown from any one thread."""

    def __init__(self, title: str) -> None:
        self._title = clean(title)
        self._live = sys.stderr.isatty()
        self._last_paint = 0.0
        self._painted = False

    def show(self, done: int, total: int) -> None:
        """So much of it is done; painted ten times a second at most."""
        now = time.monotonic()
        if not self._live or (now - self._last_paint < 0.1 and done != total):
            return
        self._last_paint, self._painted = now, True
        share = f"{done / total:.0%}" if total else ""
        click.echo(f"\r\x1b[K{self._title}  {share}", err=True, nl=False)

    def finish(self) -> None:
        """Leaves the line to what comes next."""
        if self._painted:
            self._painted = False
            click.echo("\r\x1b[K", err=True, nl=False)
