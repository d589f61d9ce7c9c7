"""A text in an event or an answer, and what several protocols have: content blocks, and JSON with strings in it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any, Literal

from msgspec import Struct

from app.backends.rules import JsonObject

Place = tuple[str | int, ...]


class Spot(Struct, frozen=True, gc=False):
    """A text in an event or an answer.

    Attributes:
        channel: texts of one channel follow one another in a stream and are one text.
        text: what stands there now.
        form: ``json`` when the text is itself JSON, or a piece of some: a tool call's arguments.
        whole: whether it stands alone, and is no piece of its channel's text.
        place: the way to it, from the outermost object.
    """

    channel: Hashable
    text: str
    form: Literal["text", "json"]
    whole: bool
    place: Place


def put(event: JsonObject, spot: Spot, text: str) -> None:
    """Puts ``text`` into ``spot`` of the event or answer that it was found in."""
    there: Any = event
    for step in spot.place[:-1]:
        there = there[step]
    there[spot.place[-1]] = text


def spots_of_blocks(blocks: Any, before: Place, *, alone: bool = False) -> Iterator[Spot]:
    """The texts of content blocks, each whole; ``alone`` when ``before`` leads to the one block itself."""
    for place, block in enumerate(blocks if isinstance(blocks, list) else ()):
        if not isinstance(block, dict):
            continue
        here = before if alone else (*before, place)
        for name in ("text", "thinking", "refusal"):
            if isinstance(block.get(name), str):
                yield Spot((*here, name), block[name], "text", True, (*here, name))
        if isinstance(block.get("input"), dict):
            yield from strings_of(block["input"], (*here, "input"))


def strings_of(value: Any, before: Place) -> Iterator[Spot]:
    """Every string within ``value``; what nests deeper than a person would is walked without a stack of calls."""
    pending: list[tuple[Place, Any]] = [(before, value)]
    while pending:
        place, found = pending.pop()
        if isinstance(found, str):
            yield Spot(place, found, "text", True, place)
        elif isinstance(found, dict):
            pending.extend(((*place, name), inner) for name, inner in reversed(found.items()))
        elif isinstance(found, list):
            pending.extend(((*place, number), inner) for number, inner in reversed(list(enumerate(found))))
