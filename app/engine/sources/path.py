"""``path:`` a file on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.engine.files.download import Report, disk_error
from app.errors import CatalogueError, DownloadError
from app.privacy.connections import ConnectionPolicy

_CHUNK = 4 * 1024 * 1024

_FICLONE = 0x40049409
"""Linux: let two files share their blocks until one is written. Source: linux/fs.h."""


@dataclass(frozen=True)
class PathSource:
    """A file that is copied into the store, so that it can be trusted not to change.

    On a file system that can (Btrfs, XFS) the copy shares its blocks and takes no room. A hard link never would do:
    whoever writes to the file would write to the store.
    """

    path: Path

    @classmethod
    def parse(cls, rest: str) -> PathSource:
        """From what follows ``path:``."""
        try:
            path = Path(rest).expanduser()
        except RuntimeError as error:
            raise CatalogueError(f"The source path:{rest} names nobody's home.") from error
        if not path.is_absolute():
            raise CatalogueError(f"The source path:{rest} is relative; expected a path from the root.")
        return cls(path)

    @property
    def file_name(self) -> str:
        """The path's last part."""
        return self.path.name

    def room(self, size: int) -> int:
        """See ``Source.room``."""
        return size

    def kept(self, part: Path) -> tuple[Path, ...]:
        """See ``Source.kept``."""
        return ()

    async def fetch(self, part: Path, policy: ConnectionPolicy, report: Report) -> str:
        """See ``Source.fetch``. Nothing leaves the machine, so ``policy`` is not asked."""
        with await asyncio.to_thread(self._open) as source:
            total = os.fstat(source.fileno()).st_size
            report("copying", 0, total)
            try:
                with part.open("wb") as target:
                    shared = _share_blocks(source, target)
                    return await self._copy(source, None if shared else target, report, total)
            except OSError as error:
                raise disk_error(error, part) from error

    def _open(self) -> BinaryIO:
        try:
            # Without O_NONBLOCK a named pipe would be waited on for ever before it can be refused.
            handle = os.open(self.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        except FileNotFoundError as error:
            raise DownloadError(f"There is no file {self.path}.") from error
        except OSError as error:
            raise DownloadError(f"{self.path} cannot be read: {error.strerror}.") from error
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise DownloadError(f"{self.path} is not a file.")
        return os.fdopen(handle, "rb")

    async def _copy(self, source: BinaryIO, target: BinaryIO | None, report: Report, total: int) -> str:
        """Hashes ``source`` and writes it to ``target``, if there is one."""
        digest, done = hashlib.sha256(), 0

        def step() -> int:
            chunk = source.read(_CHUNK)
            digest.update(chunk)
            if target is not None:
                target.write(chunk)
            return len(chunk)

        while count := await asyncio.to_thread(step):
            done += count
            report("copying", done, total)
        return digest.hexdigest()


def _share_blocks(source: BinaryIO, target: BinaryIO) -> bool:
    """Makes ``target`` a copy that shares its blocks with ``source``; tells whether the file system could."""
    if sys.platform != "linux":
        return False
    import fcntl

    with contextlib.suppress(OSError):
        fcntl.ioctl(target.fileno(), _FICLONE, source.fileno())
        return True
    return False
