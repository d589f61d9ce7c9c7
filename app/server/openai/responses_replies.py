"""What clients of the Responses API read."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from app.messages import Usage

from .replies import LogprobReply


class OutputText(Struct):
    """Words of an answer."""

    text: str
    type: str = "output_text"
    annotations: list[Any] = field(default_factory=list)
    logprobs: list[LogprobReply] = field(default_factory=list)


class MessageItem(Struct, tag_field="type", tag="message"):
    """An answer in words."""

    id: str
    status: str
    content: list[OutputText] = field(default_factory=list)
    role: str = "assistant"


class CallItem(Struct, tag_field="type", tag="function_call"):
    """A function to call."""

    id: str
    call_id: str
    name: str
    arguments: str
    status: str


class ReasoningText(Struct):
    """What a model thought aloud."""

    text: str
    type: str = "reasoning_text"


class ReasoningItem(Struct, tag_field="type", tag="reasoning"):
    """A model's thoughts before its answer."""

    id: str
    status: str
    content: list[ReasoningText] = field(default_factory=list)
    summary: list[Any] = field(default_factory=list)


Item = MessageItem | CallItem | ReasoningItem


class Cached(Struct):
    """Of the input."""

    cached_tokens: int


class Reasoned(Struct):
    """Of the output; thoughts are not counted apart here."""

    reasoning_tokens: int = 0


class UsageReply(Struct):
    """Tokens spent."""

    input_tokens: int
    input_tokens_details: Cached
    output_tokens: int
    output_tokens_details: Reasoned
    total_tokens: int

    @classmethod
    def of(cls, usage: Usage) -> UsageReply:
        """The same, in these words."""
        cached = Cached(min(usage.cached_tokens, usage.prompt_tokens))
        return cls(usage.prompt_tokens, cached, usage.completion_tokens, Reasoned(), usage.total_tokens)


class Incomplete(Struct):
    """Why a response is not whole."""

    reason: str


class Problem(Struct):
    """What ended a response."""

    code: str
    message: str


class ResponseReply(Struct, kw_only=True):
    """A response. It is not kept here, whatever was asked: ``store`` says so."""

    id: str
    created_at: int
    model: str
    status: str
    output: list[Item] = field(default_factory=list)
    usage: UsageReply | None = None
    error: Problem | None = None
    incomplete_details: Incomplete | None = None
    instructions: str | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_logprobs: int = 0
    tool_choice: Any = "auto"
    tools: list[Any] = field(default_factory=list)
    text: Any = None
    metadata: dict[str, str] = field(default_factory=dict)
    parallel_tool_calls: bool = True
    previous_response_id: None = None
    reasoning: dict[str, Any] = field(default_factory=lambda: {"effort": None, "summary": None})
    service_tier: str = "default"
    store: bool = False
    background: bool = False
    truncation: str = "disabled"
    user: str | None = None
    object: str = "response"
