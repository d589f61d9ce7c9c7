"""Reading an export of another program, writing one of ours. Both run in a thread: a disk may be slow."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from app.errors import DiskFullError, PlaygroundError

MOST_BYTES = 1024 * 1024 * 1024


def write_private(path: Path, text: str) -> None:
    """Writes ``text`` for its owner alone; a file that was there is replaced when the new one is whole.

    Raises:
        PlaygroundError: when the disk or the folder does not take it.
    """
    new = path.with_name(f".{path.name[:200]}.new")
    try:
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        full = error.errno == errno.ENOSPC
        kind, remedy = (
            (DiskFullError, "Make room, or name another folder.") if full else (PlaygroundError, "Name another file.")
        )
        raise kind(f"{path} could not be written: {error.strerror or error}.", remedy) from error


def read_bounded(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        PlaygroundError: when it cannot be read, or is larger than a gibibyte.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise PlaygroundError(f"{path} could not be read: {error.strerror or error}.", "Name another file.") from error
    if len(content) > MOST_BYTES:
        raise PlaygroundError(f"{path} is larger than a gibibyte.", "Take single conversations out of it.")
    return content
