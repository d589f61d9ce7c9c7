"""What one message of a Claude export says, in our parts.

The service documents none of this; the shapes were learnt from exports that people have published. A message of the
export may hold tool calls with their results among its text; ours has each result in a turn of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from app.messages import Part, Text, Thinking, ToolCall, ToolResult

from .fences import fenced
from .reading import as_json_text, as_list, as_mapping, as_text

TurnRole = Literal["user", "assistant", "tool"]

_SENDERS: dict[str, TurnRole] = {"human": "user", "user": "user", "assistant": "assistant"}

_NOT_SAID = frozenset({"token_budget", "flag", "redacted_thinking"})
"""Kinds of content that hold nothing to read."""


class Turn(Struct, frozen=True):
    """One message as ours are."""

    role: TurnRole
    parts: tuple[Part, ...]


def turns_of(message: Mapping[str, Any]) -> tuple[tuple[Turn, ...], int, int]:
    """The turns of a message, how many files it names without holding them, and how many pieces could not be read."""
    role = _SENDERS.get(as_text(message.get("sender")))
    if role is None:
        return (), 0, 1
    attached, missing = _attached(message)
    said, strange = _content(message)
    parts = [*attached, *said]
    if all(isinstance(part, Text) and not part.text.strip() for part in parts):
        return (), missing, strange
    turns: list[Turn] = []
    gathered: list[Part] = []
    speaking: TurnRole = role
    for part in parts:
        who: TurnRole = "tool" if isinstance(part, ToolResult) else role
        if who != speaking and gathered:
            turns.append(Turn(speaking, _spaced(gathered)))
            gathered = []
        speaking = who
        gathered.append(part)
    return (*turns, Turn(speaking, _spaced(gathered))), missing, strange


def _spaced(parts: list[Part]) -> tuple[Part, ...]:
    """The parts with a blank line between two texts, since texts are joined as they stand."""
    spaced: list[Part] = []
    text_before = False
    for part in parts:
        if isinstance(part, Text):
            spaced.append(Text(f"\n\n{part.text}") if text_before else part)
            text_before = True
        else:
            spaced.append(part)
    return tuple(spaced)


def _content(message: Mapping[str, Any]) -> tuple[list[Part], int]:
    parts: list[Part] = []
    strange = 0
    call_id = ""
    for index, block in enumerate(as_list(message.get("content"))):
        fields = as_mapping(block)
        kind = as_text(fields.get("type"))
        text = as_text(fields.get("text"))
        if kind == "thinking":
            thought = as_text(fields.get("thinking")) or text
            if thought:
                parts.append(Thinking(thought, as_text(fields.get("signature")) or None))
        elif kind == "tool_use":
            call_id = as_text(fields.get("id")) or f"call-{index}"
            parts.append(ToolCall(call_id, as_text(fields.get("name")) or "tool", _arguments(fields.get("input"))))
        elif kind == "tool_result":
            answered = as_text(fields.get("tool_use_id")) or call_id
            parts.append(ToolResult(answered, _result(fields.get("content")), fields.get("is_error") is True))
        elif text:
            parts.append(Text(text))
        elif kind not in ("text", *_NOT_SAID):
            strange += 1
    if not any(isinstance(part, Text) for part in parts) and not any(isinstance(part, ToolCall) for part in parts):
        # Exports of before 2024 have the words here alone; later ones repeat them, with notices in place of tools.
        words = as_text(message.get("text"))
        if words.strip():
            parts.append(Text(words))
    return parts, strange


def _arguments(given: object) -> str:
    return as_json_text(given if isinstance(given, dict) else {} if given is None else {"input": given})


def _result(content: object) -> str:
    if isinstance(content, str):
        return as_text(content)
    found: list[str] = []
    for block in as_list(content):
        fields = as_mapping(block)
        text = as_text(block) or as_text(fields.get("text"))
        if as_text(fields.get("type")) == "image":
            text = "[image not imported]"
        # A page that a search found has a title and an address too.
        heading = (as_text(fields.get("title")), as_text(fields.get("url")))
        found.append("\n".join(piece for piece in (*heading, text) if piece) or (as_json_text(block) if block else ""))
    if isinstance(content, dict):
        return as_json_text(content)
    return "\n\n".join(piece for piece in found if piece)


def _attached(message: Mapping[str, Any]) -> tuple[list[Part], int]:
    """Documents whose text the export holds, and the names of the files that it does not."""
    parts: list[Part] = []
    names: list[str] = []
    held: set[str] = set()
    for attachment in map(as_mapping, as_list(message.get("attachments"))):
        name = as_text(attachment.get("file_name"))
        text = as_text(attachment.get("extracted_content"))
        if text.strip():
            held.add(name)
            parts.append(Text(f"{name or 'Attachment'}:\n\n{fenced(text)}"))
        else:
            names.append(name)
    for field in ("files", "files_v2"):
        names += (as_text(as_mapping(file).get("file_name")) for file in as_list(message.get(field)))
    missing = [name for name in dict.fromkeys(names) if name not in held]
    parts += (Text(f"[file not imported{f': {name}' if name else ''}]") for name in missing)
    return parts, len(missing)
