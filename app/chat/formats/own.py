"""Our own form of a conversation: complete, and readable by other programs."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import structs

from app.errors import ImportFormatError
from app.messages import Node
from app.vault.conversations.records import Session, WholeSession

from .imported import Imported
from .reading import as_mapping, as_text, named, parse_json
from .tree import parents_first, without_loops

FORMAT = "playground-session"
VERSION = 1

_HALF_CHARACTER = re.compile(r"[\ud800-\udfff]")


class _One(msgspec.Struct, frozen=True):
    """A conversation as the file has it."""

    session: Session
    nodes: tuple[Node, ...]


def to_json(whole: WholeSession) -> str:
    """A conversation with everything that is kept of it: ``from_json`` gives an equal one back."""
    return _written({"format": FORMAT, "version": VERSION, **_plain(whole)})


def from_json(content: str | bytes) -> WholeSession:
    """The conversation that a file holds.

    Raises:
        ImportFormatError: when it is not ours, is of a later version, or is damaged.
    """
    return _checked(_file_of(parse_json(content)))


def read(content: str | bytes) -> Imported:
    """The conversation of a file, ready to be kept; a damaged one is left out and named.

    Raises:
        ImportFormatError: when it is not ours, or is of a later version.
    """
    return imported(parse_json(content))


def imported(parsed: object) -> Imported:
    """What ``read`` gives, from a file that is parsed already.

    Answers that were still being written when they were exported count as cut, since nobody will go on with them; and
    what lay in the bin is out of it, since whoever imports it wants it.

    Raises:
        ImportFormatError: when it is not ours, or is of a later version.
    """
    file = _file_of(parsed)
    try:
        return Imported((_settled(_checked(file)),))
    except ImportFormatError as error:
        title = as_text(as_mapping(file.get("session")).get("title"))
        return Imported((), (f"{named(title, 0)} could not be read. {error.message}",))


def _file_of(parsed: object) -> Mapping[str, Any]:
    """A file of ours, its conversation unchecked.

    Raises:
        ImportFormatError: when it is not ours, or is of a later version.
    """
    file = as_mapping(parsed)
    if file.get("format") != FORMAT:
        raise ImportFormatError(f"The file is not a conversation of Playground's: its format is not {FORMAT!r}.")
    version = file.get("version")
    if isinstance(version, int) and not isinstance(version, bool) and version > VERSION:
        raise ImportFormatError(
            f"The file is of version {version} of its format; this program reads up to {VERSION}.",
            "Update Playground, then import it again.",
        )
    if version != VERSION or isinstance(version, bool):
        raise ImportFormatError(f"The file names no version of its format; expected {VERSION}.")
    return file


def _plain(whole: WholeSession) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(_One(whole.session, whole.nodes), str_keys=True)
    return plain


def _written(value: dict[str, Any]) -> str:
    # Halves of characters cannot be written as UTF-8; escaped they can, and come back as they were.
    text = json.dumps(value, ensure_ascii=False, indent=1)
    return _HALF_CHARACTER.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def _checked(value: object) -> WholeSession:
    try:
        one = msgspec.convert(value, _One, str_keys=True)
    except (ValueError, RecursionError, OverflowError) as error:  # ValidationError is a ValueError
        raise ImportFormatError(f"The conversation is not as it was written: {error}.", "Export it again.") from error
    if not _all_finite(one):
        raise ImportFormatError("The conversation holds a number that is not finite.", "Export it again.")
    return WholeSession(one.session, _in_order(one))


def _in_order(one: _One) -> tuple[Node, ...]:
    """The nodes, each after its parent; as they stand if they are so already."""
    nodes = {node.id: node for node in one.nodes}
    if len(nodes) != len(one.nodes):
        raise ImportFormatError("Two messages of the conversation have one id.", "Export it again.")
    seen: set[str] = set()
    ordered = True
    for node in one.nodes:
        if node.parent_id is not None and node.parent_id not in nodes:
            raise ImportFormatError(f"The message {node.id!r} follows one that is missing.", "Export it again.")
        ordered = ordered and (node.parent_id is None or node.parent_id in seen)
        seen.add(node.id)
    if one.session.head_id is not None and one.session.head_id not in nodes:
        raise ImportFormatError("The message that the conversation ends with is missing.", "Export it again.")
    if ordered:
        return one.nodes
    parents = {node.id: node.parent_id for node in one.nodes}
    if without_loops(parents)[1]:
        raise ImportFormatError("The messages follow each other in a circle.", "Export it again.")
    return tuple(nodes[node_id] for node_id in parents_first(parents))


def _all_finite(value: object) -> bool:
    """Whether no number anywhere in a struct is infinite or NaN, which the vault and JSON could not keep."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, msgspec.Struct):
        return all(_all_finite(getattr(value, name)) for name in value.__struct_fields__)
    if isinstance(value, dict):
        return all(map(_all_finite, value.values()))
    return all(map(_all_finite, value)) if isinstance(value, tuple) else True


def _settled(whole: WholeSession) -> WholeSession:
    nodes = tuple(structs.replace(node, status="cut") if node.status == "streaming" else node for node in whole.nodes)
    return WholeSession(structs.replace(whole.session, deleted_at=None), nodes)
