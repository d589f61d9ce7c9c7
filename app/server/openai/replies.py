"""What OpenAI's clients read: structs laid out as the API documents them, encoded without a detour."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import msgspec
from msgspec import UNSET, Struct, UnsetType

from app.messages import ChosenToken, ToolCall, Usage

encode = msgspec.json.encode


def new_id(prefix: str) -> str:
    """An id such as ``chatcmpl-…``, never the same twice."""
    return f"{prefix}{secrets.token_hex(12)}"


class CachedTokens(Struct):
    """Of the prompt."""

    cached_tokens: int
    audio_tokens: int = 0


class UsageReply(Struct):
    """Tokens spent."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: CachedTokens


class TopLogprob(Struct):
    """A token that could have been chosen."""

    token: str
    logprob: float
    bytes: tuple[int, ...]


class LogprobReply(Struct):
    """A token that was chosen."""

    token: str
    logprob: float
    bytes: tuple[int, ...]
    top_logprobs: list[TopLogprob]


class LogprobsReply(Struct):
    """Of an answer's tokens."""

    content: list[LogprobReply]
    refusal: None = None


class FunctionReply(Struct):
    """A function to call; its name comes with the first piece only."""

    arguments: str
    name: str | UnsetType = UNSET


class ToolCallReply(Struct):
    """A call, or in a stream a piece of one."""

    function: FunctionReply
    id: str | UnsetType = UNSET
    type: str | UnsetType = UNSET
    index: int | UnsetType = UNSET


class MessageReply(Struct):
    """The whole answer."""

    content: str | None
    role: str = "assistant"
    refusal: None = None
    reasoning_content: str | UnsetType = UNSET
    tool_calls: list[ToolCallReply] | UnsetType = UNSET


class ChoiceReply(Struct):
    """One of the ``n`` answers."""

    index: int
    message: MessageReply
    finish_reason: str
    logprobs: LogprobsReply | None = None


class ChatReply(Struct):
    """A chat's answers."""

    id: str
    created: int
    model: str
    choices: list[ChoiceReply]
    usage: UsageReply
    object: str = "chat.completion"
    system_fingerprint: str | None = None
    service_tier: str = "default"


class DeltaReply(Struct):
    """A piece of an answer."""

    role: str | UnsetType = UNSET
    content: str | UnsetType = UNSET
    reasoning_content: str | UnsetType = UNSET
    tool_calls: list[ToolCallReply] | UnsetType = UNSET


class ChunkChoice(Struct):
    """A piece, and of which answer."""

    index: int
    delta: DeltaReply
    finish_reason: str | None = None
    logprobs: LogprobsReply | None = None


class ChatChunk(Struct):
    """An event of a streamed chat. ``usage`` is null until the last, where it was asked for."""

    id: str
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: UsageReply | UnsetType | None = UNSET
    object: str = "chat.completion.chunk"
    system_fingerprint: str | None = None


def usage_of(usages: Sequence[Usage]) -> UsageReply:
    """Tokens spent on all answers to one prompt, which counts once."""
    prompt = max((usage.prompt_tokens for usage in usages), default=0)
    completion = sum(usage.completion_tokens for usage in usages)
    cached = min(max((usage.cached_tokens for usage in usages), default=0), prompt)
    return UsageReply(prompt, completion, prompt + completion, CachedTokens(cached))


def logprobs_of(chosen: Sequence[ChosenToken]) -> LogprobsReply:
    """Probabilities of an answer's tokens."""
    return LogprobsReply(
        [
            LogprobReply(
                token.chosen.token,
                finite(token.chosen.logprob),
                tuple(token.chosen.raw),
                [TopLogprob(other.token, finite(other.logprob), tuple(other.raw)) for other in token.alternatives],
            )
            for token in chosen
        ]
    )


def finite(logprob: float) -> float:
    """OpenAI's own number for what is next to impossible: JSON has no infinity."""
    return max(logprob, -9999.0)


def calls_of(calls: Sequence[ToolCall]) -> list[ToolCallReply]:
    """Whole calls."""
    return [ToolCallReply(FunctionReply(call.arguments, call.name), call.call_id, "function") for call in calls]
