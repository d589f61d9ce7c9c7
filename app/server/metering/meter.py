"""What one connection uses, counted where its answers are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.types import Scope

from app.messages import Usage
from app.server.auth.principal import ANYBODY, Principal
from app.server.gate.limits import RateLimits
from app.server.observing.exchange import Exchange, exchange_of
from app.vault.activity.usage import UsageRow

from .ledger import Ledger


@dataclass
class Meter:
    """What one connection uses. In ``scope["state"]["meter"]``; ``meter_of(scope)`` finds it.

    Attributes:
        ledger: None where nothing is counted.
        again: counts one more request of the same connection.
        exchange: what is noted of the connection; None where nobody watches.
    """

    ledger: Ledger | None = None
    principal: Principal = ANYBODY
    address: str = ""
    clock: Callable[[], float] = field(default=lambda: 0.0)
    limits: RateLimits | None = None
    exchange: Exchange | None = None

    def count(
        self,
        model: str,
        backend: str,
        usage: Usage,
        *,
        first_token_s: float | None = None,
        decode_s: float | None = None,
        cost: float | None = None,
        outcome: str = "finished",
        total_s: float | None = None,
        from_cache: bool = False,
    ) -> None:
        """Notes one answer, whole or cut. Call it once an answer, whatever became of it.

        Args:
            model: who answered.
            backend: through what.
            usage: tokens.
            first_token_s: seconds until the first token.
            decode_s: seconds from there to the last.
            cost: US dollars.
            outcome: ``finished``, ``stopped`` or ``failed``.
            total_s: seconds until its end.
            from_cache: whether it was given before.
        """
        if self.exchange is not None:
            self.exchange.answered(model, backend, usage, decode_s, outcome)
        if self.ledger is None:
            return
        row = UsageRow(
            at=self.clock(),
            model=model,
            backend=backend,
            api_key=self.principal.id,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            cached_tokens=usage.cached_tokens,
            first_token_s=first_token_s,
            decode_s=decode_s,
            cost=cost,
            outcome=outcome,
            total_s=total_s,
            from_cache=from_cache,
        )
        self.ledger.add(self.principal, row)

    async def again(self) -> None:
        """Asks for one more request on the same connection: every message of a WebSocket that wants an answer.

        Raises:
            TooManyRequestsError, QuotaSpentError: when a limit is reached.
        """
        if self.limits is not None:
            await self.limits.ask(self.principal, self.address)
        if self.ledger is not None:
            await self.ledger.check_quota(self.principal)


def meter_of(scope: Scope) -> Meter:
    """The meter of a connection; one that counts nothing where there is no gate."""
    found = scope.get("state", {}).get("meter")
    return found if isinstance(found, Meter) else Meter(exchange=exchange_of(scope))
