"""Catalogue files as they are on the disk: which tables each has. Whoever knows a table reads what is in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from app.errors import CatalogueError

TABLES = ("models", "endpoints", "remote")
"""``[models.NAME]`` are on this machine, ``[remote.NAME]`` are not and are reached by ``[endpoints.NAME]``."""


class CatalogueFile(Struct, frozen=True):
    """One file: the tables of each kind by their names, in the order of the file."""

    path: Path
    tables: Mapping[str, Mapping[str, Mapping[str, Any]]]

    @classmethod
    def read(cls, path: Path) -> CatalogueFile:
        """Reads one file.

        Raises:
            CatalogueError: when it cannot be read, is not TOML, or has other tables.
        """
        import tomllib

        try:
            document = tomllib.loads(path.read_text("utf-8"))
        except OSError as error:
            raise CatalogueError(f"The catalogue {path} cannot be read: {error.strerror}.") from error
        except ValueError as error:
            raise CatalogueError(f"The catalogue {path} is not TOML: {error}.", "Correct the file.") from error
        unknown = next((key for key in document if key not in TABLES), None)
        if unknown is not None:
            raise CatalogueError(
                f"{path}: there is no key {unknown!r}; expected only tables of [models], [endpoints] and [remote]."
            )
        for kind, tables in document.items():
            if not isinstance(tables, Mapping) or not all(isinstance(table, Mapping) for table in tables.values()):
                raise CatalogueError(f"{path}: `{kind}` is not a table of tables, [{kind}.NAME].")
        return cls(path, document)

    @classmethod
    def read_all(cls, paths: Iterable[Path]) -> tuple[CatalogueFile, ...]:
        """Reads several, in this order.

        Raises:
            CatalogueError: as ``read``.
        """
        return tuple(cls.read(path) for path in paths)

    def of(self, kind: str) -> Mapping[str, Mapping[str, Any]]:
        """The tables of one kind by name; none when the file has none."""
        return self.tables.get(kind, {})
