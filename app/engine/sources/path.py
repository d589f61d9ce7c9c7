"""``path:`` a file on this machine."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path

from app.engine.download import Report, disk_error
from app.errors import CatalogueError, DownloadError
from app.privacy.connections import ConnectionPolicy

_CHUNK = 4 * 1024 * 1024


@dataclass(frozen=True)
class PathSource:
    """A file that is copied into the store, so that it can be trusted not to change."""

    path: Path

    @classmethod
    def parse(cls, rest: str) -> PathSource:
        """From what follows ``path:``."""
        path = Path(rest).expanduser()
        if not path.is_absolute():
            raise CatalogueError(f"The source path:{rest} is relative; expected a path from the root.")
        return cls(path)

    @property
    def file_name(self) -> str:
        """The path's last part."""
        return self.path.name

    async def fetch(self, part: Path, policy: ConnectionPolicy, report: Report) -> str:
        """See ``Source.fetch``. Nothing leaves the machine, so ``policy`` is not asked."""
        part.unlink(missing_ok=True)
        digest, done = hashlib.sha256(), 0
        try:
            total = self.path.stat().st_size
            with self.path.open("rb") as source, part.open("wb") as target:
                while chunk := await asyncio.to_thread(source.read, _CHUNK):
                    await asyncio.to_thread(target.write, chunk)
                    await asyncio.to_thread(digest.update, chunk)
                    done += len(chunk)
                    report("copying", done, total)
        except FileNotFoundError as error:
            raise DownloadError(f"There is no file {self.path}.") from error
        except OSError as error:
            raise disk_error(error, part) from error
        return digest.hexdigest()
