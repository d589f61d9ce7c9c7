"""Going through the conversations of an export, so that a bad one never costs another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.errors import ImportFormatError
from app.vault.conversations.records import WholeSession

from .imported import Imported
from .reading import as_json_text, as_mapping, as_text, named

ReadOne = Callable[[Mapping[str, Any], str], tuple[WholeSession | None, list[str]]]
"""Reads one conversation under a key that no other one has: the conversation, ``None`` when it is empty, and a sentence
for each thing that was left out of it. Raises ``ImportFormatError`` when it cannot be read."""


class Keys:
    """Gives out names, each only once: a name that is taken gets a number."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def free(self, wanted: str) -> str:
        """``wanted``, or the first of ``wanted#2``, ``wanted#3``, … that is free."""
        found = wanted
        while found in self._taken:
            self._taken[wanted] += 1
            found = f"{wanted}#{self._taken[wanted]}"
        self._taken[found] = 1
        return found


def collected(conversations: Sequence[object], title: str, ids: Sequence[str], read_one: ReadOne) -> Imported:
    """Every conversation that can be read. ``title`` and ``ids`` are the fields that name one."""
    sessions: list[WholeSession] = []
    skipped: list[str] = []
    known: dict[str, Mapping[str, Any]] = {}
    keys = Keys()
    for index, value in enumerate(conversations):
        conversation = as_mapping(value)
        name = named(as_text(conversation.get(title)), index)
        try:
            # What has no id is known by all that it holds.
            key = next((found for field in ids if (found := as_text(conversation.get(field)))), "")
            key = key or as_json_text(value)
            if key in known and known[key] == conversation:
                skipped.append(f"{name} is in the export twice; it was taken once.")
                continue
            known.setdefault(key, conversation)
            whole, notes = read_one(conversation, keys.free(key))
        except RecursionError:
            skipped.append(f"{name} could not be read: it is nested too deeply.")
        except ImportFormatError as error:
            skipped.append(f"{name} could not be read: {error.message}")
        else:
            if whole is None:
                skipped.append(f"{name} was left out: it holds no messages.")
            else:
                sessions.append(whole)
                skipped += (f"{name}: {note}" for note in notes)
    return Imported(tuple(sessions), tuple(skipped))
