"""Where text lies in the events of OpenAI's Responses, and in their output items."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Literal

from app.backends.rules import JsonObject

from .spot import Place, Spot, spots_of_blocks

_DELTAS: dict[str, tuple[str, str, Literal["text", "json"]]] = {
    "response.output_text": ("text", "content_index", "text"),
    "response.refusal": ("refusal", "content_index", "text"),
    "response.reasoning_text": ("text", "content_index", "text"),
    "response.reasoning_summary_text": ("text", "summary_index", "text"),
    "response.function_call_arguments": ("arguments", "", "json"),
    "response.mcp_call_arguments": ("arguments", "", "json"),
    "response.custom_tool_call_input": ("input", "", "text"),
}
"""What a text's ``.delta`` events tell of; its ``.done`` event has the whole of it under the name given first."""


def spots(event: JsonObject) -> Iterator[Spot]:
    """See ``EventShape``."""
    name, _, what = str(event.get("type", "")).rpartition(".")
    known = _DELTAS.get(name)
    if known is not None:
        done_in, number, form = known
        where = "delta" if what == "delta" else done_in
        if isinstance(event.get(where), str):
            channel = (name, event.get("output_index"), event.get(number) if number else None)
            yield Spot(channel, event[where], form, what != "delta", (where,))
    elif isinstance(event.get("part"), dict):
        yield from spots_of_blocks([event["part"]], ("part",), alone=True)
    elif isinstance(event.get("item"), dict):
        yield from _of_item(event["item"], ("item",))
    elif isinstance(event.get("response"), dict):
        yield from _of_output(event["response"], ("response",))


def answer_spots(body: JsonObject) -> Iterator[Spot]:
    """See ``EventShape``."""
    return _of_output(body, ())


def ending(event: JsonObject, known: list[Hashable]) -> list[Hashable]:
    """See ``EventShape``."""
    kind, index = str(event.get("type", "")), event.get("output_index")
    of_item: list[Hashable] = [channel for channel in known if isinstance(channel, tuple) and channel[1] == index]
    name, _, what = kind.rpartition(".")
    if kind in ("response.output_item.done", "response.content_part.done"):
        return of_item
    if what == "done" and name in _DELTAS:
        number = _DELTAS[name][1]
        return [channel for channel in of_item if channel == (name, index, event.get(number) if number else None)]
    ends = ("response.completed", "response.incomplete", "response.failed", "response.cancelled", "error")
    return known if kind in ends else []


def carrying(like: JsonObject, spot: Spot, text: str) -> JsonObject:
    """See ``EventShape``."""
    told = {name: value for name, value in like.items() if name not in ("logprobs", "obfuscation")}
    return told | ({"logprobs": []} if "logprobs" in like else {}) | {"delta": text}


def says_nothing(event: JsonObject) -> bool:
    """See ``EventShape``."""
    return str(event.get("type", "")).endswith(".delta") and event.get("delta") == ""


def _of_output(response: JsonObject, before: Place) -> Iterator[Spot]:
    output = response.get("output")
    for place, item in enumerate(output if isinstance(output, list) else ()):
        if isinstance(item, dict):
            yield from _of_item(item, (*before, "output", place))


def _of_item(item: JsonObject, before: Place) -> Iterator[Spot]:
    yield from spots_of_blocks(item.get("content"), (*before, "content"))
    yield from spots_of_blocks(item.get("summary"), (*before, "summary"))
    if isinstance(item.get("arguments"), str):
        yield Spot(before, item["arguments"], "json", True, (*before, "arguments"))
    if isinstance(item.get("input"), str):
        yield Spot(before, item["input"], "text", True, (*before, "input"))
