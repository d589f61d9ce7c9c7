"""The files that a prompt mentions, read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from app.chat.attaching.aside import aside
from app.chat.attaching.mentions import Mention
from app.errors import PlaygroundError

if TYPE_CHECKING:
    from app.chat.attaching.files import Attachment

_READING = 10.0


class Read(Struct, frozen=True):
    """Every file that is there, in order, and the first that cannot be attached with the reason."""

    files: tuple[Attachment, ...] = ()
    trouble: PlaygroundError | None = None


async def read_mentioned(mentions: Sequence[Mention], without: frozenset[str] = frozenset()) -> Read:
    """Reads what is mentioned; what names no file is text like any other.

    Args:
        mentions: of the prompt.
        without: names that need not be read.
    """
    if not mentions:
        return Read()
    from app.chat.attaching.files import AttachmentError, attach_all

    def read() -> Read:
        named: dict[str, Path] = {}
        for mention in mentions:
            for path in mention.paths:
                if path in without:
                    break
                found = _file(path)
                if found is not None:
                    named.setdefault(path, found)
                    break
        try:
            return Read(attach_all([(path, name) for name, path in named.items()]))
        except AttachmentError as error:
            return Read(trouble=error)

    try:
        return await aside(read, _READING)
    except TimeoutError:
        return Read(
            trouble=AttachmentError(
                f"The files could not be read within {_READING:.0f} seconds.", "Their drive may not answer; try again."
            )
        )


def _file(path: str) -> Path | None:
    """The file that a path names; ``None`` when there is none, or a folder."""
    try:
        found = Path(path).expanduser()
        return found if found.exists() and not found.is_dir() else None
    except (OSError, ValueError, RuntimeError):
        return None
