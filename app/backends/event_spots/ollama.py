"""Where text lies in the events of Ollama's chat and generation: in a message, or beside it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from app.backends.rules import JsonObject

from .spot import Spot, strings_of


def spots(event: JsonObject) -> Iterator[Spot]:
    """See ``EventShape``."""
    return _of_ollama(event, whole=False)


def answer_spots(body: JsonObject) -> Iterator[Spot]:
    """See ``EventShape``."""
    return _of_ollama(body, whole=True)


def ending(event: JsonObject, known: list[Hashable]) -> list[Hashable]:
    """See ``EventShape``."""
    if event.get("done") is True or "error" in event:
        return known
    said = {spot.channel for spot in spots(event) if spot.text and not spot.whole}
    return [channel for channel in known if channel == "thinking" and said - {"thinking"}]


def carrying(like: JsonObject, spot: Spot, text: str) -> JsonObject:
    """See ``EventShape``."""
    told = {name: like[name] for name in ("model", "created_at") if name in like}
    if spot.place[0] != "message":
        return told | {"response": "", str(spot.place[0]): text, "done": False}
    said = {"role": "assistant", "content": "", str(spot.place[1]): text}
    return told | {"message": said, "done": False}


def says_nothing(event: JsonObject) -> bool:
    """See ``EventShape``."""
    if event.get("done") is not False:
        return False
    message = event.get("message")
    told = message if isinstance(message, dict) else event
    others = set(told) - {"role", "content", "thinking", "response", "model", "created_at", "done"}
    return not others and not any(told.get(name) for name in ("content", "thinking", "response"))


def _of_ollama(event: JsonObject, *, whole: bool) -> Iterator[Spot]:
    for name in ("thinking", "response"):
        if isinstance(event.get(name), str):
            yield Spot(name, event[name], "text", whole, (name,))
    message = event.get("message")
    if not isinstance(message, dict):
        return
    for name in ("thinking", "content"):
        if isinstance(message.get(name), str):
            yield Spot(name, message[name], "text", whole, ("message", name))
    calls = message.get("tool_calls")
    for place, call in enumerate(calls if isinstance(calls, list) else ()):
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and isinstance(function.get("arguments"), dict):
            yield from strings_of(function["arguments"], ("message", "tool_calls", place, "function", "arguments"))
