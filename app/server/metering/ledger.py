"""What each asker has used: rows for the vault, tokens for the limits, and what is left of a month's quota."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from app.errors import PlaygroundError
from app.server.auth.principal import Principal
from app.server.gate.limits import RateLimits
from app.server.gate.refusals import QuotaSpentError
from app.vault import Vault
from app.vault.activity.usage import UsageRow, start_of_month, start_of_next_month

_log = logging.getLogger(__name__)

_MOST_WAITING = 10_000
_WRITE_EVERY_S = 0.5
_USED_EVERY_S = 60.0


class Ledger:
    """Collects what was used and writes it to the vault twice a second, so that no answer waits for the disk.

    Args:
        vault: where it is kept; rows wait while it is locked.
        limits: what the tokens count against.
        clock: seconds since 1970.
    """

    def __init__(self, vault: Vault, limits: RateLimits, clock: Callable[[], float]) -> None:
        self._vault, self._limits, self._clock = vault, limits, clock
        self._waiting: list[UsageRow] = []
        self._spends: set[asyncio.Task[None]] = set()
        self._last_used: dict[str, float] = {}
        self._written_used: dict[str, float] = {}
        self._months: dict[str, tuple[float, int]] = {}
        self._writer: asyncio.Task[None] | None = None
        self.lost = 0

    async def check_quota(self, principal: Principal) -> None:
        """Whether the month's tokens suffice for one more answer.

        Raises:
            QuotaSpentError: when they are spent.
            VaultLockedError: when what was used before cannot be read.
        """
        quota = principal.limits.tokens_per_month
        if not quota:
            return
        now = self._clock()
        month = start_of_month(now)
        known = self._months.get(principal.id)
        if known is None or known[0] != month:
            await self.flush()
            used = await self._vault.usage.tokens(principal.id, month)
            known = self._months.get(principal.id)
            if known is None or known[0] != month:
                known = self._months[principal.id] = (month, used)
        if known[1] >= quota:
            raise QuotaSpentError(
                f"The quota of {quota} tokens a month is spent.",
                "It begins anew with the next month.",
                retry_after_s=start_of_next_month(now) - now,
            )

    def used(self, principal: Principal) -> None:
        """Notes that a key was used now; written once a minute."""
        if principal.kind != "key":
            return
        now = self._clock()
        if now - self._written_used.get(principal.id, 0.0) >= _USED_EVERY_S:
            self._written_used[principal.id] = self._last_used[principal.id] = now
            self._write_soon()

    def add(self, principal: Principal, row: UsageRow) -> None:
        """Keeps a row, and counts its tokens."""
        if len(self._waiting) >= _MOST_WAITING:
            self.lost += 1
            return
        self._waiting.append(row)
        known = self._months.get(principal.id)
        if known is not None:
            self._months[principal.id] = (known[0], known[1] + row.tokens)
        if not self._limits.counts_tokens(principal):
            self._write_soon()
            return
        spend = asyncio.get_running_loop().create_task(self._spend(principal, row.tokens))
        self._spends.add(spend)
        spend.add_done_callback(self._spends.discard)
        self._write_soon()

    async def _spend(self, principal: Principal, tokens: int) -> None:
        try:
            await self._limits.spend(principal, tokens)
        except PlaygroundError as error:
            _log.warning("tokens were not counted: %s", error)

    def _write_soon(self) -> None:
        if self._writer is None or self._writer.done():
            self._writer = asyncio.get_running_loop().create_task(self._write_later())

    async def _write_later(self) -> None:
        await asyncio.sleep(_WRITE_EVERY_S)
        await self.flush()

    async def flush(self) -> None:
        """Writes what waits. While the vault is locked it goes on waiting."""
        rows, self._waiting = self._waiting, []
        used, self._last_used = self._last_used, {}
        try:
            if rows:
                await self._vault.usage.add(rows)
            rows = []
            if used:
                await self._vault.api_keys.used(used)
        except PlaygroundError as error:
            _log.warning("usage is not written yet: %s", error)
            self._waiting[:0] = rows
            self._last_used = {**used, **self._last_used}

    async def aclose(self) -> None:
        """Writes what waits and ends."""
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        await asyncio.gather(*self._spends, return_exceptions=True)
        await self.flush()
        if self._waiting or self.lost:
            _log.warning("%d rows of usage could not be written", len(self._waiting) + self.lost)
