"""Writing small files so that they are there whole, or not at all, and only their owner can read them."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from app.errors import DiskFullError, VaultError


def write_whole(path: Path, content: bytes) -> None:
    """Puts ``content`` in the place of ``path`` in one step that survives a loss of power; mode 0600.

    Raises:
        DiskFullError: when there is no room; what was there before is untouched.
        VaultError: when the folder cannot be written to.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise write_error(path, error) from error


def sync_file(path: Path) -> None:
    """Makes a file and its name survive a loss of power."""
    _sync(path)
    _sync(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes a new or changed name in a folder survive a loss of power."""
    _sync(folder)


def remove_database(path: Path) -> None:
    """Removes a database and what SQLite keeps beside it; nothing happens where there is none."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_error(path: Path, error: OSError) -> VaultError | DiskFullError:
    """The error to raise when ``path`` could not be written."""
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFullError(
            f"There is no room on the disk for {path.name}.", "Make room; nothing that was kept is lost."
        )
    return VaultError(f"{path} cannot be written: {error.strerror}.", "See who may write to that folder.")
