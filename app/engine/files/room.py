"""Whether the disk has room for a model, and what to say when it has not."""

from __future__ import annotations

import shutil
from pathlib import Path

from app.errors import DiskFullError

_SPARE_BYTES = 64 * 1024 * 1024
"""Room that a download leaves on the disk for everybody else."""

_MB = 1_000_000


def require_room(model: str, folder: Path, part: Path, size: int | None) -> None:
    """Looks whether a download fits, before it begins.

    Args:
        model: its name.
        folder: the models' folder.
        part: what has come of it, if anything.
        size: bytes that it takes on the disk while it comes; None when that is not known, and anything fits.

    Raises:
        DiskFullError: it does not.
        OSError: the disk cannot be asked.
    """
    if size is not None and shutil.disk_usage(folder).free < _still_needed(part, size):
        raise no_room(model, folder, part, size)


def no_room(model: str, folder: Path, part: Path, size: int | None) -> DiskFullError:
    """Says which model, what is still needed and where, what is free, and what to do; see ``require_room``."""
    free = shutil.disk_usage(folder).free
    need = None if size is None else _still_needed(part, size)
    if need is None:
        why = f"{free // _MB} MB are free, and how much it needs is not known"
    elif free < need:
        why = f"it needs {-(-need // _MB)} MB more, and {free // _MB} MB are free"
    else:
        why = "what one user or one file may take there is used up"
    return DiskFullError(
        f"There is no room for {model} in {folder}: {why}.",
        "Make room (`playground models remove NAME` deletes another model) or set PLAYGROUND_HOME to a larger disk,"
        " then try again.",
    )


def _still_needed(part: Path, size: int) -> int:
    return max(0, size - (part.stat().st_size if part.is_file() else 0)) + _SPARE_BYTES
