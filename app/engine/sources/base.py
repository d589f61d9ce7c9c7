"""The seam between the store and wherever model files come from."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from app.engine.files.download import Report
from app.privacy.connections import ConnectionPolicy


class Source(Protocol):
    """One file somewhere."""

    @property
    def file_name(self) -> str:
        """What the file is called; a plain name without folders."""
        ...

    def room(self, size: int) -> int:
        """Bytes of disk that are taken, at most, while a file of ``size`` bytes comes."""
        ...

    def kept(self, part: Path) -> tuple[Path, ...]:
        """What ``fetch`` leaves beside ``part`` for the model's other files and for later tries; others may share it.

        It is to be deleted when the model is complete, or when it turned out wrong.
        """
        ...

    async def fetch(self, part: Path, policy: ConnectionPolicy, report: Report) -> str:
        """Writes the file to ``part``, going on from what is there if it can; gives its sha256 as hexadecimal digits.

        Cancelling is safe at any moment, and what came is kept where it can be continued. What is needed to continue
        lies in ``part`` with ``.json`` added to its name.

        Raises:
            LocalOnlyError: when ``policy`` forbids the connection.
            PlaygroundError: when it cannot be had; what ``report`` raises comes through as well.
        """
        ...
