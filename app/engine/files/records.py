"""What the store notes of a model's files: their digests, and what they looked like when those were computed."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from .download import disk_error
from .integrity import FileIdentity

_NAME = "record.json"


class StoredFile(Struct, frozen=True):
    """What is known of one file: its digest, and its identity when that was last computed."""

    sha256: str
    identity: FileIdentity | None = None


class Record(Struct, frozen=True):
    """What is known of a model's files.

    Attributes:
        files: by name.
        main: the name of the one that is loaded.
        pinned: whether the digest was not known before the first download.
        source: where the main file came from.
    """

    files: dict[str, StoredFile]
    main: str
    pinned: bool
    source: str = ""

    def with_file(self, name: str, file: StoredFile) -> Record:
        """The record with another note of one file."""
        return msgspec.structs.replace(self, files={**self.files, name: file})


def read_record(folder: Path) -> Record | None:
    """The record in a model's folder; ``None`` when there is none that makes sense."""
    try:
        record = msgspec.json.decode((folder / _NAME).read_bytes(), type=Record)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except msgspec.MsgspecError:
        # Written atomically, so this is not our doing: what it says cannot be trusted, and the model counts as
        # not installed. Its blob is found again by its digest when it is fetched.
        return None
    sound = record.main in record.files and all(Path(name).name == name for name in record.files)
    return record if sound else None


def write_record(folder: Path, record: Record) -> None:
    """Notes a record in a model's folder, wholly or not at all.

    Raises:
        DiskFullError, DownloadError: when it cannot be written.
    """
    write_whole(folder / _NAME, msgspec.json.encode(record))


def write_whole(path: Path, content: bytes) -> None:
    """Writes a small file so that it has its old content or its new one, never a part.

    Raises:
        DiskFullError, DownloadError: when it cannot be written.
    """
    fresh = path.with_name(path.name + ".new")
    try:
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise disk_error(error, path) from error
