"""What Ollama's clients read: one JSON object a line. Durations are nanoseconds."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from app.messages import (
    ChosenToken,
    Delta,
    Finished,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
    Waiting,
)
from app.server.collect import Whole

encode = msgspec.json.encode


class CalledReply(Struct):
    """Which function, with what."""

    name: str
    arguments: Any
    index: int = 0


class CallReply(Struct):
    """A call."""

    function: CalledReply
    id: str | UnsetType = UNSET


class MessageReply(Struct):
    """A piece of a chat's answer, or all of it."""

    content: str = ""
    role: str = "assistant"
    thinking: str | UnsetType = UNSET
    tool_calls: list[CallReply] | UnsetType = UNSET


class TokenReply(Struct):
    """A token and its probability."""

    token: str
    logprob: float
    bytes: tuple[int, ...] = ()


class LogprobReply(TokenReply):
    """A token that was chosen."""

    top_logprobs: list[TokenReply] = []


class LineReply(Struct):
    """A line. A chat's has ``message``, a plain prompt's ``response``; the last one has the figures."""

    model: str
    created_at: str
    done: bool = False
    message: MessageReply | UnsetType = UNSET
    response: str | UnsetType = UNSET
    thinking: str | UnsetType = UNSET
    logprobs: list[LogprobReply] | UnsetType = UNSET
    done_reason: str | UnsetType = UNSET
    total_duration: int | UnsetType = UNSET
    load_duration: int | UnsetType = UNSET
    prompt_eval_count: int | UnsetType = UNSET
    prompt_eval_duration: int | UnsetType = UNSET
    eval_count: int | UnsetType = UNSET
    eval_duration: int | UnsetType = UNSET


def moment(seconds: float) -> str:
    """Seconds since 1970 as Ollama writes a time."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


class Lines:
    """Lays out one answer.

    Args:
        model: the name that is told.
        chat: whether it is a chat's answer.
        with_thinking: whether thoughts are told.
        clock: seconds since 1970.
    """

    def __init__(self, model: str, *, chat: bool, with_thinking: bool, clock: Callable[[], float]) -> None:
        self._model, self._chat, self._with_thinking, self._clock = model, chat, with_thinking, clock
        self._began = self._loaded = time.monotonic()

    async def of(self, deltas: AsyncGenerator[Delta, None]) -> AsyncGenerator[bytes, None]:
        """The lines of an answer as they come; closes ``deltas`` when it is closed."""
        calls: dict[int, list[str]] = {}
        async with aclosing(deltas) as stream:
            async for delta in stream:
                match delta:
                    case Started():
                        self._tell(delta.model)
                    case Waiting("loading"):
                        self._loaded = time.monotonic()
                    case TextDelta(text, chosen):
                        yield self._line(self._said(text, chosen=chosen))
                    case ThinkingDelta(text) if self._with_thinking:
                        yield self._line(self._said("", thinking=text))
                    case ToolCallDelta(index, arguments, call_id, name):
                        call = calls.setdefault(index, [call_id or "", name or "", ""])
                        call[2] += arguments
                    case Finished():
                        made = [ToolCall(*calls[index]) for index in sorted(calls)]
                        before = self._line(self._said("", calls=made)) if made else b""
                        yield before + self._line(self._ended(self._said(""), delta))
                    case _:
                        pass

    def whole(self, answer: Whole) -> LineReply:
        """An answer in one piece."""
        self._tell(answer.model)
        said = self._said(answer.text, answer.thinking, answer.logprobs, answer.tool_calls)
        return self._ended(said, Finished(answer.finish, answer.usage, answer.timings))

    def only(self, reason: str) -> LineReply:
        """No answer: the model was loaded or unloaded, and nothing was asked."""
        line = self._said("")
        line.done, line.done_reason = True, reason
        return line

    def _tell(self, model: str) -> None:
        """Who answers. The name that was asked stays, with its tag, where that is who."""
        if model and model != self._model.removesuffix(":latest"):
            self._model = model

    def _line(self, reply: LineReply) -> bytes:
        return encode(reply) + b"\n"

    def _said(
        self,
        text: str,
        thinking: str = "",
        chosen: Sequence[ChosenToken] = (),
        calls: Sequence[ToolCall] = (),
    ) -> LineReply:
        line = LineReply(self._model, moment(self._clock()))
        thought = thinking if thinking and self._with_thinking else UNSET
        if self._chat:
            made = [_call(place, call) for place, call in enumerate(calls)] or UNSET
            line.message = MessageReply(text, thinking=thought, tool_calls=made)
        else:
            line.response, line.thinking = text, thought
        if chosen:
            line.logprobs = [_logprob(token) for token in chosen]
        return line

    def _ended(self, line: LineReply, finished: Finished) -> LineReply:
        usage, timings = finished.usage, finished.timings
        line.done, line.done_reason = True, "length" if finished.reason == "length" else "stop"
        line.total_duration = _nanoseconds(time.monotonic() - self._began)
        line.load_duration = _nanoseconds(self._loaded - self._began)
        line.prompt_eval_count, line.eval_count = usage.prompt_tokens, usage.completion_tokens
        line.prompt_eval_duration, line.eval_duration = _nanoseconds(timings.prefill), _nanoseconds(timings.decode)
        return line


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)


def _call(place: int, call: ToolCall) -> CallReply:
    try:
        arguments = msgspec.json.decode(call.arguments or "{}")
    except msgspec.DecodeError:
        arguments = None
    if not isinstance(arguments, dict):
        arguments = {"arguments": call.arguments}
    return CallReply(CalledReply(call.name, arguments, place), call.call_id or UNSET)


def _logprob(token: ChosenToken) -> LogprobReply:
    return LogprobReply(
        token.chosen.token,
        max(token.chosen.logprob, -9999.0),
        tuple(token.chosen.raw),
        [TokenReply(other.token, max(other.logprob, -9999.0), tuple(other.raw)) for other in token.alternatives],
    )
