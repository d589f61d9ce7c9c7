"""Answers that are counted against who asked."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec
from starlette.types import Scope

from app.errors import PlaygroundError
from app.messages import (
    ChatRequest,
    Delta,
    Finished,
    Rerouted,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    Usage,
)
from app.routing.answering import Answering
from app.routing.around import price
from app.server.answerer import Answerer

from .meter import Meter, meter_of


class Metered:
    """The router as one connection sees it: whatever it streams is counted, whole or cut.

    Args:
        router: answers.
        meter: counts.
        fresh: whether the client wants no answer that was given before.

    Attributes:
        answerer: who answers, as soon as that is known.
    """

    def __init__(self, router: Answering, meter: Meter, *, fresh: bool = False) -> None:
        self._router, self._meter, self._fresh = router, meter, fresh
        self.answerer = meter.exchange.answerer if meter.exchange is not None else Answerer()

    @classmethod
    def of(cls, router: Answering, scope: Scope) -> Metered:
        """For the connection of ``scope``."""
        return cls(router, meter_of(scope), fresh=wants_fresh(scope))

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """As ``Router.stream``. An answer that is left counts the prompt, and a token for each piece that had come."""
        model, backend, prompt, cached, pieces = request.model, "", 0, 0, 0
        finished: Finished | None = None
        outcome, from_cache = "stopped", False
        exchange, asked = self._meter.exchange, time.perf_counter()
        if exchange is not None:
            exchange.asked(model)
        if self._fresh:
            request = msgspec.structs.replace(request, fresh=True)
        try:
            async with aclosing(self._router.stream(request)) as deltas:
                async for delta in deltas:
                    if isinstance(delta, TextDelta | ThinkingDelta | ToolCallDelta):
                        pieces += 1
                        if exchange is not None:
                            exchange.pieces = pieces
                            if pieces == 1:
                                exchange.began(model, time.perf_counter() - asked)
                    elif isinstance(delta, Started):
                        self.answerer.started(delta)
                        model, backend = delta.model, delta.backend
                        prompt, cached, from_cache = delta.prompt_tokens, delta.cached_tokens, delta.from_cache
                        if exchange is not None:
                            exchange.model = model
                            if delta.from_cache:
                                exchange.from_cache(model)
                    elif isinstance(delta, Finished):
                        finished, outcome = delta, "finished"
                    elif isinstance(delta, Rerouted):
                        self.answerer.rerouted(delta)
                    yield delta
        except PlaygroundError:
            outcome = "failed"
            raise
        finally:
            if finished is not None or backend:
                usage = finished.usage if finished is not None else Usage(prompt, pieces, cached)
                times = finished.timings if finished is not None else None
                self._meter.count(
                    model,
                    backend,
                    usage,
                    first_token_s=times.queued + times.prefill if times is not None else None,
                    decode_s=times.decode if times is not None else None,
                    cost=0.0 if from_cache else price(self._router, model, usage),
                    outcome=outcome,
                    total_s=time.perf_counter() - asked,
                    from_cache=from_cache,
                )


def wants_fresh(scope: Scope) -> bool:
    """Whether the client's ``Cache-Control`` asks for an answer that is made anew."""
    for name, value in scope["headers"]:
        if name == b"cache-control":
            lower = value.lower()
            if b"no-cache" in lower or b"no-store" in lower:
                return True
    return False
