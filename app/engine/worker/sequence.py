"""One request on its way through the scheduler."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.engine.frames import Piece
from app.messages import FinishReason, Timings, Usage

from .lookup import PromptLookup
from .native import Context, Model
from .prefix import Slot
from .sampler import SamplerChain, logprobs_of
from .text import TextAssembler


@dataclass
class Sequence:
    """The tokens of one request, prompt first, and what is known of its progress.

    Attributes:
        tokens: prompt and answer; all but the last of the answer are computed, or are about to be.
        prompt_length: how many of ``tokens`` were asked, the rest was answered.
        limit: ``tokens`` never grows longer than this: the context window, or the prompt and ``max_tokens``.
        slot: where in the KV cache it is; None while it waits.
        cached: prompt tokens that did not have to be computed.
        thinking: the prompt has opened what the model thinks aloud.
        shown: bytes of control tokens that count as text in this answer.
        lookup: guesses how the answer goes on; None where nothing is guessed.
    """

    request_id: int
    tokens: list[int]
    limit: int
    sampler: SamplerChain
    assembler: TextAssembler
    logprobs: int | None = None
    thinking: bool = False
    shown: Mapping[int, bytes] = field(default_factory=dict)
    lookup: PromptLookup | None = None
    slot: Slot | None = None
    cached: int = 0
    prompt_length: int = 0
    arrived: float = field(default_factory=time.monotonic)
    started: float = 0.0
    first_token: float = 0.0
    last_token: float = 0.0

    def __post_init__(self) -> None:
        self.prompt_length = len(self.tokens)

    @property
    def answered(self) -> int:
        """Tokens of the answer so far."""
        return len(self.tokens) - self.prompt_length

    @property
    def pending(self) -> int:
        """Tokens that must be computed before the next one can be chosen."""
        return len(self.tokens) - len(self.slot.tokens if self.slot else ())

    @property
    def place(self) -> Slot:
        """The slot of a request that is running."""
        assert self.slot is not None, "a running request has a slot"
        return self.slot

    def advance(self, model: Model, context: Context, row: int) -> Piece:
        """Chooses the next token from a computed batch row, and gives what it adds to the answer."""
        token = self.sampler.choose(context, row)
        self.last_token = time.monotonic()
        if not self.answered:
            self.first_token = self.last_token
        self.tokens.append(token)
        if model.ends_generation(token):
            return self.finish("stop")
        logprob = None
        if self.logprobs is not None:
            logprob = logprobs_of(model, context.logits(row), token, self.logprobs)
        text = self.assembler.feed(self.shown.get(token) or model.piece(token), logprob)
        if self.assembler.stopped:
            return self.finish("stop", text)
        if len(self.tokens) >= self.limit:
            return self.finish("length", text)
        return Piece(self.request_id, text, self.assembler.take_logprobs())

    def finish(self, reason: FinishReason, text: str = "") -> Piece:
        """The last piece: what was still held back, why it ends, what it cost."""
        text += self.assembler.finish()
        usage = Usage(self.prompt_length, self.answered, self.cached)
        timings = Timings(
            queued=self.started - self.arrived,
            prefill=max(0.0, self.first_token - self.started),
            decode=max(0.0, self.last_token - self.first_token),
        )
        return Piece(
            self.request_id, text, self.assembler.take_logprobs(), reason, usage, timings, self.assembler.found
        )
