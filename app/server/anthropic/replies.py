"""What Anthropic's clients read: structs laid out as the API documents them, encoded without a detour."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
from msgspec import Struct

from app.messages import FinishReason, Usage
from app.server.collect import Whole

encode = msgspec.json.encode

_STOP_REASONS: dict[FinishReason, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}


class UsageReply(Struct):
    """Tokens spent. Those that were read from a cache are not among ``input_tokens``, as there."""

    input_tokens: int
    output_tokens: int
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0
    service_tier: str = "standard"


class MessageReply(Struct):
    """The answer."""

    id: str
    model: str
    content: list[Any]
    stop_reason: str | None
    stop_sequence: str | None
    usage: UsageReply
    type: str = "message"
    role: str = "assistant"


class CountReply(Struct):
    """The length of a prompt."""

    input_tokens: int


def new_id(prefix: str) -> str:
    """An id such as ``msg_…``, never the same twice."""
    return f"{prefix}{secrets.token_hex(12)}"


def stop_reason_of(reason: FinishReason, stop: str | None) -> str:
    """Why the answer ended."""
    return "stop_sequence" if stop is not None and reason == "stop" else _STOP_REASONS[reason]


def usage_of(usage: Usage) -> UsageReply:
    """Tokens spent."""
    fresh = max(0, usage.prompt_tokens - usage.cached_tokens)
    return UsageReply(fresh, usage.completion_tokens, cache_read_input_tokens=usage.cached_tokens)


def block_of_call(call_id: str, name: str, given: Any) -> dict[str, Any]:
    """A call of a tool as a block."""
    return {"type": "tool_use", "id": call_id, "name": name, "input": given}


def message_of(whole: Whole, model: str, *, with_thinking: bool) -> MessageReply:
    """A whole answer."""
    content: list[Any] = []
    if whole.thinking and with_thinking:
        content.append({"type": "thinking", "thinking": whole.thinking, "signature": whole.signature})
    if whole.text:
        content.append({"type": "text", "text": whole.text})
    for call in whole.tool_calls:
        content.append(block_of_call(call.call_id or new_id("toolu_"), call.name, _arguments(call.arguments)))
    reason = stop_reason_of(whole.finish, whole.stop)
    return MessageReply(new_id("msg_"), model, content, reason, whole.stop, usage_of(whole.usage))


def _arguments(text: str) -> Any:
    """Arguments as an object; what a model wrote and is none is told under one name, not dropped."""
    try:
        found = msgspec.json.decode(text or "{}")
    except msgspec.DecodeError:
        return {"arguments": text}
    return found if isinstance(found, dict) else {"arguments": found}
