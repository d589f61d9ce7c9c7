"""What one message of a ChatGPT export says, in our parts.

The service documents none of this; the shapes were learnt from exports that people have published. What is unknown is
read as far as it holds text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from app.messages import FinishReason, Message, NodeStatus, Part, Text, Thinking, ToolCall, ToolResult

from .fences import fenced
from .reading import as_json_text, as_list, as_mapping, as_text

_TO_EVERYONE = ("", "all")

_NOT_SAID = frozenset({"reasoning_recap", "model_editable_context"})
"""Kinds that are no part of what was said: "Thought for 8 seconds", and the service's own memory of the person."""

_MEDIA = ("asset_pointer", "audio", "video", "image", "file")

ROLES = ("user", "assistant", "tool", "system", "developer")

_FINISHES: dict[str, FinishReason] = {"stop": "stop", "max_tokens": "length", "content_filter": "content_filter"}


class Said(Struct, frozen=True):
    """A message of the export that is worth keeping.

    Attributes:
        call_id: when it asks for a tool, what the tool's answer refers to.
        missing: pictures, sounds and files that the export names and does not hold.
        system: it is the person's standing instructions, not a turn of the conversation.
    """

    message: Message
    model: str = ""
    status: NodeStatus = "complete"
    finish: FinishReason | None = None
    call_id: str = ""
    missing: int = 0
    system: bool = False


def said(message: Mapping[str, Any], key: str) -> Said | None:
    """What a message says; ``None`` when it is hidden, or says nothing. ``key`` becomes the id of a tool call."""
    given = message.get("content")
    content = {"parts": [given]} if isinstance(given, str) else as_mapping(given)
    metadata = as_mapping(message.get("metadata"))
    kind = as_text(content.get("content_type")) or "text"
    if kind == "user_editable_context" or metadata.get("is_user_system_message") is True:
        instructions = _instructions(content, metadata)
        return Said(Message.system(instructions), system=True) if instructions else None
    if metadata.get("is_visually_hidden_from_conversation") is True or kind in _NOT_SAID:
        return None
    role = as_text(as_mapping(message.get("author")).get("role"))
    if role == "user":
        text, missing = _text(content, kind)
        return Said(Message.user(text), missing=missing) if text.strip() else None
    if role == "assistant":
        return _answer(message, content, kind, key)
    text, missing = _text(content, kind)
    if not text.strip():
        return None
    if role == "tool":
        # The call is found later, when it is known which message came before.
        return Said(Message("tool", (ToolResult("", text, kind == "system_error"),)), missing=missing)
    return Said(Message.system(text), missing=missing, system=True) if role in ("system", "developer") else None


def _answer(message: Mapping[str, Any], content: Mapping[str, Any], kind: str, key: str) -> Said | None:
    metadata = as_mapping(message.get("metadata"))
    recipient = as_text(message.get("recipient"))
    calls = recipient not in _TO_EVERYONE
    part: Part
    missing = 0
    if kind == "thoughts":
        calls = False
        part = Thinking(_thoughts(content))
        empty = not part.text
    else:
        text, missing = _text(content, kind)
        empty = not text.strip()
        if calls:
            part = ToolCall(key, recipient, _arguments(text, kind))
        elif kind == "code":
            part = Text(fenced(text, _language(content)))
        else:
            part = Text(text)
    if empty:
        return None
    status, finish = _ending(as_text(message.get("status")), metadata)
    model = as_text(metadata.get("model_slug"))
    if calls:
        return Said(Message("assistant", (part,)), model, status, "tool_calls", key, missing)
    return Said(Message("assistant", (part,)), model, status, finish, "", missing)


def _ending(status: str, metadata: Mapping[str, Any]) -> tuple[NodeStatus, FinishReason | None]:
    finish = as_text(as_mapping(metadata.get("finish_details")).get("type"))
    if status == "error":
        return "failed", None
    if status in ("in_progress", "finished_partial_completion") or finish == "interrupted":
        return "cut", None
    return "complete", _FINISHES.get(finish)


def _instructions(content: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    """The person's custom instructions: about themselves, and about how to be answered."""
    given = as_mapping(metadata.get("user_context_message_data"))
    found = [as_text(given.get("about_user_message")), as_text(given.get("about_model_message"))]
    if not any(text.strip() for text in found):
        found = [as_text(content.get("user_profile")), as_text(content.get("user_instructions"))]
    if not any(text.strip() for text in found):
        found = [_text(content, "text")[0]]
    return "\n\n".join(text.strip() for text in found if text.strip())


def _thoughts(content: Mapping[str, Any]) -> str:
    found: list[str] = []
    for thought in map(as_mapping, as_list(content.get("thoughts"))):
        pieces = (as_text(thought.get("summary")).strip(), as_text(thought.get("content")).strip())
        found.append("\n\n".join(piece for piece in pieces if piece))
    return "\n\n".join(text for text in found if text)


def _language(content: Mapping[str, Any]) -> str:
    language = as_text(content.get("language"))
    return "" if language == "unknown" else language


def _arguments(text: str, kind: str) -> str:
    """What a tool was asked, as JSON: as it stands if it is an object already."""
    stripped = text.strip()
    if stripped.startswith("{") and stripped.endswith("}"):
        return text
    name: Literal["code", "input"] = "code" if kind == "code" else "input"
    return as_json_text({name: text})


def _text(content: Mapping[str, Any], kind: str) -> tuple[str, int]:
    """Everything in a message that reads as text, and how many pictures, sounds and files are missing from it."""
    found: list[str] = []
    missing = 0
    if kind in ("tether_quote", "sonic_webpage", "tether_browsing_display", "system_error"):
        found += (as_text(content.get(name)) for name in ("name", "title", "url", "result", "summary"))
    for part in as_list(content.get("parts")):
        text, lost = _part(part)
        found.append(text)
        missing += lost
    found += (as_text(content.get(name)) for name in ("text", "content"))
    return "\n\n".join(text for text in found if text.strip()), missing


def _part(part: object) -> tuple[str, int]:
    if isinstance(part, str):
        return as_text(part), 0
    fields = as_mapping(part)
    kind = as_text(fields.get("content_type")) or as_text(fields.get("type"))
    text = as_text(fields.get("text"))
    if text.strip():
        return text, 0
    if not any(word in kind for word in _MEDIA):
        return "", 0
    sound = as_mapping(fields.get("audio_asset_pointer"))
    name = (as_text(fields.get("asset_pointer")) or as_text(sound.get("asset_pointer"))).rpartition("/")[2]
    what = next((word for word in ("audio", "video", "image") if word in kind), "file")
    return f"[{what} not imported{f': {name}' if name else ''}]", 1
