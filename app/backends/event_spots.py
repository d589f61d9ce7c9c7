"""Where text lies in the events and answers of each protocol.

What does not have the shape that its protocol documents has no spots and is let alone: nothing here raises for it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Any, Literal

from msgspec import Struct

from .rules import JsonObject, WireProtocol

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


_CHAT_TEXTS = ("content", "reasoning_content", "reasoning", "refusal")
_RESPONSES_DELTAS: dict[str, tuple[str, str, Literal["text", "json"]]] = {
    "response.output_text": ("text", "content_index", "text"),
    "response.refusal": ("refusal", "content_index", "text"),
    "response.reasoning_text": ("text", "content_index", "text"),
    "response.reasoning_summary_text": ("text", "summary_index", "text"),
    "response.function_call_arguments": ("arguments", "", "json"),
    "response.mcp_call_arguments": ("arguments", "", "json"),
    "response.custom_tool_call_input": ("input", "", "text"),
}
"""What a text's ``.delta`` events tell of; its ``.done`` event has the whole of it under the name given first."""
_ANTHROPIC_DELTAS: dict[str, tuple[str, Literal["text", "json"]]] = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "text"),
    "input_json_delta": ("partial_json", "json"),
}


def spots(protocol: WireProtocol, event: JsonObject) -> list[Spot]:
    """The texts of one streamed event, in reading order; empty ones too."""
    match protocol:
        case "openai-chat":
            return list(_of_chat(event, "delta", whole=False))
        case "openai-completions":
            return list(_of_completions(event, whole=False))
        case "openai-responses":
            return list(_of_responses(event))
        case "anthropic":
            return list(_of_anthropic(event))
        case "ollama":
            return list(_of_ollama(event, whole=False))


def answer_spots(protocol: WireProtocol, body: JsonObject) -> list[Spot]:
    """The texts of a whole answer's body, in reading order; every one is whole."""
    match protocol:
        case "openai-chat":
            return list(_of_chat(body, "message", whole=True))
        case "openai-completions":
            return list(_of_completions(body, whole=True))
        case "openai-responses":
            return list(_of_output(body, ()))
        case "anthropic":
            return list(_of_blocks(body.get("content"), ("content",)))
        case "ollama":
            return list(_of_ollama(body, whole=True))


def put(event: JsonObject, spot: Spot, text: str) -> None:
    """Puts ``text`` into ``spot`` of the event or answer that it was found in."""
    there: Any = event
    for step in spot.place[:-1]:
        there = there[step]
    there[spot.place[-1]] = text


def ending(protocol: WireProtocol, event: JsonObject, channels: Iterable[Hashable]) -> list[Hashable]:
    """Which of ``channels`` get no more text after ``event``, or got their last before it, in the order given."""
    known = list(channels)
    match protocol:
        case "openai-chat" | "openai-completions":
            return _ending_choices(event, known)
        case "openai-responses":
            return _ending_responses(event, known)
        case "anthropic":
            kind, index = event.get("type"), event.get("index")
            if kind in ("message_delta", "message_stop", "error"):
                return known
            if kind == "content_block_start":  # blocks come one after another
                return [channel for channel in known if channel != index]
            return [channel for channel in known if kind == "content_block_stop" and channel == index]
        case "ollama":
            if event.get("done") is True or "error" in event:
                return known
            said = {spot.channel for spot in _of_ollama(event, whole=False) if spot.text and not spot.whole}
            return [channel for channel in known if channel == "thinking" and said - {"thinking"}]


def carrying(protocol: WireProtocol, like: JsonObject, spot: Spot, text: str) -> JsonObject:
    """An event that says ``text`` in ``spot``'s channel and nothing else.

    Args:
        protocol: of both.
        like: an event of the same stream in which ``spot`` was found; not changed.
        spot: where its text was.
        text: what is to be said.
    """
    match protocol:
        case "openai-chat" | "openai-completions":
            told = {name: value for name, value in like.items() if name not in ("choices", "usage")}
            return told | {"choices": [_choice_of(spot, text)]}
        case "openai-responses":
            told = {name: value for name, value in like.items() if name not in ("logprobs", "obfuscation")}
            return told | ({"logprobs": []} if "logprobs" in like else {}) | {"delta": text}
        case "anthropic":
            return {"type": "content_block_delta", "index": like["index"], "delta": _delta_of(like, spot, text)}
        case "ollama":
            told = {name: like[name] for name in ("model", "created_at") if name in like}
            if spot.place[0] != "message":
                return told | {"response": "", str(spot.place[0]): text, "done": False}
            said = {"role": "assistant", "content": "", str(spot.place[1]): text}
            return told | {"message": said, "done": False}


def says_nothing(protocol: WireProtocol, event: JsonObject) -> bool:
    """Whether nobody would miss ``event``: it carries empty text alone."""
    match protocol:
        case "openai-chat" | "openai-completions":
            choices = event.get("choices")
            if not isinstance(choices, list) or not choices or event.get("usage"):
                return False
            return all(isinstance(choice, dict) and _silent(choice) for choice in choices)
        case "openai-responses":
            return str(event.get("type", "")).endswith(".delta") and event.get("delta") == ""
        case "anthropic":
            delta = event.get("delta")
            if event.get("type") != "content_block_delta" or not isinstance(delta, dict):
                return False
            known = _ANTHROPIC_DELTAS.get(str(delta.get("type")))
            return known is not None and bool(delta.get(known[0]) == "")
        case "ollama":
            if event.get("done") is not False:
                return False
            message = event.get("message")
            told = message if isinstance(message, dict) else event
            others = set(told) - {"role", "content", "thinking", "response", "model", "created_at", "done"}
            return not others and not any(told.get(name) for name in ("content", "thinking", "response"))


