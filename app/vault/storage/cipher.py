"""The one place where a database is opened: SQLCipher, with everything that keeps it closed to others.

Nothing else in the program may open a database by its path: what opens a path without the key makes a plain file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import (
    DiskFullError,
    InvalidRequestError,
    NotAVaultError,
    PlaygroundError,
    VaultDamagedError,
    VaultError,
    VaultInUseError,
)

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection

SALT_BYTES = 16
PAGE_BYTES = 4096
_PLAIN_HEADER = b"SQLite format 3\x00"
_BUSY_SECONDS = 30.0
RESTORE = "Bring a backup back with `playground backup restore`; `playground backup list` shows what there is."


def connect(path: Path, key: bytes, *, create: bool = False) -> Connection:
    """Opens a database; when this returns, its first page has been read and was sound.

    The journal is a write-ahead log, every commit reaches the disk before it returns, temporary tables stay in memory.
    Transactions are begun and ended by hand (``isolation_level=None``).

    Args:
        path: the file.
        key: the raw key, 32 bytes.
        create: whether the file may be made.

    Raises:
        VaultError: one of its kinds, for a file that is missing, plain, cut short, damaged or under another key.
    """
    from sqlcipher3 import dbapi2

    if not create:
        require_encrypted(path)
    # For one thread at a time, not for the one that opened it: a lane's threads may be told apart by nothing else.
    connection: Connection = dbapi2.connect(
        str(path), timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        with translated(path):
            _unlock(connection, key.hex())
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA cache_size = -16384")
            connection.execute("PRAGMA journal_size_limit = 16777216")
    except BaseException:
        connection.close()
        raise
    return connection


def _unlock(connection: Connection, key: str) -> None:
    """Sets the key and reads the first page with it."""
    # Before the key: SQLCipher would say on stderr, across the screen, what is raised here anyhow.
    connection.execute("PRAGMA cipher_log_level = NONE")
    connection.execute(f"PRAGMA key = \"x'{key}'\"")
    # As strong as the key, and 2.5 times as fast as SHA-512 where the processor has instructions for it.
    connection.execute("PRAGMA cipher_hmac_algorithm = HMAC_SHA256")
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()


def require_encrypted(path: Path) -> None:
    """Looks at the file from outside, before anything opens it.

    Raises:
        VaultError: when it is missing, plain SQLite, empty, or has not a whole number of pages.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            header = file.read(len(_PLAIN_HEADER))
    except FileNotFoundError:
        raise VaultDamagedError(f"The vault's database is gone: {path} does not exist.", RESTORE) from None
    except OSError as error:
        raise VaultError(f"The vault's database {path} cannot be read: {error.strerror}.") from error
    if header == _PLAIN_HEADER:
        raise NotAVaultError(
            f"{path} is a plain, unencrypted SQLite database. Playground keeps nothing in such a file.",
            "Move it away; Playground then makes a new vault, or restore a backup.",
        )
    if size < PAGE_BYTES or size % PAGE_BYTES:
        raise VaultDamagedError(
            f"{path} was cut short: it has {size} bytes, which is not a whole number of {PAGE_BYTES}-byte pages.",
            RESTORE,
        )


def require_key(path: Path, key: bytes) -> None:
    """Sees whether the first page opens with ``key``, where trying it with a connection that may write could do harm.

    Such a connection folds the write-ahead log into the file when it is closed, under a wrong key as well.

    Raises:
        VaultDamagedError: when it does not open.
    """
    from sqlcipher3 import dbapi2

    log = path.with_name(f"{path.name}-wal")
    if not log.exists() or not log.stat().st_size:
        return
    with translated(path):
        connection = dbapi2.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
        try:
            _unlock(connection, key.hex())
        except dbapi2.OperationalError as error:
            # A kill left something that only who may write can put right: the connection that follows does.
            if not error.sqlite_errorname.startswith("SQLITE_READONLY"):
                raise
        finally:
            connection.close()


def salt_of(path: Path) -> bytes:
    """The first 16 bytes of an encrypted database: random, and as good as its name."""
    with path.open("rb") as file:
        return file.read(SALT_BYTES)


def opens_with_salt(path: Path, key: bytes, salt: bytes) -> bool:
    """Whether the first page is sound once the salt in the file is put right: only the salt was damaged then."""
    from sqlcipher3 import dbapi2

    connection = dbapi2.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        _unlock(connection, key.hex() + salt.hex())
    except dbapi2.DatabaseError:
        return False
    else:
        return True
    finally:
        connection.close()


def damaged_pages(connection: Connection) -> list[str]:
    """What SQLCipher and SQLite find wrong in the whole file; nothing when it is sound. Reads every page."""
    found = [str(row[0]) for row in connection.execute("PRAGMA cipher_integrity_check")]
    if not found:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(5)") if row[0] != "ok"]
    return found


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raises the program's own errors for those of SQLite."""
    from sqlcipher3 import dbapi2

    try:
        yield
    except dbapi2.Error as error:
        raise vault_error(path, error) from error
    except OverflowError as error:
        raise InvalidRequestError("A number is larger than the vault can hold.", "Give a smaller one.") from error


def vault_error(path: Path, error: Exception) -> PlaygroundError:
    """What an error of SQLite means to a person."""
    name = getattr(error, "sqlite_errorname", "") or ""
    words = str(error)
    if name.startswith("SQLITE_FULL") or "database or disk is full" in words:
        return DiskFullError(
            "The disk is full, so the vault could not keep the last change.",
            "Make room; what was kept before is whole, and Playground tries again.",
        )
    if name.startswith("SQLITE_IOERR"):
        return DiskFullError(
            f"The disk did not take or give what it should ({name or words}).",
            "Make room, or see whether the disk is still there; what was kept before is whole.",
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return VaultInUseError("Another program holds the vault for longer than half a minute.", "Try again.")
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")) or "malformed" in words or "not a database" in words:
        return VaultDamagedError(f"Some of {path.name} is not what was written ({words}).", RESTORE)
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return VaultError(f"The vault {path} cannot be opened or written to ({words}).", "See who owns the folder.")
    return VaultError(f"The vault refused: {words}.")
