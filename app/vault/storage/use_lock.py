"""Who uses the vault: any number of programs together, or one alone.

The kernel's lock on a file beside the vault, which it gives back when its holder ends, however that happens. Changing
from one kind of place to the other gives the lock up for a moment, so every change happens behind a gate: a second such
lock, held for microseconds.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import VaultInUseError

from .files import write_error

_PATIENCE_SECONDS = 10.0


class UseLock:
    """Held from unlocking until closing; ``alone`` while the files themselves are made, put right or replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Takes the vault alone where nobody uses it, else a place beside the others. Gives whether it is alone.

        Raises:
            VaultInUseError: when another program has the vault alone, for longer than it takes to open one.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            with self.gate():
                if self._try(fcntl.LOCK_EX):
                    return True
                if self._try(fcntl.LOCK_SH):
                    return False
            if time.monotonic() > deadline:
                self.release()
                raise VaultInUseError(
                    "Another Playground is rewriting or restoring the vault.", "Wait until it has finished."
                )
            time.sleep(0.02)

    def share(self) -> None:
        """Lets others in beside us; nobody can have the vault alone before that."""
        with self.gate():
            self._try(fcntl.LOCK_SH)

    def take_alone(self) -> None:
        """Has the vault alone until ``share`` or ``release``.

        Raises:
            VaultInUseError: when another program uses it; a shared place is kept.
        """
        with self.gate():
            held = self._descriptor is not None
            if self._try(fcntl.LOCK_EX):
                return
            if held:
                self._try(fcntl.LOCK_SH)  # a refused change of kind has lost the shared place
            else:
                self.release()
        raise VaultInUseError(
            "Another Playground has the vault open, and this needs it alone.", "Close the other one, then try again."
        )

    def release(self) -> None:
        """Gives the place back. Safe to call twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    @contextmanager
    def gate(self) -> Iterator[None]:
        """Keeps every other program from changing its place, or the key file, meanwhile.

        Raises:
            DiskFullError, VaultError: when its file cannot be made.
        """
        descriptor = _open(self._path.with_suffix(".gate"))
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _try(self, kind: int) -> bool:
        if self._descriptor is None:
            self._descriptor = _open(self._path)
        try:
            fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise write_error(path, error) from error
