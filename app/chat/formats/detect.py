"""Finds out whose export a file is, and reads it."""

from __future__ import annotations

from app.errors import ImportFormatError

from . import chatgpt, claude, own
from .archive import conversations_in, is_archive
from .imported import Imported
from .reading import AS_GIVEN, as_mapping, parse_json

_KNOWN = "Known are Playground's own JSON, and the exports of ChatGPT and Claude."


def read_export(content: bytes, name: str) -> Imported:
    """The conversations of a file that Playground, ChatGPT or Claude wrote: the JSON itself, or a service's .zip.

    ``name`` is what the file is called, for messages; what it holds decides how it is read.

    Raises:
        ImportFormatError: when nothing of it can be read.
    """
    try:
        if not is_archive(content):
            return _read(parse_json(content))
        conversations: list[object] = []
        for piece in conversations_in(content):
            found = _conversations(parse_json(piece))
            conversations += found
        return _services(conversations)
    except ImportFormatError as error:
        raise ImportFormatError(f"{name}: {error.message}", error.remedy) from error


def _read(parsed: object) -> Imported:
    if "format" in as_mapping(parsed):
        return own.imported(parsed)
    return _services(_conversations(parsed))


def _conversations(parsed: object) -> list[object]:
    """The list of conversations, however it is wrapped."""
    if isinstance(parsed, list):
        return parsed
    file = as_mapping(parsed)
    inner = file.get("conversations")
    if isinstance(inner, list):
        return inner
    if "mapping" in file or "chat_messages" in file:
        return [file]
    raise ImportFormatError(f"This is no list of conversations. {_KNOWN}", AS_GIVEN)


def _services(conversations: list[object]) -> Imported:
    """Decides by the first conversation that has a mark; the others that lack it are named as skipped."""
    if not conversations:
        raise ImportFormatError("The export holds no conversations.")
    for conversation in map(as_mapping, conversations):
        if "mapping" in conversation:
            return chatgpt.imported(conversations)
        if "chat_messages" in conversation:
            return claude.imported(conversations)
    raise ImportFormatError(f"These conversations are of no service that is known. {_KNOWN}", AS_GIVEN)
