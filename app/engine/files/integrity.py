"""Whether a model file is what it should be, checked before native code sees it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from app.errors import IntegrityError

from .gguf import read_header

_CHUNK = 4 * 1024 * 1024


class FileIdentity(Struct, frozen=True):
    """What changes when a file is written or replaced; while it is the same, a digest need not be computed again."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, path: Path) -> FileIdentity:
        """The identity of the file that ``path`` leads to."""
        found = path.stat()
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


async def sha256_of(path: Path, on_progress: Callable[[int], None] | None = None) -> str:
    """A file's sha256 as hexadecimal digits, computed in threads.

    Args:
        path: the file.
        on_progress: gets the bytes done, on the event loop.

    Raises:
        OSError: when it cannot be read.
    """
    digest, done = hashlib.sha256(), 0

    def step(file: BinaryIO) -> int:
        chunk = file.read(_CHUNK)
        digest.update(chunk)
        return len(chunk)

    with path.open("rb") as file:
        # A step at a time, so that cancelling does not leave a thread behind that reads twenty gigabytes to their end.
        while count := await asyncio.to_thread(step, file):
            done += count
            if on_progress is not None:
                on_progress(done)
    return digest.hexdigest()


def check_digest(path: Path, name: str, *, expected: str, found: str, known_from: str = "the catalogue") -> None:
    """Compares a file's digest with the one that it should have.

    Raises:
        IntegrityError: showing both.
    """
    if found != expected:
        raise IntegrityError(
            f"{path.name} of {name} has sha256 {found}; {known_from} says {expected}.",
            "It is not used, and lies in the quarantine folder. Fetch it again; if that does not help, "
            "the catalogue or the source is wrong.",
        )


def check_format(path: Path) -> None:
    """Checks the header of a GGUF file; files of other formats are read by libraries that take no offsets from them.

    Raises:
        IntegrityError: when the header is not sound.
    """
    if path.suffix == ".gguf":
        read_header(path)
