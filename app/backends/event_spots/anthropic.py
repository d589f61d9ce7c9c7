"""Where text lies in the events of Anthropic's Messages, and in their content blocks."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Literal

from app.backends.rules import JsonObject

from .spot import Spot, spots_of_blocks, strings_of

_DELTAS: dict[str, tuple[str, Literal["text", "json"]]] = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "text"),
    "input_json_delta": ("partial_json", "json"),
}


def spots(event: JsonObject) -> Iterator[Spot]:
    """See ``EventShape``."""
    index = event.get("index")
    if not isinstance(index, int):
        return
    delta, block = event.get("delta"), event.get("content_block")
    if isinstance(delta, dict):
        known = _DELTAS.get(str(delta.get("type")))
        if known is not None and isinstance(delta.get(known[0]), str):
            yield Spot(index, delta[known[0]], known[1], False, ("delta", known[0]))
    elif isinstance(block, dict):
        for name in ("text", "thinking"):
            if isinstance(block.get(name), str):
                yield Spot(index, block[name], "text", False, ("content_block", name))
        if isinstance(block.get("input"), dict):
            yield from strings_of(block["input"], ("content_block", "input"))


def answer_spots(body: JsonObject) -> Iterator[Spot]:
    """See ``EventShape``."""
    return spots_of_blocks(body.get("content"), ("content",))


def ending(event: JsonObject, known: list[Hashable]) -> list[Hashable]:
    """See ``EventShape``."""
    kind, index = event.get("type"), event.get("index")
    if kind in ("message_delta", "message_stop", "error"):
        return known
    if kind == "content_block_start":  # blocks come one after another
        return [channel for channel in known if channel != index]
    return [channel for channel in known if kind == "content_block_stop" and channel == index]


def carrying(like: JsonObject, spot: Spot, text: str) -> JsonObject:
    """See ``EventShape``."""
    name = str(spot.place[-1])
    kind = next(kind for kind, (field, _) in _DELTAS.items() if field == name)
    return {"type": "content_block_delta", "index": like["index"], "delta": {"type": kind, name: text}}


def says_nothing(event: JsonObject) -> bool:
    """See ``EventShape``."""
    delta = event.get("delta")
    if event.get("type") != "content_block_delta" or not isinstance(delta, dict):
        return False
    known = _DELTAS.get(str(delta.get("type")))
    return known is not None and bool(delta.get(known[0]) == "")
