"""From what ``POST /api/chat`` and ``POST /api/generate`` answer, a line each, to neutral words."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from app.backends.dialect import EndTeller, Spoken
from app.backends.found import count, seconds, table, tables, words
from app.backends.openai.chat_reading import logprobs_of
from app.backends.refusals import failure
from app.backends.rules import JsonObject
from app.messages import (
    Delta,
    Finished,
    FinishReason,
    Started,
    TextDelta,
    ThinkingDelta,
    Timings,
    ToolCallDelta,
    Usage,
)

from .asking import chat_body, generate_body


class LineReader(EndTeller):
    """Reads an answer's lines, or the one line that is all of it. See ``AnswerReader``."""

    def __init__(self, model: str, backend: str) -> None:
        super().__init__(model, backend)
        self._calls = 0

    def event(self, event: JsonObject) -> Sequence[Delta]:
        """See ``AnswerReader``."""
        if event.get("error"):
            raise failure(self._backend, event)
        deltas: list[Delta] = []
        said = table(event.get("message"))
        thought = words(said.get("thinking")) or words(event.get("thinking"))
        if thought:
            deltas.append(ThinkingDelta(thought))
        text = words(said.get("content")) or words(event.get("response"))
        logprobs = logprobs_of({"content": event.get("logprobs")})
        if text or logprobs:
            deltas.append(TextDelta(text, logprobs))
        for call in tables(said.get("tool_calls")):
            function = table(call.get("function"))
            arguments = msgspec.json.encode(table(function.get("arguments"))).decode()
            call_id = words(call.get("id")) or f"call_{self._calls}"
            deltas.append(ToolCallDelta(self._calls, arguments, call_id, words(function.get("name"))))
            self._calls += 1
        if event.get("done") is True:
            self._finish(event)
        if not self._started and (deltas or "done" in event):
            self._started = True
            deltas.insert(0, Started(self._model, self._backend, count(event.get("prompt_eval_count"))))
        return deltas

    def whole(self, body: JsonObject) -> Sequence[Delta]:
        """See ``AnswerReader``."""
        deltas = self.event(body)
        if not self.done:
            raise failure(self._backend, body)
        return deltas

    def _finish(self, line: JsonObject) -> None:
        reason: FinishReason = "length" if line.get("done_reason") == "length" else "stop"
        if self._calls and reason == "stop":
            reason = "tool_calls"
        usage = Usage(count(line.get("prompt_eval_count")), count(line.get("eval_count")))
        timings = Timings(
            queued=seconds(line.get("load_duration")),
            prefill=seconds(line.get("prompt_eval_duration")),
            decode=seconds(line.get("eval_duration")),
        )
        self._finished = Finished(reason, usage, timings)


CHAT = Spoken("ollama", "/api/chat", chat_body, LineReader)
"""``POST /api/chat``."""

GENERATE = Spoken("ollama", "/api/generate", generate_body, LineReader)
"""``POST /api/generate``: a prompt is continued as it is."""
