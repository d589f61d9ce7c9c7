"""Who uses the vault: any number of programs together, or one alone.

The kernel's lock on a file beside the vault, which it gives back when its holder ends, however that happens.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from app.errors import VaultInUseError

_PATIENCE_SECONDS = 2.0


class UseLock:
    """Held from unlocking until closing; ``alone`` while the file itself is replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def share(self) -> bool:
        """Takes a place beside others. Gives whether nobody else had one at that moment.

        Raises:
            VaultInUseError: when a program has the vault alone.
        """
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        alone = self._try(fcntl.LOCK_EX)
        # Another program that is just starting has it alone for the moment that this question takes.
        while not self._try(fcntl.LOCK_SH):
            if time.monotonic() > deadline:
                self.release()
                raise VaultInUseError(
                    "Another Playground is rewriting or restoring the vault.", "Wait until it has finished."
                )
            time.sleep(0.02)
        return alone

    def take_alone(self) -> None:
        """Has the vault alone until ``share`` or ``release``.

        Raises:
            VaultInUseError: when another program uses it; the shared place is kept.
        """
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not self._try(fcntl.LOCK_EX):
            self._try(fcntl.LOCK_SH)  # a refused change of kind may have lost the shared place
            raise VaultInUseError(
                "Another Playground has the vault open, and this needs it alone.",
                "Close the other one, then try again.",
            )

    def release(self) -> None:
        """Gives the place back. Safe to call twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _try(self, kind: int) -> bool:
        assert self._descriptor is not None
        try:
            fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
