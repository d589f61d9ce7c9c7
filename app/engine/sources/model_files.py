"""Which files a model consists of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from app.errors import CatalogueError

_SPLIT = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf")
_FRAGMENT = re.compile(r"(?P<source>.*?)(?:#sha256=(?P<digest>[0-9a-f]{64}))?", re.DOTALL)
_LONGEST_NAME_BYTES = 200
_RECORD = "record.json"


@dataclass(frozen=True)
class ModelFile:
    """One file: the plain name it gets, where it comes from, and its digest where that is known."""

    name: str
    source: str
    sha256: str | None


def model_files(source: str, sha256: str | None, also: Mapping[str, str]) -> tuple[ModelFile, ...]:
    """Every file of a model, the main one first; a split GGUF file brings its other parts along.

    Args:
        source: where the main file, or the first of a split one, comes from.
        sha256: its digest.
        also: sources of further files by name; ``#sha256=…`` behind a source is that file's digest.

    Raises:
        CatalogueError: when a source is of none of the forms, or a file would get a name that cannot be.
    """
    from . import source_of

    main = source_of(source).file_name
    found = [ModelFile(main, source, sha256)]
    split = _SPLIT.fullmatch(main)
    if split is not None:
        if int(split["number"]) != 1:
            raise CatalogueError(
                f"The source {source!r} is part {int(split['number'])} of a split file; expected part 1."
            )
        before, _, after = source.rpartition(f"-00001-of-{split['count']}")
        for number in range(2, int(split["count"]) + 1):
            part = f"-{number:05}-of-{split['count']}"
            found.append(ModelFile(f"{split['stem']}{part}.gguf", f"{before}{part}{after}", None))
    for name, text in also.items():
        fragment = _FRAGMENT.fullmatch(text)
        assert fragment is not None, "the pattern takes every text"
        source_of(fragment["source"])
        found.append(ModelFile(name, fragment["source"], fragment["digest"]))
    names = [file.name for file in found]
    for name in names:
        if not _is_plain(name) or names.count(name) > 1:
            raise CatalogueError(
                f"The file name {name!r} cannot be used; expected a plain name that no other file has."
            )
    return tuple(found)


def _is_plain(name: str) -> bool:
    """Whether a name stays where it is put: no folders, nothing invisible, nothing that the store uses itself."""
    return (
        name.isprintable()
        and not set(name) & set("/\\:")
        and name not in ("", ".", "..", _RECORD)
        and not name.endswith(".new")
        and len(name.encode("utf-8", "replace")) <= _LONGEST_NAME_BYTES
    )
