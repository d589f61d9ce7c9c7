"""From what ``POST /responses`` answers to neutral words.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from collections.abc import Sequence

from app.backends.dialect import EndTeller
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

from .chat_reading import logprobs_of
from .responses_asking import SIGNATURE

_THOUGHTS = ("response.reasoning_summary_text.delta", "response.reasoning_text.delta")
_TEXTS = ("response.output_text.delta", "response.refusal.delta")


class ResponsesReader(EndTeller):
    """Reads a response's events, or all of it. See ``AnswerReader``."""

    def __init__(self, model: str, backend: str) -> None:
        super().__init__(model, backend)
        self._calls: dict[object, int] = {}
        self._argued: set[int] = set()

    def event(self, event: JsonObject) -> Sequence[Delta]:
        """See ``AnswerReader``."""
        kind = words(event.get("type"))
        deltas: list[Delta] = []
        if kind in _TEXTS:
            self._say(words(event.get("delta")), event, deltas)
        elif kind in _THOUGHTS:
            thought = words(event.get("delta"))
            deltas.extend([ThinkingDelta(thought)] if thought else [])
        elif kind == "response.function_call_arguments.delta":
            self._argue(event, words(event.get("delta")), deltas)
        elif kind == "response.output_item.added":
            self._open(event, table(event.get("item")), deltas)
        elif kind == "response.reasoning_summary_part.added" and count(event.get("summary_index")):
            deltas.append(ThinkingDelta("\n\n"))
        elif kind == "response.output_item.done":
            self._close(event, table(event.get("item")), deltas)
        elif kind in ("response.completed", "response.incomplete"):
            self._finish(table(event.get("response")))
        elif kind == "response.failed":
            raise failure(self._backend, {"error": table(event.get("response")).get("error")})
        elif kind == "error" or event.get("error"):
            raise failure(self._backend, event)
        if not self._started and (deltas or kind.startswith("response.")):
            self._started = True
            deltas.insert(0, Started(self._model, self._backend))
        return deltas

    def whole(self, body: JsonObject) -> Sequence[Delta]:
        """See ``AnswerReader``."""
        if body.get("error") or not isinstance(body.get("output"), list):
            raise failure(self._backend, body)
        self._finish(body)
        assert self._finished is not None
        usage = self._finished.usage
        self._started = True
        deltas: list[Delta] = [Started(self._model, self._backend, usage.prompt_tokens, usage.cached_tokens)]
        for place, item in enumerate(tables(body["output"])):
            at: JsonObject = {"output_index": place}
            match item.get("type"):
                case "message":
                    for part in tables(item.get("content")):
                        self._say(words(part.get("text")) or words(part.get("refusal")), part, deltas)
                case "function_call":
                    self._close(at, item, deltas)
                case "reasoning":
                    thoughts = [words(part.get("text")) for part in tables(item.get("summary"))]
                    thoughts += [words(part.get("text")) for part in tables(item.get("content"))]
                    deltas.extend([ThinkingDelta("\n\n".join(thoughts))] if any(thoughts) else [])
                    self._close(at, item, deltas)
        return deltas

    def _say(self, text: str, holder: JsonObject, deltas: list[Delta]) -> None:
        logprobs = logprobs_of({"content": holder.get("logprobs")})
        if text or logprobs:
            deltas.append(TextDelta(text, logprobs))

    def _open(self, event: JsonObject, item: JsonObject, deltas: list[Delta]) -> None:
        if item.get("type") != "function_call":
            return
        index = self._calls[_place(event)] = len(self._calls)
        call_id = words(item.get("call_id")) or words(item.get("id")) or f"call_{index}"
        # Arguments that stand here come again, in pieces or with the item's end.
        deltas.append(ToolCallDelta(index, "", call_id, words(item.get("name"))))

    def _argue(self, event: JsonObject, arguments: str, deltas: list[Delta]) -> None:
        index = self._calls.get(_place(event))
        if index is not None and arguments:
            self._argued.add(index)
            deltas.append(ToolCallDelta(index, arguments))

    def _close(self, event: JsonObject, item: JsonObject, deltas: list[Delta]) -> None:
        if item.get("type") == "reasoning" and words(item.get("encrypted_content")):
            proof = f"{SIGNATURE}{words(item.get('id'))} {words(item['encrypted_content'])}"
            deltas.append(ThinkingDelta("", proof))
        if item.get("type") == "function_call":
            # Some servers tell arguments only once the call is whole.
            index = self._calls.get(_place(event))
            if index is None:
                self._open(event, item, deltas)
                index = self._calls[_place(event)]
            if index not in self._argued:
                self._argue(event, words(item.get("arguments")), deltas)

    def _finish(self, response: JsonObject) -> None:
        used = table(response.get("usage"))
        cached = count(table(used.get("input_tokens_details")).get("cached_tokens"))
        usage = Usage(count(used.get("input_tokens")), count(used.get("output_tokens")), cached)
        reason: FinishReason = "tool_calls" if self._calls or _called(response) else "stop"
        if response.get("status") == "incomplete":
            why = table(response.get("incomplete_details")).get("reason")
            reason = "content_filter" if why == "content_filter" else "length"
        self._finished = Finished(reason, usage)


def _place(event: JsonObject) -> int | str:
    place = event.get("output_index")
    return place if isinstance(place, int) else words(event.get("item_id"))


def _called(response: JsonObject) -> bool:
    return any(item.get("type") == "function_call" for item in tables(response.get("output")))
