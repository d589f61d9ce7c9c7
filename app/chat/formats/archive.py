"""Takes the conversations out of the .zip that a service gives, in memory and within bounds; nothing else is read."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from io import BytesIO

from app.errors import ImportFormatError

from .reading import AS_GIVEN, MAX_JSON_BYTES

_STARTS = (b"PK\x03\x04", b"PK\x05\x06")

_CONVERSATIONS = re.compile(r"conversations(-\d{1,6})?\.json")
"""ChatGPT splits long histories into ``conversations-000.json``, ``conversations-001.json``, …"""

_MOST_FILES = 200_000
_MOST_EXPANSION = 200
"""Times that a large file may grow. Conversations grow about five to ten times, made-up repetition a thousand."""
_SMALL = 16 * 1024 * 1024
"""Below this many bytes no growth is harmful."""

_ENCRYPTED = 0x1
_READABLE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    KeyError,
    IndexError,
    OverflowError,
)
"""What ``zipfile`` raises over files that are not sound, as far as is known."""


def is_archive(content: bytes) -> bool:
    """Whether these bytes begin as a .zip does."""
    return content.startswith(_STARTS)


def conversations_in(content: bytes) -> list[bytes]:
    """The ``conversations.json`` of an archive, or all its numbered pieces in their order.

    Where there are several, those of the outermost folder are taken. Names that point out of the archive are not looked
    at.

    Raises:
        ImportFormatError: when there is none, or the archive is damaged, encrypted, or would grow beyond all measure.
    """
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            return [_read(archive, entry) for entry in _entries(archive)]
    except _DAMAGE as error:
        raise ImportFormatError(f"The archive is damaged: {error or type(error).__name__}.", AS_GIVEN) from error


def _entries(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    found: dict[str, zipfile.ZipInfo] = {}
    entries = archive.infolist()
    if len(entries) > _MOST_FILES:
        raise ImportFormatError(
            f"The archive holds {len(entries)} files; at most {_MOST_FILES} are expected.", AS_GIVEN
        )
    for entry in entries:
        if not _CONVERSATIONS.fullmatch(entry.filename.rpartition("/")[2]) or not _is_inside(entry.filename):
            continue
        if entry.filename in found:
            raise ImportFormatError(f"The archive holds {entry.filename} twice.", AS_GIVEN)
        found[entry.filename] = entry
    if not found:
        raise ImportFormatError("The archive holds no conversations.json.", AS_GIVEN)
    folder = min(
        (name.rpartition("/")[0] for name in found), key=lambda path: (len(path.split("/")) if path else 0, path)
    )
    chosen = {name: entry for name, entry in found.items() if name.rpartition("/")[0] == folder}
    whole = f"{folder}/conversations.json".lstrip("/")
    if whole in chosen:
        return [chosen[whole]]
    if sum(entry.file_size for entry in chosen.values()) > MAX_JSON_BYTES:
        raise _too_large(whole)
    return [chosen[name] for name in sorted(chosen)]


def _is_inside(path: str) -> bool:
    return not path.startswith("/") and "\\" not in path and ":" not in path and ".." not in path.split("/")


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.flag_bits & _ENCRYPTED:
        raise ImportFormatError(
            f"{entry.filename} in the archive is encrypted.", "Unpack it first, then import the file."
        )
    if entry.compress_type not in _READABLE:
        raise ImportFormatError(f"{entry.filename} is packed in a way that is not known.", AS_GIVEN)
    if entry.file_size > MAX_JSON_BYTES:
        raise _too_large(entry.filename)
    # What the archive says of sizes is checked against what comes out: it may lie.
    if entry.file_size > max(_SMALL, _MOST_EXPANSION * entry.compress_size):
        raise _too_large(entry.filename)
    with archive.open(entry) as packed:
        content = packed.read(MAX_JSON_BYTES + 1)
    if len(content) > MAX_JSON_BYTES:
        raise _too_large(entry.filename)
    return content


def _too_large(name: str) -> ImportFormatError:
    return ImportFormatError(
        f"{name} in the archive would unpack to more than can be read, {MAX_JSON_BYTES / 2**20:.0f} MiB at most.",
        "If it truly is your export, unpack it and import the file itself.",
    )
