"""From what ``POST /chat/completions`` and ``POST /completions`` answer to neutral words.

https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.backends.dialect import not_whole
from app.backends.found import count, number, table, tables, words
from app.backends.refusals import failure
from app.backends.rules import JsonObject
from app.messages import (
    ChosenToken,
    Delta,
    Finished,
    FinishReason,
    Started,
    TextDelta,
    ThinkingDelta,
    TokenLogprob,
    ToolCallDelta,
    Usage,
)

_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    # Other servers' words for the same.
    "eos": "stop",
    "end_turn": "stop",
    "max_tokens": "length",
}
DONE = b"[DONE]"
"""The data of the last event, which is no JSON."""


class ChatReader:
    """Reads an answer's events, or all of it. See ``AnswerReader``."""

    def __init__(self, model: str, backend: str) -> None:
        self._model, self._backend = model, backend
        self._started = False
        self._reason: FinishReason | None = None
        self._usage = Usage()
        self._calls: dict[int, _Call] = {}
        self.done = False

    def mark(self) -> None:
        """See ``AnswerReader``."""
        self.done = True

    def event(self, event: JsonObject) -> Sequence[Delta]:
        """See ``AnswerReader``."""
        if event.get("error"):
            raise failure(self._backend, event)
        deltas: list[Delta] = []
        if isinstance(event.get("usage"), dict):
            self._usage = usage_of(event["usage"])
        for choice in tables(event.get("choices")):
            if choice.get("index", 0) == 0:
                self._choice(choice, table(choice.get("delta")), deltas)
        if not self._started and ("choices" in event or deltas):
            deltas.insert(0, self._start())
        return deltas

    def whole(self, body: JsonObject) -> Sequence[Delta]:
        """See ``AnswerReader``."""
        choices = tables(body.get("choices"))
        if not choices:
            raise failure(self._backend, body)
        self._usage = usage_of(table(body.get("usage")))
        deltas: list[Delta] = [self._start()]
        self._choice(choices[0], table(choices[0].get("message")), deltas)
        self.done = True
        return deltas

    def end(self) -> Sequence[Delta]:
        """See ``AnswerReader``."""
        if self._reason is None and not self.done:
            raise not_whole(self._backend)
        reason = self._reason or "stop"
        if self._calls and reason == "stop":
            # Some servers say so although the answer is a call.
            reason = "tool_calls"
        self.done = True
        return ([] if self._started else [self._start()]) + [Finished(reason, self._usage)]

    def _start(self) -> Delta:
        self._started = True
        return Started(self._model, self._backend, self._usage.prompt_tokens, self._usage.cached_tokens)

    def _choice(self, choice: JsonObject, said: JsonObject, deltas: list[Delta]) -> None:
        thought = words(said.get("reasoning_content")) or words(said.get("reasoning"))
        if thought:
            deltas.append(ThinkingDelta(thought))
        content = said.get("content", choice.get("text"))
        text = words(content) or words(said.get("refusal"))
        if isinstance(content, list):
            text = self._blocks(content, deltas)
        logprobs = logprobs_of(table(choice.get("logprobs")))
        if text or logprobs:
            deltas.append(TextDelta(text, logprobs))
        for place, call in enumerate(tables(said.get("tool_calls"))):
            self._call(call, place, deltas)
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason:
            self._reason = _REASONS.get(reason, "stop")

    def _blocks(self, content: list[Any], deltas: list[Delta]) -> str:
        """Mistral's own way: content in blocks, thoughts among them."""
        texts: list[str] = []
        for block in tables(content):
            if block.get("type") == "thinking":
                inner = block.get("thinking")
                thought = words(inner) or "".join(words(part.get("text")) for part in tables(inner))
                if thought:
                    deltas.append(ThinkingDelta(thought))
            else:
                texts.append(words(block.get("text")))
        return "".join(texts)

    def _call(self, call: JsonObject, place: int, deltas: list[Delta]) -> None:
        function = table(call.get("function"))
        arguments, name, call_id = words(function.get("arguments")), words(function.get("name")), words(call.get("id"))
        told = call.get("index")
        number = told if isinstance(told, int) and not isinstance(told, bool) else place
        known = self._calls.get(number)
        if known is not None and call_id and known.call_id and call_id != known.call_id:
            # Some servers give every call the same index; the id tells them apart.
            number = next((n for n, c in self._calls.items() if c.call_id == call_id), max(self._calls) + 1)
            known = self._calls.get(number)
        if known is None:
            known = self._calls[number] = _Call(len(self._calls))
        known.call_id, known.name = known.call_id or call_id, known.name or name
        known.held += arguments
        if not known.name:
            return  # A call without a name cannot be told of yet.
        if known.told:
            if known.held:
                deltas.append(ToolCallDelta(known.index, known.held))
        else:
            known.told = True
            call_id = known.call_id or f"call_{known.index}"
            deltas.append(ToolCallDelta(known.index, known.held, call_id, known.name))
        known.held = ""


class _Call:
    def __init__(self, index: int) -> None:
        self.index = index
        self.call_id = self.name = self.held = ""
        self.told = False


def usage_of(usage: JsonObject) -> Usage:
    """Tokens spent, with what servers other than OpenAI call those from a cache."""
    details = table(usage.get("prompt_tokens_details"))
    cached = count(details.get("cached_tokens")) or count(usage.get("prompt_cache_hit_tokens"))
    return Usage(count(usage.get("prompt_tokens")), count(usage.get("completion_tokens")), cached)


def logprobs_of(logprobs: JsonObject) -> tuple[ChosenToken, ...]:
    """Probabilities of tokens, where they were asked for; the older form of plain completions too."""
    if isinstance(logprobs.get("tokens"), list):
        return _older(logprobs)
    return tuple(
        ChosenToken(_token(found), tuple(_token(other) for other in tables(found.get("top_logprobs"))))
        for found in tables(logprobs.get("content"))
    )


def _token(found: JsonObject) -> TokenLogprob:
    text = words(found.get("token"))
    return TokenLogprob(text, _raw(found.get("bytes"), text), number(found.get("logprob")))


def _raw(numbers: Any, text: str) -> bytes:
    if isinstance(numbers, list) and all(isinstance(n, int) and 0 <= n < 256 for n in numbers):
        return bytes(numbers)
    return text.encode()


def _older(logprobs: JsonObject) -> tuple[ChosenToken, ...]:
    chances, others = logprobs.get("token_logprobs"), logprobs.get("top_logprobs")
    found: list[ChosenToken] = []
    for place, token in enumerate(logprobs["tokens"]):
        chance = chances[place] if isinstance(chances, list) and place < len(chances) else None
        beside = table(others[place]) if isinstance(others, list) and place < len(others) else {}
        found.append(
            ChosenToken(
                _token({"token": token, "logprob": chance}),
                tuple(_token({"token": name, "logprob": value}) for name, value in beside.items()),
            )
        )
    return tuple(found)
