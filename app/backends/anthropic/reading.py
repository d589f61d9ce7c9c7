"""From what ``POST /messages`` answers to neutral words: https://docs.anthropic.com/en/api/messages-streaming."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from app.backends.dialect import Spoken, not_whole
from app.backends.found import count, table, tables, words
from app.backends.refusals import failure
from app.backends.rules import JsonObject
from app.messages import (
    Delta,
    Finished,
    FinishReason,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    Usage,
)

from .asking import REDACTED, messages_body

_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


class MessagesReader:
    """Reads a message's events, or all of it. See ``AnswerReader``."""

    def __init__(self, model: str, backend: str) -> None:
        self._model, self._backend = model, backend
        self._started = False
        self._reason: FinishReason | None = None
        self._stop: str | None = None
        self._usage = Usage()
        self._calls: dict[object, int] = {}
        self._whole_input: dict[object, str] = {}
        self.done = False

    def mark(self) -> None:
        """See ``AnswerReader``; the last event says it here."""

    def event(self, event: JsonObject) -> Sequence[Delta]:
        """See ``AnswerReader``."""
        deltas: list[Delta] = []
        match event.get("type"):
            case "content_block_delta":
                self._more(_place(event), table(event.get("delta")), deltas)
            case "content_block_start":
                self._open(_place(event), table(event.get("content_block")), deltas)
            case "content_block_stop":
                self._close(_place(event), deltas)
            case "message_start":
                self._spend(table(table(event.get("message")).get("usage")))
                return self._start()
            case "message_delta":
                self._spend(table(event.get("usage")))
                self._end(table(event.get("delta")))
            case "message_stop":
                self.done = True
            case "error":
                raise failure(self._backend, event)
        return [*self._start(), *deltas] if deltas else deltas

    def whole(self, body: JsonObject) -> Sequence[Delta]:
        """See ``AnswerReader``."""
        if body.get("type") == "error" or not isinstance(body.get("content"), list):
            raise failure(self._backend, body)
        self._spend(table(body.get("usage")))
        deltas: list[Delta] = [*self._start()]
        for place, block in enumerate(tables(body["content"])):
            self._open(place, block, deltas)
            self._close(place, deltas)
        self._end(body)
        self.done = True
        return deltas

    def end(self) -> Sequence[Delta]:
        """See ``AnswerReader``."""
        if not self.done and self._reason is None:
            raise not_whole(self._backend)
        self.done = True
        return [*self._start(), Finished(self._reason or "stop", self._usage, stop=self._stop)]

    def _start(self) -> list[Delta]:
        if self._started:
            return []
        self._started = True
        return [Started(self._model, self._backend, self._usage.prompt_tokens, self._usage.cached_tokens)]

    def _spend(self, usage: JsonObject) -> None:
        """Counts are cumulative; those of the prompt may come once or again, and cached tokens are counted apart."""
        prompt, cached = self._usage.prompt_tokens, self._usage.cached_tokens
        if isinstance(usage.get("input_tokens"), int):
            cached = count(usage.get("cache_read_input_tokens"))
            prompt = count(usage["input_tokens"]) + cached + count(usage.get("cache_creation_input_tokens"))
        written = count(usage.get("output_tokens")) or self._usage.completion_tokens
        self._usage = Usage(prompt, written, cached)

    def _open(self, place: int, block: JsonObject, deltas: list[Delta]) -> None:
        match block.get("type"):
            case "text" if words(block.get("text")):
                deltas.append(TextDelta(words(block["text"])))
            case "thinking":
                thought, signature = words(block.get("thinking")), words(block.get("signature")) or None
                if thought or signature:
                    deltas.append(ThinkingDelta(thought, signature))
            case "redacted_thinking" if words(block.get("data")):
                deltas.append(ThinkingDelta("", REDACTED + words(block["data"])))
            case "tool_use":
                index = self._calls[place] = len(self._calls)
                call_id = words(block.get("id")) or f"call_{index}"
                deltas.append(ToolCallDelta(index, "", call_id, words(block.get("name"))))
                # Arguments stand here when the answer is whole, and come in pieces when it is streamed.
                given = table(block.get("input"))
                self._whole_input[place] = msgspec.json.encode(given).decode()

    def _more(self, place: int, delta: JsonObject, deltas: list[Delta]) -> None:
        match delta.get("type"):
            case "text_delta" if words(delta.get("text")):
                deltas.append(TextDelta(words(delta["text"])))
            case "thinking_delta" if words(delta.get("thinking")):
                deltas.append(ThinkingDelta(words(delta["thinking"])))
            case "signature_delta" if words(delta.get("signature")):
                deltas.append(ThinkingDelta("", words(delta["signature"])))
            case "input_json_delta" if place in self._calls and words(delta.get("partial_json")):
                self._whole_input.pop(place, None)
                deltas.append(ToolCallDelta(self._calls[place], words(delta["partial_json"])))

    def _close(self, place: int, deltas: list[Delta]) -> None:
        given = self._whole_input.pop(place, None)
        if given is not None:
            deltas.append(ToolCallDelta(self._calls[place], given))

    def _end(self, ended: JsonObject) -> None:
        reason = words(ended.get("stop_reason"))
        if reason:
            self._reason = _REASONS.get(reason, "stop")
            self._stop = words(ended.get("stop_sequence")) or None


def _place(event: JsonObject) -> int:
    place = event.get("index")
    return place if isinstance(place, int) else -1


MESSAGES = Spoken("anthropic", "/messages", messages_body, MessagesReader)
"""``POST /messages``."""
