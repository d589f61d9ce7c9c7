"""The events of a streamed message, in the order that Anthropic documents.

https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from app.messages import Delta, Finished, Started, TextDelta, ThinkingDelta, ToolCallDelta

from .replies import MessageReply, UsageReply, block_of_call, encode, new_id, stop_reason_of, usage_of

PING = b'event: ping\ndata: {"type":"ping"}\n\n'


def event(name: str, data: Any) -> bytes:
    """One server-sent event."""
    return b"event: " + name.encode() + b"\ndata: " + encode(data) + b"\n\n"


async def events_of(
    deltas: AsyncGenerator[Delta, None], model: str, *, with_thinking: bool
) -> AsyncGenerator[bytes, None]:
    """A message as it comes.

    Args:
        deltas: the answer; closed when this is.
        model: the name that is told.
        with_thinking: whether the client wants to see thoughts.
    """
    laid_out = _Events(model, with_thinking=with_thinking)
    async with aclosing(deltas) as stream:
        async for delta in stream:
            said = laid_out.of(delta)
            if said:
                yield said


class _Events:
    def __init__(self, model: str, *, with_thinking: bool) -> None:
        self._model, self._with_thinking = model, with_thinking
        self._began = False
        self._index = -1
        self._open: object = None
        """What the open block holds: ``text``, ``thinking``, or the index of a call."""
        self._before = self._after = b""

    def of(self, delta: Delta) -> bytes:
        match delta:
            case Started():
                self._model = delta.model
                return self._start(delta.prompt_tokens, delta.cached_tokens)
            case TextDelta(text) if text:
                return self._block("text", {"type": "text", "text": ""}) + self._before + encode(text) + self._after
            case ThinkingDelta(text, signature) if (text or signature) and self._with_thinking:
                said = self._block("thinking", {"type": "thinking", "thinking": "", "signature": ""})
                if text:
                    said += self._delta({"type": "thinking_delta", "thinking": text})
                if signature:
                    said += self._delta({"type": "signature_delta", "signature": signature})
                return said
            case ToolCallDelta(index, arguments, call_id, name):
                said = b""
                if self._open != index:
                    said = self._block(index, block_of_call(call_id or new_id("toolu_"), name or "", {}))
                if arguments:
                    said += self._delta({"type": "input_json_delta", "partial_json": arguments})
                return said
            case Finished():
                return self._end(delta)
            case _:
                return b""

    def _start(self, prompt_tokens: int = 0, cached_tokens: int = 0) -> bytes:
        if self._began:
            return b""
        self._began = True
        usage = UsageReply(prompt_tokens - cached_tokens, 0, cache_read_input_tokens=cached_tokens)
        message = MessageReply(new_id("msg_"), self._model, [], None, None, usage)
        return event("message_start", {"type": "message_start", "message": message}) + PING

    def _block(self, kind: object, block: Any) -> bytes:
        """Opens a block, unless it is open."""
        if self._open == kind:
            return b""
        said = self._start() + self._close()
        self._index += 1
        self._open = kind
        opened = {"type": "content_block_start", "index": self._index, "content_block": block}
        # Most events differ in their text alone: everything around it is laid out once.
        plain = self._delta({"type": "text_delta", "text": "\0"})
        self._before, self._after = plain.split(b'"\\u0000"')
        return said + event("content_block_start", opened)

    def _close(self) -> bytes:
        if self._open is None:
            return b""
        self._open = None
        return event("content_block_stop", {"type": "content_block_stop", "index": self._index})

    def _delta(self, delta: Any) -> bytes:
        return event("content_block_delta", {"type": "content_block_delta", "index": self._index, "delta": delta})

    def _end(self, finished: Finished) -> bytes:
        ended = {
            "type": "message_delta",
            "delta": {"stop_reason": stop_reason_of(finished.reason, finished.stop), "stop_sequence": finished.stop},
            "usage": usage_of(finished.usage),
        }
        return (
            self._start()
            + self._close()
            + event("message_delta", ended)
            + event("message_stop", {"type": "message_stop"})
        )
