"""``https:`` a file at a web address."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from app.engine.files.download import Report, download
from app.errors import CatalogueError
from app.privacy.connections import ConnectionPolicy


@dataclass(frozen=True)
class WebSource:
    """A file that is fetched from ``url``. Plain ``http:`` is for this machine's own addresses alone."""

    url: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
            raise CatalogueError(f"The source {self.url!r} is not encrypted; expected https:.")
        if not parts.hostname or not self.file_name:
            raise CatalogueError(f"The source {self.url!r} names no file on a host.")

    @property
    def file_name(self) -> str:
        """The last part of the path."""
        return PurePosixPath(unquote(urlsplit(self.url).path)).name

    def room(self, size: int) -> int:
        """See ``Source.room``."""
        return size

    def kept(self, part: Path) -> tuple[Path, ...]:
        """See ``Source.kept``."""
        return ()

    async def fetch(self, part: Path, policy: ConnectionPolicy, report: Report) -> str:
        """See ``Source.fetch``."""
        purpose = f"download {self.file_name}"
        policy.require(self.url, purpose)
        return await download(self.url, part, report, guard=lambda address: policy.require(address, purpose))
