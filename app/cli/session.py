"""What every command shares: opening the program, running its asynchronous work, reporting errors as sentences."""

from __future__ import annotations

import asyncio
import errno
import functools
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import ParamSpec, TypeVar

import click

from app.errors import PlaygroundError
from app.playground import Playground
from app.privacy.connections import ConnectionPolicy
from app.privacy.masking import Masker
from app.privacy.terminal import clean

from .interrupts import INTERRUPTED, raise_again

P = ParamSpec("P")
T = TypeVar("T")

_NOT_TAKEN = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO))
"""What a write to standard output says, where that is a file: the disk is full, or gone."""


class Session:
    """One run of a command.

    Args:
        environ: the process's environment.
        interface: opens the terminal interface on the program's parts and returns when it is left.
        policy: whether anything may leave the machine, as the process's guard asks it.
        masker: takes secrets out of warnings; it learns those that the program fetches.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        interface: Callable[[Playground], None],
        policy: ConnectionPolicy | None = None,
        masker: Masker | None = None,
    ) -> None:
        self.environ = environ
        self.policy = policy
        self.masker = masker
        self.local_only = False
        self.device: str | None = None
        self.face = "cli"
        self._interface = interface

    def open(self) -> Playground:
        """The program's parts.

        Raises:
            PlaygroundError: when settings or catalogues are wrong.
        """
        return Playground.open(
            self.environ,
            local_only=self.local_only,
            policy=self.policy,
            masker=self.masker,
            face=self.face,
            device=self.device,
        )

    def open_interface(self) -> None:
        """The terminal interface, until it is left.

        Raises:
            click.UsageError: when this is not a terminal, or one that cannot place the cursor.
        """
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise click.UsageError("The terminal interface needs a terminal. To ask one question: playground chat “…”")
        if self.environ.get("TERM") == "dumb":
            raise click.UsageError(
                "This terminal cannot show the interface (TERM is dumb). To ask one question: playground chat “…”"
            )
        self.face = "tui"
        reporting_errors(lambda: self._interface(self.open()))()

    def run(self, work: Callable[[Playground], Coroutine[None, None, T]]) -> T:
        """Opens the program, does ``work``, closes it. Ctrl-C cancels ``work``, which may still say what it has."""

        async def opened() -> T:
            playground = self.open()
            try:
                return await work(playground)
            finally:
                await playground.aclose()

        return asyncio.run(opened())


def report(error: PlaygroundError) -> None:
    """One line on standard error: what happened and what to do."""
    click.secho(f"playground: {clean(str(error))}", err=True, fg="red" if sys.stderr.isatty() else None)


def reporting_errors(command: Callable[P, T]) -> Callable[P, T]:
    """Turns what goes wrong into one line on standard error and an exit status: 1, or 130 after Ctrl-C."""

    @functools.wraps(command)
    def reported(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            raise_again()
            return command(*args, **kwargs)
        except PlaygroundError as error:
            report(error)
            sys.exit(1)
        except BrokenPipeError:
            # Whoever read has had enough, as `head` does. Nothing more may be written at exit either.
            sys.stdout = None
            sys.exit(128 + signal.SIGPIPE)
        except OSError as error:
            if error.filename is not None or error.errno not in _NOT_TAKEN:
                raise
            sys.stdout = None
            report(PlaygroundError(f"What was to be printed could not be written: {error.strerror}."))
            sys.exit(1)
        except (KeyboardInterrupt, asyncio.CancelledError):
            sys.exit(INTERRUPTED)

    return reported
