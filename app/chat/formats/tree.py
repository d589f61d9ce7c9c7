"""Making a sound tree of messages from parents that may be missing, in a loop, or out of order."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

_NAMESPACE = uuid.UUID("6f2d0c1e-6a0b-5f0e-9a55-0b6f3f1a7c42")


def session_id(source: str, conversation: str) -> str:
    """The id of a conversation of another program: always the same one for the same conversation."""
    return uuid.uuid5(_NAMESPACE, f"{source}:{conversation!a}").hex


def node_id(within: str, message: str) -> str:
    """The id of a message of an imported conversation: always the same one for the same message of it."""
    # ascii() keeps strings apart that hold halves of characters, which cannot be encoded.
    return uuid.uuid5(uuid.UUID(within), ascii(message)).hex


def without_loops(parents: Mapping[str, str | None]) -> tuple[dict[str, str | None], int]:
    """The same tree with every loop opened where it was first entered, and how many there were.

    Every parent must be a key.
    """
    sound = dict(parents)
    checked: set[str] = set()
    loops = 0
    for start in parents:
        walked: set[str] = set()
        at: str | None = start
        while at is not None and at not in checked:
            walked.add(at)
            above = sound[at]
            if above in walked:
                sound[at] = None
                loops += 1
                break
            at = above
        checked |= walked
    return sound, loops


def parents_first(parents: Mapping[str, str | None]) -> list[str]:
    """The keys, each after its parent, siblings in the order given. There must be no loops."""
    children: dict[str | None, list[str]] = {}
    for key, parent in parents.items():
        children.setdefault(parent, []).append(key)
    ordered: list[str] = []
    pending = list(reversed(children.get(None, [])))
    while pending:
        key = pending.pop()
        ordered.append(key)
        pending.extend(reversed(children.get(key, [])))
    return ordered


def nearest_kept(
    ordered: Sequence[str], parents: Mapping[str, str | None], kept: Mapping[str, object]
) -> dict[str, str | None]:
    """For every key of ``ordered``: itself if it is kept, else the nearest key above it that is."""
    nearest: dict[str, str | None] = {}
    for key in ordered:
        above = parents[key]
        nearest[key] = key if key in kept else None if above is None else nearest[above]
    return nearest
