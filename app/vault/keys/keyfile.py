"""``vault.key``: the keys of a vault, wrapped.

A random *master* key is wrapped once by each way to open the vault. The master key in turn wraps the *data* key that
the database is encrypted with. So a change of passphrase rewrites this small file alone, and a new data key leaves
every way to open the vault as it was. While the data are rewritten under a new key the file holds both.
"""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from app.errors import KeyFileError, WrongPassphraseError
from app.vault.storage.files import write_whole

from .wrapping import KEY_BYTES, Stretching, new_key, recovery_wrapping_key, seal, unseal

_FORMAT = 1
_MOST_BYTES = 1024 * 1024
_MOST_STRETCHING = (64, 1024 * 1024, 64)

Way = Literal["passphrase", "keyring", "recovery", "file"]
"""How the master key can be had. ``file``: it lies in the key file itself, for whoever can read that."""


class Wrapped(Struct, frozen=True):
    """The master key under one way to open the vault; under ``file`` it is not wrapped at all."""

    way: Way
    sealed: bytes
    stretching: Stretching | None = None


class DataKey(Struct, frozen=True):
    """A data key under the master key, and the first 16 bytes (the salt) of the database that it opens."""

    sealed: bytes
    salt: bytes


class KeyFile(Struct, frozen=True):
    """Everything in ``vault.key``. ``check`` is of the rest: a damaged file must not pass for a wrong passphrase."""

    vault_id: str
    wrapped: tuple[Wrapped, ...]
    data_keys: tuple[DataKey, ...]
    format: int = _FORMAT
    check: str = ""

    @classmethod
    def new(cls) -> tuple[KeyFile, bytes]:
        """A key file that nothing opens yet, and its master key."""
        return cls(uuid.uuid4().hex, (), ()), new_key()

    def ways(self) -> frozenset[Way]:
        """How the vault can be opened."""
        return frozenset(wrapped.way for wrapped in self.wrapped)

    # Ways to open it

    def with_passphrase(self, master: bytes, passphrase: str) -> KeyFile:
        """Opens with this passphrase, no longer with another, and no longer without one.

        Raises:
            WrongPassphraseError: when it is empty: a vault without one is ``unprotected``.
        """
        if not passphrase:
            raise WrongPassphraseError("A passphrase has at least one letter.", "Nothing was changed. Try again.")
        stretching = Stretching.fresh()
        sealed = seal(master, stretching.key_from(passphrase), self._purpose("passphrase"))
        return self.without("passphrase", "file")._and(Wrapped("passphrase", sealed, stretching))

    def with_keyring(self, master: bytes, keyring_key: bytes) -> KeyFile:
        """Opens with a key that the system's keyring keeps."""
        sealed = seal(master, keyring_key, self._purpose("keyring"))
        return self.without("keyring", "file")._and(Wrapped("keyring", sealed))

    def with_recovery(self, master: bytes, recovery_key: str) -> KeyFile:
        """Opens with this recovery key, no longer with an earlier one."""
        sealed = seal(master, recovery_wrapping_key(recovery_key), self._purpose("recovery"))
        return self.without("recovery")._and(Wrapped("recovery", sealed))

    def unprotected(self, master: bytes) -> KeyFile:
        """Opens for whoever can read the file."""
        return self.without("passphrase", "keyring", "file")._and(Wrapped("file", master))

    def without(self, *ways: Way) -> KeyFile:
        """The same file with these ways closed."""
        return msgspec.structs.replace(self, wrapped=tuple(w for w in self.wrapped if w.way not in ways))

    def open_with_passphrase(self, passphrase: str) -> bytes | None:
        """The master key; None when it is another passphrase."""
        for wrapped in self._by("passphrase"):
            if wrapped.stretching is not None:
                return self._checked(wrapped, wrapped.stretching.key_from(passphrase))
        return None

    def open_with_keyring(self, keyring_key: bytes) -> bytes | None:
        """The master key; None when the keyring's is another."""
        return next((self._checked(wrapped, keyring_key) for wrapped in self._by("keyring")), None)

    def open_with_recovery(self, recovery_key: str) -> bytes | None:
        """The master key; None when it is another recovery key."""
        key = recovery_wrapping_key(recovery_key)
        return next((self._checked(wrapped, key) for wrapped in self._by("recovery")), None)

    def open_unprotected(self) -> bytes | None:
        """The master key, where it lies open; None where it does not."""
        return next((wrapped.sealed for wrapped in self._by("file")), None)

    def under_new_master(self, master: bytes) -> tuple[KeyFile, bytes]:
        """The same data keys under a master key that no earlier key file holds; nothing opens it yet."""
        fresh = new_key()
        data_keys = tuple(
            DataKey(seal(self.data_key(master, position), fresh, self._purpose("data")), key.salt)
            for position, key in enumerate(self.data_keys)
        )
        return msgspec.structs.replace(self, wrapped=(), data_keys=data_keys), fresh

    # Data keys

    def with_data_key(self, master: bytes, data_key: bytes, salt: bytes) -> KeyFile:
        """Knows one more data key, tried first."""
        added = DataKey(seal(data_key, master, self._purpose("data")), salt)
        return msgspec.structs.replace(self, data_keys=(added, *self.data_keys))

    def only_data_key(self, position: int) -> KeyFile:
        """Forgets every data key but the one at ``position``."""
        return msgspec.structs.replace(self, data_keys=(self.data_keys[position],))

    def preferring(self, position: int) -> KeyFile:
        """Tries the data key at ``position`` first from now on."""
        chosen = self.data_keys[position]
        others = tuple(key for key in self.data_keys if key is not chosen)
        return msgspec.structs.replace(self, data_keys=(chosen, *others))

    def data_key(self, master: bytes, position: int) -> bytes:
        """A data key in the clear.

        Raises:
            KeyFileError: when the file was changed by something else.
        """
        found = unseal(self.data_keys[position].sealed, master, self._purpose("data"))
        if found is None:
            raise KeyFileError("The vault's key file was changed: its data key does not fit its master key.", _RESTORE)
        return found

    # The file

    def write(self, path: Path) -> None:
        """Writes the file in one step.

        Raises:
            DiskFullError: when there is no room; the file that was there is untouched.
        """
        checked = msgspec.structs.replace(self, check=self._digest())
        write_whole(path, msgspec.json.format(msgspec.json.encode(checked), indent=1) + b"\n")

    @classmethod
    def read(cls, path: Path) -> KeyFile | None:
        """Reads ``path``; None when there is no such file.

        Raises:
            KeyFileError: when it cannot be read, or is not a key file.
        """
        try:
            with path.open("rb") as file:
                content = file.read(_MOST_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KeyFileError(f"{path} cannot be read: {error.strerror}.") from error
        try:
            found = msgspec.json.decode(content, type=cls)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise KeyFileError(f"{path} is not a vault's key file: {error}.", _RESTORE) from error
        if found.format != _FORMAT:
            raise KeyFileError(
                f"{path} has format {found.format}; this version of Playground knows format {_FORMAT}.",
                "Use the newer Playground that wrote it.",
            )
        if not found.is_whole() or found.check != found._digest():
            raise KeyFileError(
                f"{path} is not the key file that was written: something in it is missing or was changed.", _RESTORE
            )
        return found

    def _digest(self) -> str:
        return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(self, check=""))).hexdigest()

    def is_whole(self) -> bool:
        """Whether it has ways and keys, and none that would cost a machine its memory to try."""
        costs = [w.stretching for w in self.wrapped if w.stretching is not None]
        return (
            bool(self.wrapped and self.data_keys)
            and all(len(key.salt) == 16 for key in self.data_keys)
            and all(len(w.sealed) == KEY_BYTES for w in self._by("file"))
            and all(
                0 < value <= most
                for cost in costs
                for value, most in zip((cost.passes, cost.memory_kib, cost.lanes), _MOST_STRETCHING, strict=True)
            )
            and all(len(cost.salt) >= 8 and cost.memory_kib >= 8 * cost.lanes for cost in costs)
        )

    def _by(self, way: Way) -> tuple[Wrapped, ...]:
        return tuple(wrapped for wrapped in self.wrapped if wrapped.way == way)

    def _and(self, wrapped: Wrapped) -> KeyFile:
        return msgspec.structs.replace(self, wrapped=(*self.wrapped, wrapped))

    def _checked(self, wrapped: Wrapped, key: bytes) -> bytes | None:
        return unseal(wrapped.sealed, key, self._purpose(wrapped.way))

    def _purpose(self, use: str) -> str:
        return f"playground vault {self.vault_id} {use}"


_RESTORE = "Bring the file back from a backup: `playground backup list` shows what there is."
