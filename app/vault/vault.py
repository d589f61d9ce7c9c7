"""The vault: one encrypted database and its keys, open or locked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from app.errors import VaultInUseError, VaultLockedError, WrongPassphraseError

from . import opening
from .access.api_keys import ApiKeys
from .access.users import Users
from .activity.audit import Audit
from .activity.figures import UsageFigures
from .activity.usage import Usage
from .answers import Answers
from .conversations.messages import Messages
from .conversations.search import Search
from .conversations.sessions import Sessions
from .copies.backup import Backups, Manifest
from .copies.copying import Progress
from .copies.rekeying import rekey
from .copies.restoring import finish_restoring, restore
from .keys import system_keyring
from .keys.keyfile import KeyFile
from .keys.wrapping import new_key, new_recovery_key
from .notes import Notes
from .opening import Opened, Places
from .posts.posts import Posts
from .prompts.prompts import Prompts
from .recall.recollection import Recollections
from .recall.remembered import Remembered
from .recall.vectors import Vectors
from .secrets import Secrets
from .storage.cipher import damaged_pages
from .storage.database import Database
from .storage.finishing import Stoppable, to_the_end
from .storage.use_lock import UseLock

State = Literal["absent", "locked", "open"]
Protection = Literal["passphrase", "keyring", "file"]
"""What a thief of the files would still have to know; ``file`` is nothing."""


class Vault:
    """Everything that is kept.

    Nothing is read before ``open``. The repositories (``sessions``, ``messages``, ``search``, ``notes``) are there from
    the beginning and raise ``VaultLockedError`` while the vault is locked.

    Args:
        folder: where the vault's files lie.
        backups: where backups go.
        daily_kept: how many of the daily ones are kept.
        unattended: a passphrase for use without a person, from the environment.
    """

    def __init__(self, folder: Path, backups: Path, *, daily_kept: int = 7, unattended: str | None = None) -> None:
        self._places = Places.under(folder)
        self._unattended = unattended
        self._lock = UseLock(self._places.lock)
        self._opened: Opened | None = None
        self._asked = False
        self._changing = asyncio.Lock()
        self.database = Database(self._places.database)
        self.sessions = Sessions(self.database)
        self.messages = Messages(self.database)
        self.search = Search(self.database)
        self.posts = Posts(self.database)
        self.prompts = Prompts(self.database)
        self.vectors = Vectors(self.database)
        self.remembered = Remembered(self.database)
        self.recollections = Recollections(self.database)
        self.notes = Notes(self.database)
        self.api_keys = ApiKeys(self.database)
        self.users = Users(self.database)
        self.usage = Usage(self.database)
        self.figures = UsageFigures(self.database)
        self.secrets = Secrets(self.database)
        self.answers = Answers(self.database)
        self.audit = Audit(self.database)
        self.backups = Backups(backups, self._places, self._require_open, self._changing, daily_kept)

    # Its state

    @property
    def state(self) -> State:
        """Whether there is a vault, and whether it can be read."""
        if self.database.is_open:
            return "open"
        return "locked" if self._places.keys.exists() or self._places.database.exists() else "absent"

    @property
    def protection(self) -> Protection | None:
        """What guards the key, most first; None where there is no vault yet.

        Raises:
            KeyFileError: when the key file cannot be read.
        """
        keys = self._opened.keys if self._opened else KeyFile.read(self._places.keys)
        if keys is None:
            return None
        ways = keys.ways()
        return "file" if "file" in ways else "passphrase" if "passphrase" in ways else "keyring"

    @property
    def has_recovery_key(self) -> bool:
        """Whether a printed recovery key opens it."""
        keys = self._opened.keys if self._opened else KeyFile.read(self._places.keys)
        return keys is not None and "recovery" in keys.ways()

    @property
    def opened_by_secret(self) -> bool:
        """Whether a passphrase or a recovery key opened it; the keyring and the key file do it without a person."""
        return self._opened is not None and self._asked

    # Opening and closing

    async def open(self, passphrase: str | None = None) -> None:
        """Opens the vault, and makes one where there is none. Does nothing when it is open.

        Args:
            passphrase: or a recovery key; without it the vault opens by its key file, by the keyring, or by the
                passphrase of the environment.

        Raises:
            VaultLockedError: when a passphrase is needed.
            WrongPassphraseError: when it does not fit.
            VaultError: one of its kinds, for files that are not sound; they are left as they are.
        """
        async with self._changing:
            if not self.database.is_open:
                await to_the_end(asyncio.to_thread(self._open, passphrase or self._unattended))

    def _open(self, passphrase: str | None) -> None:
        alone = self._lock.take()
        try:
            if alone:
                finish_restoring(self._places)
            if not self._places.keys.exists():
                self._lock.take_alone()
                opening.create(self._places, passphrase)
            opened = opening.unlock(self._places, passphrase, self.backups.before_upgrade)
            if alone:
                opened = opening.tidy(self._places, opened)
                self.backups.tidy()
            self.database.attach(opened.connection, opened.data_key)
            self._lock.share()
        except BaseException:
            self._lock.release()
            raise
        self._opened, self._asked = opened, bool(passphrase) and self.protection != "file"

    async def lock(self) -> None:
        """Finishes writing, forgets the keys, and needs the passphrase again. Safe to call when locked.

        A backup that is under way is given up: who ends the program should not wait for it.
        """
        self.backups.stop()
        async with self._changing:
            await to_the_end(self._close())

    close = lock

    async def _close(self) -> None:
        await self.database.detach()
        self._opened = None
        self._lock.release()

    # Keys

    async def confirm(self, secret: str) -> None:
        """Makes sure that whoever asks for a change knows how to open the vault: it may have been left open.

        Args:
            secret: the passphrase as it is now, or the recovery key.

        Raises:
            VaultLockedError: when the vault is locked.
            WrongPassphraseError: when it is neither.
        """
        opened = self._require_open()
        if not secret:
            raise WrongPassphraseError("The passphrase as it is now is needed.", "Nothing was changed.")
        await asyncio.to_thread(lambda: opening.master_key(opening.current_keys(self._places, opened), secret))

    async def set_passphrase(self, passphrase: str) -> None:
        """From now on this passphrase opens the vault, and nothing less does. The data are not rewritten.

        A key file that lay open may have been copied, so its master key is replaced: once the data are rewritten too
        (``rekey``), such a copy opens nothing. The master key stays where a recovery key was made before, and while
        another program has the vault open: both stand on it.

        Raises:
            VaultLockedError: when the vault is locked.
            WrongPassphraseError: when it is empty.
        """
        async with self._changing:
            await to_the_end(asyncio.to_thread(self._set_passphrase, self._require_open(), passphrase))

    def _set_passphrase(self, opened: Opened, passphrase: str) -> None:
        try:
            self._lock.take_alone()
            alone = True
        except VaultInUseError:
            alone = False

        def change(keys: KeyFile, master: bytes) -> tuple[KeyFile, bytes]:
            if alone and keys.ways() == {"file"}:
                keys, master = keys.under_new_master(master)
            return keys.with_passphrase(master, passphrase), master

        try:
            self._write_keys(opened, change)
        finally:
            if alone:
                self._lock.share()

    async def remove_passphrase(self) -> None:
        """From now on the vault opens for whoever can read its key file."""
        await self._change_keys(lambda keys, master: keys.unprotected(master))

    async def use_keyring(self) -> None:
        """From now on the operating system's keyring opens the vault.

        Raises:
            KeyringError: when there is none, or it refuses; nothing is changed then.
        """
        opened = self._require_open()
        key = new_key()
        await asyncio.to_thread(system_keyring.keep, opened.keys.vault_id, key)
        await self._change_keys(lambda keys, master: keys.with_keyring(master, key))

    async def new_recovery_key(self) -> str:
        """A key to print and put away, which opens the vault when all else is lost. Replaces an earlier one."""
        recovery = new_recovery_key()
        await self._change_keys(lambda keys, master: keys.with_recovery(master, recovery))
        return recovery

    async def _change_keys(self, change: Callable[[KeyFile, bytes], KeyFile]) -> None:
        def same_master(keys: KeyFile, master: bytes) -> tuple[KeyFile, bytes]:
            return change(keys, master), master

        async with self._changing:
            await to_the_end(asyncio.to_thread(self._write_keys, self._require_open(), same_master))

    def _write_keys(self, opened: Opened, change: Callable[[KeyFile, bytes], tuple[KeyFile, bytes]]) -> None:
        with self._lock.gate():  # another program may be changing another key
            keys, master = change(opening.current_keys(self._places, opened), opened.master)
            keys.write(self._places.keys)
        self._opened = opened._replace(keys=keys, master=master)

    async def rekey(self, on_progress: Progress) -> None:
        """Rewrites all data under a new data key. Needs the vault alone; a kill at any moment loses nothing.

        Raises:
            VaultInUseError: when another program has the vault open.
            DiskFullError: when there is no room for a second copy; nothing is changed then.
        """
        async with self._changing:
            progress = Stoppable(on_progress)
            await to_the_end(self._rekey(self._require_open(), progress), progress.stop)

    async def _rekey(self, opened: Opened, on_progress: Progress) -> None:
        await asyncio.to_thread(self._lock.take_alone)
        async with self.database.replaced():
            try:
                opened = opened._replace(keys=opening.current_keys(self._places, opened))
                await asyncio.to_thread(rekey, self._places, opened, on_progress)
            finally:
                self._opened = None
                await asyncio.to_thread(self._reopen, opened.master)

    def _reopen(self, master: bytes) -> None:
        try:
            opened = opening.reopen(self._places, master)
            self.database.attach(opened.connection, opened.data_key)
            self._lock.share()
        except BaseException:
            self._lock.release()
            raise
        self._opened = opened

    async def restore(self, backup: Path, secret: str | None = None) -> Manifest:
        """Puts a backup in the vault's place and leaves it locked; what was there is kept in a folder beside it.

        Args:
            backup: the file.
            secret: the passphrase or recovery key that the vault had when it was made.

        Raises:
            BackupError: when the backup is not sound; nothing is changed then.
            WrongPassphraseError: when the secret does not open it.
            VaultInUseError: when another program has the vault open.
        """
        async with self._changing:
            await to_the_end(self._close())
            return await to_the_end(asyncio.to_thread(self._restore, backup, secret or self._unattended))

    def _restore(self, backup: Path, secret: str | None) -> Manifest:
        self._lock.take_alone()
        try:
            return restore(backup, self._places, secret)
        finally:
            self._lock.release()

    async def check(self) -> list[str]:
        """Reads every page and index; gives what is wrong with them, nothing when all is sound."""
        return await self.database.exclusively(damaged_pages)

    def _require_open(self) -> Opened:
        if self._opened is None:
            raise VaultLockedError("The vault is locked.", "Unlock it with your passphrase.")
        return self._opened
