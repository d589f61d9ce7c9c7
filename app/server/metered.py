"""Answers that are counted against who asked."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.types import Scope

from app.errors import PlaygroundError
from app.messages import ChatRequest, Delta, Finished, Started, TextDelta, ThinkingDelta, ToolCallDelta, Usage
from app.routing.answering import Answering

from .metering import Meter, meter_of


class Metered:
    """The router as one connection sees it: whatever it streams is counted, whole or cut."""

    def __init__(self, router: Answering, meter: Meter) -> None:
        self._router, self._meter = router, meter

    @classmethod
    def of(cls, router: Answering, scope: Scope) -> Metered:
        """For the connection of ``scope``."""
        return cls(router, meter_of(scope))

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """As ``Router.stream``. An answer that is left counts the prompt, and a token for each piece that had come."""
        backend, prompt, cached, pieces = "", 0, 0, 0
        finished: Finished | None = None
        outcome = "stopped"
        exchange, asked = self._meter.exchange, time.perf_counter()
        if exchange is not None:
            exchange.asked(request.model)
        try:
            async with aclosing(self._router.stream(request)) as deltas:
                async for delta in deltas:
                    if isinstance(delta, TextDelta | ThinkingDelta | ToolCallDelta):
                        pieces += 1
                        if exchange is not None:
                            exchange.pieces = pieces
                            if pieces == 1:
                                exchange.began(request.model, time.perf_counter() - asked)
                    elif isinstance(delta, Started):
                        backend, prompt, cached = delta.backend, delta.prompt_tokens, delta.cached_tokens
                        if delta.from_cache and exchange is not None:
                            exchange.from_cache(request.model)
                    elif isinstance(delta, Finished):
                        finished, outcome = delta, "finished"
                    yield delta
        except PlaygroundError:
            outcome = "failed"
            raise
        finally:
            if finished is not None:
                times = finished.timings
                self._meter.count(
                    request.model,
                    backend,
                    finished.usage,
                    first_token_s=times.queued + times.prefill,
                    decode_s=times.decode,
                )
            elif backend:
                self._meter.count(request.model, backend, Usage(prompt, pieces, cached), outcome=outcome)
