"""A whole answer, gathered from its stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from app.errors import EngineError
from app.messages import (
    ChosenToken,
    Delta,
    Finished,
    FinishReason,
    Started,
    TextDelta,
    ThinkingDelta,
    Timings,
    ToolCall,
    ToolCallDelta,
    Usage,
)


@dataclass(frozen=True)
class Whole:
    """An answer that has ended well.

    Attributes:
        model: the model that answered.
        stop: the stop string that ended it, where one did.
        signature: the provider's proof of its thoughts, where it signs them.
    """

    model: str
    text: str
    thinking: str
    tool_calls: tuple[ToolCall, ...]
    logprobs: tuple[ChosenToken, ...]
    finish: FinishReason
    usage: Usage
    timings: Timings
    stop: str | None = None
    signature: str = ""


@dataclass
class _Call:
    call_id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)


async def collect(stream: AsyncGenerator[Delta, None]) -> Whole:
    """Reads a stream to its end and closes it.

    Raises:
        PlaygroundError: the stream's own, or ``EngineError`` when it ends without its last word.
    """
    model = signature = ""
    texts: list[str] = []
    thoughts: list[str] = []
    logprobs: list[ChosenToken] = []
    calls: dict[int, _Call] = {}
    async with aclosing(stream) as deltas:
        async for delta in deltas:
            match delta:
                case TextDelta(text, chosen):
                    texts.append(text)
                    logprobs.extend(chosen)
                case ThinkingDelta(text, signed):
                    thoughts.append(text)
                    signature = signed or signature
                case ToolCallDelta(index, arguments, call_id, name):
                    call = calls.setdefault(index, _Call())
                    call.call_id, call.name = call_id or call.call_id, name or call.name
                    call.arguments.append(arguments)
                case Started():
                    model = delta.model
                case Finished(reason, usage, timings, stop):
                    made = tuple(
                        ToolCall(call.call_id, call.name, "".join(call.arguments)) for _, call in sorted(calls.items())
                    )
                    return Whole(
                        model,
                        "".join(texts),
                        "".join(thoughts),
                        made,
                        tuple(logprobs),
                        reason,
                        usage,
                        timings,
                        stop,
                        signature,
                    )
    raise EngineError("The answer ended without its last word.", "Ask again.")
