"""Which models there are: ``models.toml``, and whatever catalogues the user adds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from app.engine.frames import Role
from app.engine.sources import ModelFile, model_files
from app.errors import CatalogueError, UnknownModelError
from app.messages import Sampling

from .files import CatalogueFile
from .table_words import sentence

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_RESERVED = {"blobs", "imported.toml", "imported.toml.new", "locks", "partial", "quarantine"}
"""What the store itself keeps beside the models' folders."""


class ModelEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model of the catalogue.

    Attributes:
        name: what it is called; it also names its folder.
        role: what it is for.
        source: where its file comes from; the forms are in ``app.engine.sources``.
        also: further files that belong beside the first (a tokenizer), by the name they get.
        size: bytes of the file; ``None`` when unknown.
        sha256: digest of the file; without one it is pinned on the first download.
        context: tokens of context window that it is opened with; 0 takes what it was trained with.
        chat_template: Jinja text that replaces the file's own.
        sampling: what is chosen when a request does not choose.
        memory_bytes: memory that it needs, where that is known better than from its size.
    """

    name: str
    source: str
    role: Role = "chat"
    also: dict[str, str] = {}
    size: int | None = None
    sha256: str | None = None
    licence: str = ""
    description: str = ""
    context: int = 0
    chat_template: str | None = None
    sampling: Sampling = Sampling()
    memory_bytes: int | None = None
    device: str | None = None
    gpu_layers: int | None = None

    def problem(self) -> str | None:
        """What is wrong with it, as the end of a sentence; ``None`` when nothing is."""
        if not _NAME.fullmatch(self.name):
            return f"the name {self.name!r} is not 1 to 64 of a-z, 0-9, '.', '_' and '-', beginning with a-z or 0-9"
        if self.name in _RESERVED:
            return f"the name {self.name!r} is kept for the store's own use; expected another"
        if self.sha256 is not None and not _DIGEST.fullmatch(self.sha256):
            return f"sha256 is {self.sha256!r}; expected 64 digits of 0-9 and a-f"
        if self.size is not None and self.size <= 0:
            return f"size is {self.size}; expected a number of bytes above 0"
        if self.context < 0:
            return f"context is {self.context}; expected 0 or more tokens"
        try:
            self.files()
        except CatalogueError as error:
            return error.message.removesuffix(".")
        return None

    def files(self) -> tuple[ModelFile, ...]:
        """Every file that it consists of, the main one first.

        Raises:
            CatalogueError: when a source is of none of the forms.
        """
        return model_files(self.source, self.sha256, self.also)


class Catalogue:
    """Every model by name, in the order of the files."""

    def __init__(self, entries: Iterable[ModelEntry]) -> None:
        self._entries = {entry.name: entry for entry in entries}

    @classmethod
    def load(cls, paths: Iterable[Path]) -> Catalogue:
        """Reads catalogue files; a later one adds models, or replaces fields of one that is there.

        Raises:
            CatalogueError: naming the file, the model, what was found and what was expected.
        """
        return cls.of(CatalogueFile.read_all(paths))

    @classmethod
    def of(cls, files: Iterable[CatalogueFile]) -> Catalogue:
        """The models on this machine of files that were read; their remote ones are the router's.

        Raises:
            CatalogueError: as ``load``.
        """
        tables: dict[str, dict[str, Any]] = {}
        entries: dict[str, ModelEntry] = {}
        for file in files:
            for name, table in file.of("models").items():
                tables[name] = {**tables.get(name, {}), **table}
                entries[name] = _entry(file.path, name, tables[name])
        return cls(entries.values())

    @property
    def entries(self) -> tuple[ModelEntry, ...]:
        """All models."""
        return tuple(self._entries.values())

    def get(self, name: str) -> ModelEntry:
        """The model of this name.

        Raises:
            UnknownModelError: when there is none; it names those that are spelt alike.
        """
        found = self._entries.get(name)
        if found is None:
            near = get_close_matches(name, list(self._entries), 3)
            hint = f"Did you mean {' or '.join(near)}?" if near else "Run: playground models list"
            raise UnknownModelError(f"No model is called {name!r}.", hint)
        return found

    def with_entry(self, entry: ModelEntry) -> Catalogue:
        """A catalogue that has this model too."""
        return Catalogue([*(known for known in self.entries if known.name != entry.name), entry])


def shipped() -> Path:
    """The catalogue that comes with the program: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).resolve().parents[2]
    inside = package / "models.toml"
    return inside if inside.is_file() else package.parent / "models.toml"


def _entry(path: Path, name: str, table: Mapping[str, Any]) -> ModelEntry:
    try:
        if "name" in table:
            raise msgspec.ValidationError("the name stands in the table's heading; `name` is no field of it")
        entry = msgspec.convert({**table, "name": name}, ModelEntry, str_keys=True)
    except msgspec.ValidationError as error:
        words = sentence(str(error), ModelEntry)
        raise CatalogueError(f"{path}: [models.{name}]: {words}.", "Correct the file.") from error
    problem = entry.problem()
    if problem:
        raise CatalogueError(f"{path}: [models.{name}]: {problem}.", "Correct the file.")
    return entry
