"""Where text lies in chat completions: in each choice's delta or message."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

from app.backends.rules import JsonObject

from .spot import Place, Spot, spots_of_blocks

_CHAT_TEXTS = ("content", "reasoning_content", "reasoning", "refusal")


def spots(event: JsonObject) -> Iterator[Spot]:
    """See ``EventShape``."""
    return _of_chat(event, "delta", whole=False)


def answer_spots(body: JsonObject) -> Iterator[Spot]:
    """See ``EventShape``."""
    return _of_chat(body, "message", whole=True)


def ending(event: JsonObject, known: list[Hashable]) -> list[Hashable]:
    """See ``EventShape``."""
    ended: set[Hashable] = set(known) if "error" in event else set()
    for _, index, choice in choices_of(event):
        of_choice = [channel for channel in known if isinstance(channel, tuple) and channel[0] == index]
        delta = choice.get("delta")
        if choice.get("finish_reason") is not None:
            ended.update(of_choice)
        elif isinstance(delta, dict):
            # Thoughts are over when words come, both when a call does, and a call when the next one is opened: calls
            # could be told side by side, but only once each of them is open.
            opened = _opened_calls(delta.get("tool_calls"))
            if opened:
                ended.update(channel for channel in of_choice if channel not in {(index, "call", n) for n in opened})
            elif delta.get("content"):
                ended.update(channel for channel in of_choice if channel[1] in ("reasoning", "reasoning_content"))
    return [channel for channel in known if channel in ended]


def carrying(like: JsonObject, spot: Spot, text: str) -> JsonObject:
    """See ``EventShape``."""
    told = {name: value for name, value in like.items() if name not in ("choices", "usage")}
    return told | {"choices": [_choice_of(spot, text)]}


def says_nothing(event: JsonObject) -> bool:
    """See ``EventShape``."""
    found = event.get("choices")
    if not isinstance(found, list) or not found or event.get("usage"):
        return False
    return all(isinstance(choice, dict) and _silent(choice) for choice in found)


def choices_of(event: JsonObject) -> Iterator[tuple[int, Hashable, JsonObject]]:
    """Each choice, with its place in the list and the index that it tells."""
    choices = event.get("choices")
    for place, choice in enumerate(choices if isinstance(choices, list) else ()):
        if isinstance(choice, dict):
            index = choice.get("index", place)
            yield place, index if isinstance(index, int) else place, choice


def _of_chat(event: JsonObject, holder: str, *, whole: bool) -> Iterator[Spot]:
    for place, index, choice in choices_of(event):
        said = choice.get(holder)
        if not isinstance(said, dict):
            continue
        before = ("choices", place, holder)
        for name in _CHAT_TEXTS:
            value = said.get(name)
            if isinstance(value, str):
                yield Spot((index, name), value, "text", whole, (*before, name))
            elif isinstance(value, list):
                yield from spots_of_blocks(value, (*before, name))
        yield from _of_calls(said.get("tool_calls"), index, (*before, "tool_calls"), whole=whole)
        called = said.get("function_call")
        if isinstance(called, dict) and isinstance(called.get("arguments"), str):
            where = (*before, "function_call", "arguments")
            yield Spot((index, "function_call"), called["arguments"], "json", whole, where)


def _of_calls(calls: Any, choice: Hashable, before: Place, *, whole: bool) -> Iterator[Spot]:
    for place, call in enumerate(calls if isinstance(calls, list) else ()):
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and isinstance(function.get("arguments"), str):
            number = call.get("index", place)
            channel = (choice, "call", number if isinstance(number, int) else place)
            yield Spot(channel, function["arguments"], "json", whole, (*before, place, "function", "arguments"))


def _opened_calls(calls: Any) -> set[int]:
    return {
        call["index"] if isinstance(call.get("index"), int) else place
        for place, call in enumerate(calls if isinstance(calls, list) else ())
        if isinstance(call, dict) and call.get("id")
    }


def _choice_of(spot: Spot, text: str) -> JsonObject:
    index, *which = spot.channel if isinstance(spot.channel, tuple) else (0,)
    match spot.place[2:]:
        case ("delta", "tool_calls", *_):
            said: JsonObject = {"tool_calls": [{"index": which[-1], "function": {"arguments": text}}]}
        case ("delta", "function_call", *_):
            said = {"function_call": {"arguments": text}}
        case ("delta", str(name), *_):
            said = {name: text}
        case _:
            return {"index": index, "text": text, "logprobs": None, "finish_reason": None}
    return {"index": index, "delta": said, "finish_reason": None}


def _silent(choice: JsonObject) -> bool:
    if choice.get("finish_reason") is not None or choice.get("logprobs"):
        return False
    if "text" in choice:
        return bool(choice["text"] == "")
    delta = choice.get("delta")
    if not isinstance(delta, dict) or not delta:
        return False
    return all(
        value in ("", None) if name in _CHAT_TEXTS else name == "tool_calls" and _silent_calls(value)
        for name, value in delta.items()
    )


def _silent_calls(calls: Any) -> bool:
    return isinstance(calls, list) and all(
        isinstance(call, dict)
        and set(call) <= {"index", "function"}
        and isinstance(call.get("function"), dict)
        and set(call["function"]) <= {"arguments"}
        and not call["function"].get("arguments")
        for call in calls
    )
