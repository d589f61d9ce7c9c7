"""What comes back from a model while it answers: a stream of small events.

Every stream that ends well is: any number of ``Waiting`` and ``Rerouted``, one ``Started``, any number of text,
thinking and tool-call deltas, one ``Finished``. A stream that ends badly raises a ``PlaygroundError`` instead of giving
``Finished``; what came before the error is good and is kept by the reader.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


class TokenLogprob(Struct, frozen=True, gc=False):
    """A token, its bytes (a token can hold a part of a character) and its natural-log probability."""

    token: str
    raw: bytes
    logprob: float


class ChosenToken(Struct, frozen=True, gc=False):
    """The token that was chosen and the likeliest ones beside it, likeliest first."""

    chosen: TokenLogprob
    alternatives: tuple[TokenLogprob, ...] = ()


class Usage(Struct, frozen=True, gc=False):
    """Tokens spent. ``cached_tokens`` of the prompt were not computed again."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens


class Timings(Struct, frozen=True, gc=False):
    """Where the time went, in seconds.

    Attributes:
        queued: from the request's arrival until its first prompt token was worked on.
        prefill: from then until the first token was chosen.
        decode: from the first token to the last.
    """

    queued: float = 0.0
    prefill: float = 0.0
    decode: float = 0.0

    def tokens_per_second(self, completion_tokens: int) -> float:
        """Speed of the answer after its first token; 0 when there is nothing to measure."""
        return (completion_tokens - 1) / self.decode if completion_tokens > 1 and self.decode > 0 else 0.0


class Waiting(Struct, frozen=True, gc=False, tag_field="kind", tag="waiting"):
    """Why nothing has come yet.

    ``done`` of ``total``: percent when loading, attempts when retrying, else tokens; total 0 is unknown.
    """

    stage: Literal["loading", "queued", "prefill", "connecting", "retrying"]
    done: int = 0
    total: int = 0


class Rerouted(Struct, frozen=True, gc=False, tag_field="kind", tag="rerouted"):
    """``model`` could not answer, so ``next_model`` is asked now. ``reason`` is a sentence for a person."""

    model: str
    next_model: str
    reason: str


class Started(Struct, frozen=True, gc=False, tag_field="kind", tag="started"):
    """The model has begun to answer: which model of which backend, and the length of its prompt in tokens.

    ``from_cache`` is an answer that was given before and is given again.
    """

    model: str
    backend: str
    prompt_tokens: int = 0
    cached_tokens: int = 0
    context: int = 0
    from_cache: bool = False


class TextDelta(Struct, frozen=True, gc=False, tag_field="kind", tag="text_delta"):
    """More of the answer. Never ends within a character."""

    text: str
    logprobs: tuple[ChosenToken, ...] = ()


class ThinkingDelta(Struct, frozen=True, gc=False, tag_field="kind", tag="thinking_delta"):
    """More of what the model thinks aloud. ``signature`` comes with the last piece, from providers that sign it."""

    text: str
    signature: str | None = None


class ToolCallDelta(Struct, frozen=True, gc=False, tag_field="kind", tag="tool_call_delta"):
    """More of a tool call. ``index`` tells parallel calls apart; id and name come with the first delta of each."""

    index: int
    arguments: str
    call_id: str | None = None
    name: str | None = None


class Finished(Struct, frozen=True, gc=False, tag_field="kind", tag="finished"):
    """The answer is whole: why it ended, what it cost, how long it took, and which stop string ended it if one did."""

    reason: FinishReason
    usage: Usage = Usage()
    timings: Timings = Timings()
    stop: str | None = None


Delta = Waiting | Rerouted | Started | TextDelta | ThinkingDelta | ToolCallDelta | Finished
