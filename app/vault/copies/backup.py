"""Backups: the whole vault in one encrypted file that opens by itself.

A backup is a copy of the database, made while others write. It opens with the passphrase or recovery key that the vault
had when it was made.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from app.errors import BackupError
from app.vault.keys.keyfile import KeyFile
from app.vault.opening import Opened, Places, current_keys
from app.vault.storage.cipher import connect, translated
from app.vault.storage.files import sync_folder, write_error
from app.vault.storage.finishing import Stoppable, to_the_end

from .backup_file import Manifest, Reason, append_trailer, read_trailer, verify
from .copying import Progress, copy_database

__all__ = ["Backup", "Backups", "Manifest", "Reason", "verify"]

_SUFFIX = ".backup"
_DAY = 86_400.0
_UPGRADES_KEPT = 3


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

    async def create_daily(self, on_progress: Progress = lambda _done, _all: None) -> Backup | None:
        """Makes the backup of the day; None when one was made within the last 24 hours. Raises as ``create``."""
        last = await asyncio.to_thread(self.last, "daily")
        return await self.create("daily", on_progress) if time.time() - last >= _DAY else None

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
            append_trailer(part, Manifest(now, reason, sessions, messages, keys))
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


def _look(path: Path) -> Backup:
    size = path.stat().st_size if path.exists() else 0
    try:
        return Backup(path, size, read_trailer(path)[0])
    except BackupError as error:
        return Backup(path, size, None, error.message)
