"""A conversation as the turns that chat templates read, and the other ways in which some templates want them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from app.errors import InvalidRequestError
from app.messages import Image, Message, Text, Thinking, Tool, ToolCall, ToolResult

Turn = dict[str, Any]
Hide = Callable[[Any], Any]
"""Gives what a template writes for what people, tools and models have said."""

_SAID = ("content", "reasoning_content", "name", "tool_calls")
"""What of a turn somebody has written; the rest are words of ours."""


def turns_of(messages: tuple[Message, ...]) -> list[Turn]:
    """The turns of a conversation.

    Raises:
        InvalidRequestError: when there are pictures in it.
    """
    names = {part.call_id: part.name for message in messages for part in message.parts if isinstance(part, ToolCall)}
    return [turn for message in messages for turn in _of_message(message, names)]


def calls_tools(message: Message) -> bool:
    """Whether the message asks for a tool."""
    return any(isinstance(part, ToolCall) for part in message.parts)


def hidden(turns: Sequence[Turn], hide: Hide) -> list[Turn]:
    """The turns with ``hide`` over everything that somebody has written."""
    return [{key: hide(value) if key in _SAID else value for key, value in turn.items()} for turn in turns]


def hidden_tools(tools: tuple[Tool, ...], hide: Hide) -> tuple[Tool, ...]:
    """The same for what is told of tools."""
    return tuple(Tool(hide(tool.name), hide(tool.description), hide(tool.parameters)) for tool in tools)


def spoken(message: Message, hide: Hide, *, inside_thinking: bool) -> str:
    """What the model itself wrote of a message, thinking included."""
    said: str = hide(message.text)
    thinking: str = hide("".join(part.text for part in message.parts if isinstance(part, Thinking)))
    if not thinking:
        return said
    opening = "" if inside_thinking else "<think>\n"
    has_text = any(isinstance(part, Text) and part.text for part in message.parts)
    return f"{opening}{thinking}" + (f"\n</think>\n\n{said}" if has_text else "")


def without_system(turns: Sequence[Turn]) -> list[Turn]:
    """System turns put before the words of the first question."""
    instructions = "\n\n".join(turn["content"] for turn in turns if turn["role"] == "system")
    rest = [turn for turn in turns if turn["role"] != "system"]
    if not instructions:
        return rest
    for at, turn in enumerate(rest):
        if turn["role"] == "user":
            rest[at] = turn | {"content": f"{instructions}\n\n{turn['content']}"}
            return rest
    return [{"role": "user", "content": instructions}, *rest]


def by_turns(turns: Sequence[Turn]) -> list[Turn]:
    """System turns gathered at the beginning, neighbours of the same role joined."""
    system = [turn for turn in turns if turn["role"] == "system"]
    ordered = [*system, *(turn for turn in turns if turn["role"] != "system")]
    joined: list[Turn] = []
    for turn in ordered:
        plain = turn["role"] in ("system", "user", "assistant") and "tool_calls" not in turn
        if plain and joined and joined[-1]["role"] == turn["role"] and "tool_calls" not in joined[-1]:
            joined[-1] = joined[-1] | {"content": f"{joined[-1]['content']}\n\n{turn['content']}"}
        else:
            joined.append(turn)
    return joined


def one_call_a_turn(turns: Sequence[Turn]) -> list[Turn]:
    """Parallel calls one after the other, each with its result behind it, for templates that know no others."""
    results = {turn["tool_call_id"]: turn for turn in turns if turn["role"] == "tool"}
    apart: list[Turn] = []
    placed: set[str] = set()
    for turn in turns:
        calls = turn.get("tool_calls", ())
        if len(calls) < 2:
            if turn.get("tool_call_id") not in placed:
                apart.append(turn)
            continue
        for at, call in enumerate(calls):
            apart.append(turn | {"content": "" if at else turn["content"], "tool_calls": [call]})
            if call["id"] in results:
                apart.append(results[call["id"]])
                placed.add(call["id"])
    return apart


def with_arguments_as_text(turn: Turn) -> Turn:
    """A turn whose calls have their arguments as JSON text, not as objects."""
    if "tool_calls" not in turn:
        return turn
    calls = []
    for call in turn["tool_calls"]:
        function = call["function"]
        if not isinstance(function["arguments"], str):
            function = function | {"arguments": json.dumps(function["arguments"], ensure_ascii=False)}
        calls.append(call | {"function": function})
    return turn | {"tool_calls": calls}


def _of_message(message: Message, names: dict[str, str]) -> Iterator[Turn]:
    """One message as Hugging Face's templates read it; tool results are turns of their own there."""
    if any(isinstance(part, Image) for part in message.parts):
        raise InvalidRequestError("This model cannot see images.", "Remove the image, or choose a vision model.")
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    for result in results:
        told: Turn = {"role": "tool", "content": _told(result), "tool_call_id": _short_id(result.call_id)}
        yield told | ({"name": names[result.call_id]} if result.call_id in names else {})
    if results and not message.text:
        return
    turn: Turn = {"role": message.role, "content": message.text}
    thinking = "".join(part.text for part in message.parts if isinstance(part, Thinking))
    if thinking:
        turn["reasoning_content"] = thinking
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    if calls:
        turn["tool_calls"] = [
            {
                "id": _short_id(call.call_id),
                "type": "function",
                "function": {"name": call.name, "arguments": _arguments(call)},
            }
            for call in calls
        ]
    yield turn


def _told(result: ToolResult) -> str:
    return f"Error: {result.text}" if result.is_error else result.text


def _short_id(call_id: str) -> str:
    """Mistral's templates insist on ids of nine letters and digits; others do not mind them."""
    if len(call_id) == 9 and call_id.isalnum():
        return call_id
    return hashlib.sha256(call_id.encode("utf-8", "replace")).hexdigest()[:9]


def _arguments(call: ToolCall) -> Any:
    """Templates write arguments with ``tojson``, so they get the object; what does not parse stays as it is."""
    try:
        return json.loads(call.arguments or "{}")
    except ValueError:
        return call.arguments
