"""Backups: the whole vault in one encrypted file that opens by itself.

A backup is a copy of the database, made while others write, with a trailer: who made it and when, the wrapped keys, and
the SHA-256 of everything before. It opens with the passphrase or recovery key that the vault had when it was made.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import struct
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from app.errors import BackupError

from .cipher import PAGE_BYTES, connect, translated
from .copying import Progress, copy_database
from .files import sync_folder, write_error
from .finishing import Stoppable, to_the_end
from .keyfile import KeyFile
from .opening import Opened, Places, current_keys, master_key

Reason = Literal["daily", "manual", "upgrade"]

_SUFFIX = ".backup"
_MAGIC = b"playground-backup-1\n"
_FOOTER = struct.Struct(f">Q32s{len(_MAGIC)}s")
_MOST_TRAILER = 1024 * 1024
_CHUNK = 1024 * 1024
_UPGRADES_KEPT = 3
_STAGED = ".restoring"


class Manifest(Struct, frozen=True):
    """What a backup says of itself. Times are seconds since 1970."""

    created_at: float
    reason: Reason
    sessions: int
    messages: int
    keys: KeyFile


class Backup(Struct, frozen=True):
    """A backup in the folder; ``manifest`` is None where the file is not whole, and ``problem`` says why."""

    path: Path
    size: int
    manifest: Manifest | None
    problem: str = ""


class Backups:
    """Makes, lists, checks and brings back backups.

    Args:
        folder: where they go.
        home: the vault's own files; a folder outside theirs is taken for one that others may see.
        opened: gives the keys of the open vault, or raises ``VaultLockedError``.
        changing: held while the vault's files are changed or closed, which must not happen under a copy.
        daily_kept: daily backups that are kept, the newest ones. What a person asked for is kept for good.
    """

    def __init__(
        self, folder: Path, home: Places, opened: Callable[[], Opened], changing: asyncio.Lock, daily_kept: int = 7
    ) -> None:
        self.folder = folder
        self._home, self._opened, self._changing = home, opened, changing
        self._under_way: Stoppable | None = None
        self._kept: dict[Reason, int | None] = {"daily": daily_kept, "manual": None, "upgrade": _UPGRADES_KEPT}

    async def create(self, reason: Reason = "manual", on_progress: Progress = lambda _done, _all: None) -> Backup:
        """Makes a backup of what is committed now, reads it through, and removes those that are too many.

        Raises:
            BackupError: when the folder is elsewhere and nothing but the key file guards the vault.
            DiskFullError: when there is no room; nothing is left of the attempt.
            VaultError: when the vault was locked before it was done.
        """
        async with self._changing:
            opened = self._opened()
            self._under_way = Stoppable(on_progress)
            work = asyncio.to_thread(self._create, opened, self.folder, reason, self._under_way)
            return await to_the_end(work, self._under_way.stop)

    def stop(self) -> None:
        """Ends a backup that is under way soon, as before the vault is locked; nothing is left of it."""
        if self._under_way is not None:
            self._under_way.stop()

    def before_upgrade(self, opened: Opened, _version: int) -> None:
        """The backup that is made before a schema is changed, in the calling thread.

        Where only a passphrase would let it lie elsewhere it stays at home: to set one, the vault must be open first.
        """
        folder = self.folder if _can_leave_home(opened.keys) else self._home.database.parent / "backups"
        self._create(opened, folder, "upgrade", lambda _done, _all: None)

    def tidy(self) -> None:
        """Removes what a kill left of a backup that was not finished. For when this program has the vault alone."""
        for part in self.folder.glob(f".*{_SUFFIX}.part*") if self.folder.is_dir() else ():
            part.unlink(missing_ok=True)

    def list(self) -> tuple[Backup, ...]:
        """Every backup in the folder, newest first. Reads their trailers only."""
        if not self.folder.is_dir():
            return ()
        found = [_look(path) for path in self.folder.glob(f"*{_SUFFIX}")]
        return tuple(
            sorted(found, key=lambda backup: backup.manifest.created_at if backup.manifest else 0.0, reverse=True)
        )

    def last(self, reason: Reason) -> float:
        """When the newest sound backup of a kind was made; 0 when there is none."""
        return max(
            (b.manifest.created_at for b in self.list() if b.manifest and b.manifest.reason == reason), default=0
        )

    def _create(self, opened: Opened, folder: Path, reason: Reason, on_progress: Progress) -> Backup:
        keys = current_keys(self._home, opened).only_data_key(0)
        if not self._is_home(folder):
            if not _can_leave_home(keys):
                raise BackupError(
                    f"{folder} may be seen by others, and the vault has no passphrase: whoever had the backup"
                    " could read it.",
                    "Set a passphrase first: `playground vault passphrase`.",
                )
            keys = keys.without("file")
        now = time.time()
        stamp = datetime.fromtimestamp(now).strftime("%Y%m%d-%H%M%S")
        target = _free_name(folder, f"playground-{stamp}-{reason}")
        part = target.with_name(f".{target.name}.part")
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            source = connect(self._home.database, opened.data_key)
            try:
                with translated(self._home.database):
                    # A reading transaction holds one state still: writers go on, and the copy never begins again.
                    source.execute("BEGIN")
                    sessions, messages = source.execute(
                        "SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM messages)"
                    ).fetchone()
                copy_database(source, part, opened.data_key, on_progress)
            finally:
                source.close()
            _append_trailer(part, Manifest(now, reason, sessions, messages, keys))
            part.replace(target)
            sync_folder(folder)
        except OSError as error:
            raise write_error(target, error) from error
        finally:
            part.unlink(missing_ok=True)
        self._rotate(reason)
        return _look(target)

    def _is_home(self, folder: Path) -> bool:
        return self._home.database.parent.resolve() in folder.resolve().parents

    def _rotate(self, reason: Reason) -> None:
        kept = self._kept[reason]
        if kept is not None:
            for backup in [b for b in self.list() if b.manifest and b.manifest.reason == reason][kept:]:
                backup.path.unlink(missing_ok=True)


def _can_leave_home(keys: KeyFile) -> bool:
    return bool(keys.ways() & {"passphrase", "recovery"})


def _free_name(folder: Path, stem: str) -> Path:
    numbered = [stem, *(f"{stem}-{number}" for number in range(2, 1000))]
    return next(path for name in numbered if not (path := folder / f"{name}{_SUFFIX}").exists())


def verify(path: Path, secret: str | None = None) -> Manifest:
    """Reads a backup from the first byte to the last; with a secret, or where none is needed, opens it as well.

    Raises:
        BackupError: when a single bit is not what was written.
        WrongPassphraseError: when the secret is not the one that the vault had then.
    """
    manifest, length = _trailer(path)
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


def restore(path: Path, places: Places, secret: str | None) -> Manifest:
    """Puts a backup in the vault's place; what was there is kept in a folder beside it.

    The caller has the vault alone. A kill at any moment leaves the old vault or the new one: what is left to do is
    done by ``finish_restoring`` at the next start.

    Raises:
        BackupError: when the backup is not sound; nothing is changed then.
        WrongPassphraseError: when the secret does not open it.
    """
    manifest = verify(path, secret)
    _manifest, length = _trailer(path)
    master = master_key(manifest.keys, secret)
    staged = places.restored.with_name(_STAGED)
    shutil.rmtree(staged, ignore_errors=True)
    try:
        staged.mkdir(mode=0o700)
        database = staged / places.database.name
        _extract(path, database, length)
        connect(database, manifest.keys.data_key(master, 0)).close()
        manifest.keys.write(staged / places.keys.name)
        (staged / "replaced").mkdir(mode=0o700)
        sync_folder(staged)
        staged.replace(places.restored)
        sync_folder(places.restored.parent)
    except OSError as error:
        raise write_error(places.database, error) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    finish_restoring(places)
    return manifest


def finish_restoring(places: Places) -> None:
    """Moves a restored vault into its place. Can be cut off anywhere and done again; does nothing without one."""
    ready = places.restored
    shutil.rmtree(ready.with_name(_STAGED), ignore_errors=True)
    if not ready.is_dir():
        return
    replaced = ready / "replaced"
    for path in (places.database, places.keys):
        if not (ready / path.name).exists():
            continue
        for old in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            if old.exists():
                old.replace(replaced / old.name)
        (ready / path.name).replace(path)
    if replaced.is_dir() and any(replaced.iterdir()):
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
        names = [f"replaced-{stamp}", *(f"replaced-{stamp}-{number}" for number in range(2, 1000))]
        replaced.replace(next(p for name in names if not (p := ready.parent / name).exists()))
    shutil.rmtree(ready)
    sync_folder(ready.parent)


def _append_trailer(path: Path, manifest: Manifest) -> None:
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


def _look(path: Path) -> Backup:
    size = path.stat().st_size if path.exists() else 0
    try:
        return Backup(path, size, _trailer(path)[0])
    except BackupError as error:
        return Backup(path, size, None, error.message)


def _trailer(path: Path) -> tuple[Manifest, int]:
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


def _extract(path: Path, target: Path, length: int) -> None:
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
