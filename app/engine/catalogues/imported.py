"""The catalogue of model files that the user brought."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from app.engine.files.records import write_whole

from .catalogue import Catalogue, ModelEntry

_FIELDS = ("source", "sha256", "size", "description")


class ImportedModels:
    """Keeps ``path``, a catalogue like the user's own, written by the program."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def remember(self, entry: ModelEntry) -> None:
        """Adds a model, or replaces the one of its name.

        Raises:
            CatalogueError: when the file is there and cannot be understood.
            DiskFullError, DownloadError: when it cannot be written.
        """
        self._write([*(known for known in self._entries() if known.name != entry.name), entry])

    def forget(self, name: str) -> None:
        """Takes a model out, if it is there; raises as ``remember`` does."""
        known = self._entries()
        if any(entry.name == name for entry in known):
            self._write(entry for entry in known if entry.name != name)

    def _entries(self) -> tuple[ModelEntry, ...]:
        return Catalogue.load([self.path]).entries if self.path.is_file() else ()

    def _write(self, entries: Iterable[ModelEntry]) -> None:
        lines = ["# Models that were imported with `playground models import`."]
        for entry in entries:
            lines.append(f"\n[models.{_quoted(entry.name)}]")
            for field in _FIELDS:
                value = getattr(entry, field)
                if value:
                    lines.append(f"{field} = {value if isinstance(value, int) else _quoted(value)}")
        write_whole(self.path, ("\n".join(lines) + "\n").encode())


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are among TOML's, which takes no bare DEL."""
    return msgspec.json.encode(text).decode().replace("\x7f", "\\u007f")