# OpenAI: chat and plain completions


def _choices(event: JsonObject) -> Iterator[tuple[int, Hashable, JsonObject]]:
    choices = event.get("choices")
    for place, choice in enumerate(choices if isinstance(choices, list) else ()):
        if isinstance(choice, dict):
            index = choice.get("index", place)
            yield place, index if isinstance(index, int) else place, choice


def _of_chat(event: JsonObject, holder: str, *, whole: bool) -> Iterator[Spot]:
    for place, index, choice in _choices(event):
        said = choice.get(holder)
        if not isinstance(said, dict):
            continue
        before = ("choices", place, holder)
        for name in _CHAT_TEXTS:
            value = said.get(name)
            if isinstance(value, str):
                yield Spot((index, name), value, "text", whole, (*before, name))
            elif isinstance(value, list):
                yield from _of_blocks(value, (*before, name))
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


def _of_completions(event: JsonObject, *, whole: bool) -> Iterator[Spot]:
    for place, index, choice in _choices(event):
        if isinstance(choice.get("text"), str):
            yield Spot((index, "text"), choice["text"], "text", whole, ("choices", place, "text"))


def _ending_choices(event: JsonObject, known: list[Hashable]) -> list[Hashable]:
    ended: set[Hashable] = set(known) if "error" in event else set()
    for _, index, choice in _choices(event):
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


# OpenAI: responses


def _of_responses(event: JsonObject) -> Iterator[Spot]:
    name, _, what = str(event.get("type", "")).rpartition(".")
    known = _RESPONSES_DELTAS.get(name)
    if known is not None:
        done_in, number, form = known
        where = "delta" if what == "delta" else done_in
        if isinstance(event.get(where), str):
            channel = (name, event.get("output_index"), event.get(number) if number else None)
            yield Spot(channel, event[where], form, what != "delta", (where,))
    elif isinstance(event.get("part"), dict):
        yield from _of_blocks([event["part"]], ("part",), alone=True)
    elif isinstance(event.get("item"), dict):
        yield from _of_item(event["item"], ("item",))
    elif isinstance(event.get("response"), dict):
        yield from _of_output(event["response"], ("response",))


def _of_output(response: JsonObject, before: Place) -> Iterator[Spot]:
    output = response.get("output")
    for place, item in enumerate(output if isinstance(output, list) else ()):
        if isinstance(item, dict):
            yield from _of_item(item, (*before, "output", place))


def _of_item(item: JsonObject, before: Place) -> Iterator[Spot]:
    yield from _of_blocks(item.get("content"), (*before, "content"))
    yield from _of_blocks(item.get("summary"), (*before, "summary"))
    if isinstance(item.get("arguments"), str):
        yield Spot(before, item["arguments"], "json", True, (*before, "arguments"))
    if isinstance(item.get("input"), str):
        yield Spot(before, item["input"], "text", True, (*before, "input"))


def _ending_responses(event: JsonObject, known: list[Hashable]) -> list[Hashable]:
    kind, index = str(event.get("type", "")), event.get("output_index")
    of_item: list[Hashable] = [channel for channel in known if isinstance(channel, tuple) and channel[1] == index]
    name, _, what = kind.rpartition(".")
    if kind in ("response.output_item.done", "response.content_part.done"):
        return of_item
    if what == "done" and name in _RESPONSES_DELTAS:
        number = _RESPONSES_DELTAS[name][1]
        return [channel for channel in of_item if channel == (name, index, event.get(number) if number else None)]
    ends = ("response.completed", "response.incomplete", "response.failed", "response.cancelled", "error")
    return known if kind in ends else []


# Anthropic


def _of_anthropic(event: JsonObject) -> Iterator[Spot]:
    index = event.get("index")
    if not isinstance(index, int):
        return
    delta, block = event.get("delta"), event.get("content_block")
    if isinstance(delta, dict):
        known = _ANTHROPIC_DELTAS.get(str(delta.get("type")))
        if known is not None and isinstance(delta.get(known[0]), str):
            yield Spot(index, delta[known[0]], known[1], False, ("delta", known[0]))
    elif isinstance(block, dict):
        for name in ("text", "thinking"):
            if isinstance(block.get(name), str):
                yield Spot(index, block[name], "text", False, ("content_block", name))
        if isinstance(block.get("input"), dict):
            yield from _strings(block["input"], ("content_block", "input"))


def _delta_of(like: JsonObject, spot: Spot, text: str) -> JsonObject:
    name = str(spot.place[-1])
    kind = next(kind for kind, (field, _) in _ANTHROPIC_DELTAS.items() if field == name)
    return {"type": kind, name: text}


# Ollama, and what several have


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
            yield from _strings(function["arguments"], ("message", "tool_calls", place, "function", "arguments"))


def _of_blocks(blocks: Any, before: Place, *, alone: bool = False) -> Iterator[Spot]:
    for place, block in enumerate(blocks if isinstance(blocks, list) else ()):
        if not isinstance(block, dict):
            continue
        here = before if alone else (*before, place)
        for name in ("text", "thinking", "refusal"):
            if isinstance(block.get(name), str):
                yield Spot((*here, name), block[name], "text", True, (*here, name))
        if isinstance(block.get("input"), dict):
            yield from _strings(block["input"], (*here, "input"))


def _strings(value: Any, before: Place) -> Iterator[Spot]:
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
