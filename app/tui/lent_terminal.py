"""Lends the terminal to another program, an editor, while everything else goes on."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from textual.app import App

_PATIENCE = 2.0
"""Seconds that a program which is called off has to end by itself."""


class LentTerminal:
    """Steps aside for a program that needs the terminal. The loop runs on: the server answers, an answer comes in.

    Args:
        app: who paints there otherwise.
    """

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._lent = False

    @property
    def lent(self) -> bool:
        """Whether another program has the terminal: somebody is there, though no key comes here."""
        return self._lent

    async def lend(self, command: Sequence[str], environ: Mapping[str, str]) -> int:
        """Runs a program in the terminal and waits for its end; gives its status, negative for a signal.

        Nothing is read or painted meanwhile. Keys that send signals to all programs of the terminal are the other
        program's: they do not end this one. When the wait is cancelled, the program is ended.

        Raises:
            OSError: when the program cannot be started.
            SuspendNotSupported: when there is no terminal to lend, as in a browser.
        """
        from app.privacy.editor import signals_left_to_another

        ended: int | OSError | asyncio.CancelledError
        # What this program prints would land in the other's picture, so it stays redirected as it is.
        out, err = sys.stdout, sys.stderr
        with self._app.batch_update(), signals_left_to_another(), self._app.suspend():
            self._lent = True
            try:
                with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                    ended = await _run(command, environ)
            except (OSError, asyncio.CancelledError) as error:
                # Raised in here, it would keep the terminal from being taken back.
                ended = error
                if self._app._exit:
                    raise
            finally:
                self._lent = False
        self._app.screen.refresh(layout=True)
        if isinstance(ended, BaseException):
            raise ended
        return ended


async def _run(command: Sequence[str], environ: Mapping[str, str]) -> int:
    process = await asyncio.create_subprocess_exec(*command, env=dict(environ))
    try:
        return await process.wait()
    except asyncio.CancelledError:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _PATIENCE)
        except TimeoutError:
            process.kill()
            await process.wait()
        raise
