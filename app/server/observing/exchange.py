"""What is noted of one connection while it is answered."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from starlette.types import Scope

from app.errors import PlaygroundError
from app.messages import Usage
from app.server.answerer import Answerer

if TYPE_CHECKING:
    from .measures import Measures


class Exchange:
    """One request and its answer, or one WebSocket. In ``scope["state"]["exchange"]``; ``exchange_of`` finds it.

    Attributes:
        number: tells it apart from others; the client is told too.
        status: of the answer; 0 while there is none, and 101 for a WebSocket that was accepted.
        streaming: whether the answer comes event by event.
        model: who answers, or answered last.
        answerer: who answers; the response's headers tell.
        pieces: of text that have come so far, of the answer that is under way; about a token each.
        decode_s: seconds that whole answers took after their first tokens.
        first_at: when the first piece came, by ``time.perf_counter``; 0 before it has.
        first_token_s: seconds from the question to the model's first token, loading and waiting included.
        error: what was answered or streamed as an error.
        failure: an error that is the server's own fault.
    """

    __slots__ = (
        "answerer",
        "completion_tokens",
        "decode_s",
        "error",
        "failure",
        "first_at",
        "first_token_s",
        "measures",
        "model",
        "number",
        "pieces",
        "prompt_tokens",
        "status",
        "streaming",
    )

    def __init__(self, measures: Measures, number: str) -> None:
        self.measures, self.number = measures, number
        self.status = 0
        self.streaming = False
        self.model = ""
        self.answerer = Answerer()
        self.prompt_tokens = self.completion_tokens = self.pieces = 0
        self.decode_s = self.first_at = 0.0
        self.first_token_s: float | None = None
        self.error = ""
        self.failure: Exception | None = None

    def asked(self, model: str) -> None:
        """A model is asked now."""
        self.model = model
        self.pieces, self.first_at = 0, 0.0

    def began(self, model: str, seconds: float) -> None:
        """The first token of an answer has come, so many seconds after it was asked for."""
        self.first_at = time.perf_counter()
        if self.first_token_s is None:
            self.first_token_s = seconds
        self.measures.first_token(model, seconds)

    def answered(self, model: str, backend: str, usage: Usage, decode_s: float | None, outcome: str) -> None:
        """An answer is over, whole or cut."""
        self.model = model
        if not self.answerer.model:
            self.answerer.answers(model, backend)
        self.pieces = 0
        self.decode_s += decode_s or 0.0
        self.prompt_tokens += usage.prompt_tokens
        self.completion_tokens += usage.completion_tokens
        self.measures.answered(model, backend, usage, decode_s, outcome)

    def from_cache(self, model: str) -> None:
        """An answer was one that had been given before."""
        self.measures.cached_answers.labels(model).inc()


def exchange_of(scope: Scope) -> Exchange | None:
    """The notes of a connection; None where nobody watches."""
    found = scope.get("state", {}).get("exchange")
    return found if isinstance(found, Exchange) else None


def note_error(scope: Scope, error: PlaygroundError, status: int, *, refused: bool = False) -> None:
    """Notes that a connection is answered by an error, at once or in mid-stream.

    Args:
        scope: of the connection.
        error: what it is told.
        status: what the error's status is, or would be.
        refused: it never got past the gate.
    """
    exchange = exchange_of(scope)
    if exchange is None:
        return
    exchange.error = error.code
    exchange.measures.errors.labels(error.code).inc()
    if refused:
        exchange.measures.refusals.labels(error.code).inc()
    if status == 500:
        exchange.failure = error


def note_block(scope: Scope) -> None:
    """Notes that an address was blocked for a while, by what it did on this connection."""
    exchange = exchange_of(scope)
    if exchange is not None:
        exchange.measures.blocks.inc()
