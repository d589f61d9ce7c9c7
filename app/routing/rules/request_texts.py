"""Where text that a person or a tool wrote lies in the body of a request, protocol by protocol.

Names, ids, schemas, images and signed thoughts are no such text and are let alone, as is what does not have the shape
that its protocol documents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from app.backends.json_strings import JsonStrings, TextFilter
from app.backends.rules import JsonObject, WireProtocol

Change = Callable[[str], str]
_Holder = Any
"""A list or an object, with the index or name at which a text stands in it."""


def change_texts(protocol: WireProtocol, body: JsonObject, change: Change, make: Callable[[], TextFilter]) -> None:
    """Changes every text of a request's body in place.

    Args:
        protocol: of the body.
        body: changed in place.
        change: for texts as they are.
        make: the same change as a filter, for the strings within JSON that stands in a text.
    """
    for holder, key, is_json in _texts(protocol, body):
        text = holder[key]
        if is_json:
            strings = JsonStrings(make)
            holder[key] = strings.feed(text) + strings.finish()
        else:
            holder[key] = change(text)


def _texts(protocol: WireProtocol, body: JsonObject) -> Iterator[tuple[_Holder, str | int, bool]]:
    match protocol:
        case "openai-chat":
            yield from _messages(body)
        case "openai-completions":
            yield from _one_or_many(body, "prompt")
            yield from _field(body, "suffix")
        case "openai-responses":
            yield from _field(body, "instructions")
            yield from _field(body, "input")
            for item in _objects(body.get("input")):
                yield from _item(item)
        case "anthropic":
            yield from _content(body, "system")
            yield from _messages(body)
        case "ollama":
            for name in ("prompt", "system", "suffix"):
                yield from _field(body, name)
            yield from _messages(body)


def _messages(body: JsonObject) -> Iterator[tuple[_Holder, str | int, bool]]:
    for message in _objects(body.get("messages")):
        yield from _content(message, "content")
        yield from _field(message, "refusal")
        for name in ("reasoning_content", "reasoning"):
            yield from _field(message, name)
        calls = [call.get("function") for call in _objects(message.get("tool_calls"))]
        for function in (*calls, message.get("function_call")):
            if isinstance(function, dict):
                yield from _arguments(function)


def _arguments(function: JsonObject) -> Iterator[tuple[_Holder, str | int, bool]]:
    yield from _field(function, "arguments", is_json=True)
    yield from _within(function.get("arguments"))


def _item(item: JsonObject) -> Iterator[tuple[_Holder, str | int, bool]]:
    yield from _content(item, "content")
    yield from _content(item, "output")
    yield from _arguments(item)
    if item.get("type") == "custom_tool_call":
        yield from _field(item, "input")


def _content(holder: JsonObject, name: str) -> Iterator[tuple[_Holder, str | int, bool]]:
    """A text, or blocks of which some have texts; a block of a tool's result has blocks of its own."""
    yield from _field(holder, name)
    for block in _objects(holder.get(name)):
        kind = block.get("type")
        if kind in ("thinking", "redacted_thinking"):
            continue
        for field in ("text", "refusal"):
            yield from _field(block, field)
        if kind == "tool_use":
            yield from _within(block.get("input"))
        elif kind == "tool_result":
            yield from _content(block, "content")
        elif kind == "document":
            source = block.get("source")
            if isinstance(source, dict) and source.get("type") == "text":
                yield from _field(source, "data")


def _field(holder: JsonObject, name: str, *, is_json: bool = False) -> Iterator[tuple[_Holder, str | int, bool]]:
    if isinstance(holder.get(name), str):
        yield holder, name, is_json


def _one_or_many(holder: JsonObject, name: str) -> Iterator[tuple[_Holder, str | int, bool]]:
    yield from _field(holder, name)
    several = holder.get(name)
    if isinstance(several, list):
        yield from ((several, place, False) for place, one in enumerate(several) if isinstance(one, str))


def _within(value: object) -> Iterator[tuple[_Holder, str | int, bool]]:
    """Every string within ``value``, whatever its depth."""
    pending = [value]
    while pending:
        holder = pending.pop()
        inner: Any = (
            holder.items() if isinstance(holder, dict) else enumerate(holder) if isinstance(holder, list) else ()
        )
        for key, part in list(inner):
            if isinstance(part, str):
                yield holder, key, False
            else:
                pending.append(part)


def _objects(value: object) -> Iterator[JsonObject]:
    yield from (part for part in (value if isinstance(value, list) else ()) if isinstance(part, dict))
