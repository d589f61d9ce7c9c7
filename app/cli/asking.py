"""Questions to the person at the terminal, and what to do when nobody is there."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import click

from app.errors import WrongPassphraseError

from .session import report

T = TypeVar("T")

_TRIES = 3


def on_terminal() -> bool:
    """Whether somebody can read a question on standard error and answer it on standard input."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def can_ask_secret() -> bool:
    """Whether a passphrase can be asked for. It is read from the terminal, whatever standard input is."""
    if sys.stdin is not None and sys.stdin.isatty():
        return True
    if not sys.stderr.isatty():
        return False
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def ask_secret(words: str, *, may_be_empty: bool = False, again: str = "") -> str:
    """What the person types, unseen.

    Args:
        words: what is asked for.
        may_be_empty: whether Enter alone is an answer.
        again: asks a second time with these words, until both are the same.

    Raises:
        KeyboardInterrupt: when the person leaves by Ctrl-C or Ctrl-D.
    """
    with _heard_at_once():
        return click.prompt(
            words,
            hide_input=True,
            err=True,
            default="" if may_be_empty else None,
            show_default=False,
            confirmation_prompt=again or False,
        )


def confirmed(question: str, *, yes: bool) -> bool:
    """Whether the person agrees; ``yes`` says so beforehand.

    Raises:
        click.UsageError: when there is nobody to ask.
        KeyboardInterrupt: when the person leaves by Ctrl-C or Ctrl-D.
    """
    if yes:
        return True
    if not on_terminal():
        raise click.UsageError("Nobody can be asked here. Give --yes if that is what you mean.")
    with _heard_at_once():
        return click.confirm(question, err=True)


async def three_tries(attempt: Callable[[str], Awaitable[T]], words: str, *, may_be_empty: bool = False) -> T:
    """Asks for a secret and tries it, three times at most.

    Raises:
        WrongPassphraseError: when the third does not fit either.
    """
    for left in reversed(range(_TRIES)):
        try:
            return await attempt(ask_secret(words, may_be_empty=may_be_empty))
        except WrongPassphraseError as error:
            if not left:
                raise
            report(WrongPassphraseError(error.message))
    raise AssertionError


@contextmanager
def _heard_at_once() -> Iterator[None]:
    """Ctrl-C ends a question by itself: the event loop stands still meanwhile, and would hear of it only afterwards."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except click.Abort:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, before)
