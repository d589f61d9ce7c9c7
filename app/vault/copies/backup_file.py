"""The file of a backup: a copy of the database, then a trailer, then how long that is and the SHA-256 of both.

The trailer says who made the backup and when, and holds the wrapped keys, so that the file opens by itself.
"""

from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from app.errors import BackupError
from app.vault.keys.keyfile import KeyFile
from app.vault.opening import master_key
from app.vault.storage.cipher import PAGE_BYTES

Reason = Literal["daily", "manual", "upgrade"]

_MAGIC = b"playground-backup-1\n"
_FOOTER = struct.Struct(f">Q32s{len(_MAGIC)}s")
_MOST_TRAILER = 1024 * 1024
_CHUNK = 1024 * 1024


class Manifest(Struct, frozen=True):
    """What a backup says of itself. Times are seconds since 1970."""

    created_at: float
    reason: Reason
    sessions: int
    messages: int
    keys: KeyFile


def verify(path: Path, secret: str | None = None) -> Manifest:
    """Reads a backup from the first byte to the last; with a secret, or where none is needed, opens it as well.

    Raises:
        BackupError: when a single bit is not what was written.
        WrongPassphraseError: when the secret is not the one that the vault had then.
    """
    manifest, length = read_trailer(path)
    digest = hashlib.sha256()
    with path.open("rb") as file:
        left = path.stat().st_size - _FOOTER.size
        while left:
            chunk = file.read(min(_CHUNK, left))
            if not chunk:
                raise _broken(path, "it became shorter while it was read")
            digest.update(chunk)
            left -= len(chunk)
        _length, expected, _magic = _FOOTER.unpack(file.read(_FOOTER.size))
    if digest.digest() != expected:
        raise _broken(path, "its SHA-256 is not the one that was written")
    if length % PAGE_BYTES:
        raise _broken(path, "its database has not a whole number of pages")
    if secret is not None or "file" in manifest.keys.ways():
        master_key(manifest.keys, secret)
    return manifest


def append_trailer(path: Path, manifest: Manifest) -> None:
    """Makes a backup of the copy of a database; on the disk when this returns."""
    trailer = msgspec.json.encode(manifest)
    digest = hashlib.sha256()
    with path.open("r+b") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
        digest.update(trailer)
        file.write(trailer)
        file.write(_FOOTER.pack(len(trailer), digest.digest(), _MAGIC))
        file.flush()
        os.fsync(file.fileno())


def read_trailer(path: Path) -> tuple[Manifest, int]:
    """What a backup says of itself, and the length of its database in bytes."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            if size < _FOOTER.size:
                raise _broken(path, f"it has only {size} bytes")
            file.seek(size - _FOOTER.size)
            length, _digest, magic = _FOOTER.unpack(file.read(_FOOTER.size))
            if magic != _MAGIC:
                raise _broken(path, "it does not end as a backup ends, so it was cut short or is something else")
            database = size - _FOOTER.size - length
            if length > _MOST_TRAILER or database < PAGE_BYTES:
                raise _broken(path, "its lengths do not fit together")
            file.seek(database)
            manifest = msgspec.json.decode(file.read(length), type=Manifest)
    except OSError as error:
        raise BackupError(f"The backup {path} cannot be read: {error.strerror}.") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _broken(path, f"what it says of itself cannot be read: {error}") from error
    if not manifest.keys.is_whole():
        raise _broken(path, "its keys are missing or out of range")
    return manifest, database


def extract_database(path: Path, target: Path, length: int) -> None:
    """Writes the first ``length`` bytes of a backup, its database, to a new file; on the disk when this returns."""
    with path.open("rb") as source, target.open("xb") as copy:
        target.chmod(0o600)
        left = length
        while left and (chunk := source.read(min(_CHUNK, left))):
            copy.write(chunk)
            left -= len(chunk)
        copy.flush()
        os.fsync(copy.fileno())


def _broken(path: Path, why: str) -> BackupError:
    return BackupError(f"{path.name} is not a sound backup: {why}.", "Take another one; nothing was changed.")
