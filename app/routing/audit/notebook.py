"""Notes of requests on their way into the vault: written behind the answers, never in front of them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from app.errors import PlaygroundError
from app.messages import Usage
from app.privacy.masking import Masker
from app.routing.cache.stores import OpenVault

from .watched import Cost, Watched

if TYPE_CHECKING:
    from app.vault import Vault
    from app.vault.activity.audit import AuditNote
    from app.vault.activity.usage import UsageRow

_log = logging.getLogger(__name__)

_MOST_WAITING = 1000
_AT_ONCE = 100
_DAY = 86_400.0


class Notebook:
    """Takes what is known of each request, and keeps it when the vault is open.

    While it is locked the latest thousand wait in memory; older ones are dropped, and counted.

    Args:
        vault: the vault, if it is open now.
        masker: takes the secrets out of every text of a note.
        cost: what a model's work costs.
        keep_days: notes older than this are taken out.
        audit: whether notes are kept at all; usage is counted in any case.
        bodies: whether notes hold what was asked and answered.
        count_usage: the faces whose usage is counted here; others count their own, but for what nobody answered.
        write_every_s: how long notes are collected before they are written together.
        look_every_s: how often it is looked whether a locked vault was opened.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        vault: OpenVault,
        masker: Masker,
        *,
        cost: Cost = lambda model, usage: None,
        keep_days: int = 90,
        audit: bool = True,
        bodies: bool = False,
        count_usage: frozenset[str] = frozenset({"tui", "cli"}),
        write_every_s: float = 0.25,
        look_every_s: float = 2.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._vault, self.masker, self._cost = vault, masker, cost
        self._keep_s, self._audit, self.bodies = keep_days * _DAY, audit, bodies and audit
        self._count_usage = count_usage
        self._write_every_s, self._look_every_s, self._clock = write_every_s, look_every_s, clock
        self._waiting: deque[Watched] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()
        self._forgot_at = float("-inf")
        self.lost = 0

    def add(self, request: Watched) -> None:
        """Takes a request that has ended. Never waits, never fails."""
        if not self._audit and not self._counts(request):
            return
        if len(self._waiting) >= _MOST_WAITING:
            self._waiting.popleft()
            self.lost += 1
        self._waiting.append(request)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.get_running_loop().create_task(self._write_later())

    def price(self, model: str, usage: Usage) -> float | None:
        """US dollars for what a model did; ``None`` where its price is not known."""
        return self._cost(model, usage)

    async def flush(self) -> None:
        """Writes what waits, if the vault is open."""
        async with self._writing:
            vault = self._vault()
            if vault is None:
                return
            try:
                while self._waiting:
                    some = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
                    await self._write(vault, some)
                await self._forget(vault)
            except PlaygroundError as error:
                # The same trouble is told where it costs a person something: at the conversation that is not kept.
                _log.info("requests are not noted yet: %s", error.message)
            if self.lost and not self._waiting:
                _log.warning("%d requests were not noted: the vault was locked for too long", self.lost)
                self.lost = 0

    async def aclose(self) -> None:
        """Writes what waits and ends; what cannot be written is lost, and said."""
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        await self.flush()
        self.lost += len(self._waiting)
        self._waiting.clear()
        if self.lost:
            _log.info("%d requests were not noted: the vault was not open", self.lost)

    async def _write_later(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._write_every_s if self._vault() is not None else self._look_every_s)
            await self.flush()

    async def _write(self, vault: Vault, some: list[Watched]) -> None:
        try:
            notes, rows = await asyncio.to_thread(self._written, some)
            if notes:
                await vault.audit.add(notes)
            if rows:
                await vault.usage.add(rows)
        except BaseException:
            # Locked in between, or we are cancelled: they wait again, in their order.
            self._waiting.extendleft(reversed(some))
            raise

    def _written(self, some: Sequence[Watched]) -> tuple[list[AuditNote], list[UsageRow]]:
        notes = [self._masked(one.note(self._cost)) for one in some] if self._audit else []
        rows = [
            msgspec.structs.replace(row, model=self.masker.name(row.model))
            for one in some
            if self._counts(one) and (row := one.row(self._cost)) is not None
        ]
        return notes, rows

    def _counts(self, one: Watched) -> bool:
        """Whether its row is made here. Other faces count their own answers, but not what nobody answered."""
        return one.face in self._count_usage or (one.unanswered and one.kind in ("chat", "raw"))

    def _masked(self, note: AuditNote) -> AuditNote:
        """The note with every text masked that came from outside; the rest are figures, and words of our own."""
        name, text, value = self.masker.name, self.masker.text, self.masker.value
        detours = [
            msgspec.structs.replace(
                one, model=name(one.model), next_model=name(one.next_model), reason=text(one.reason)
            )
            for one in note.detours
        ]
        return msgspec.structs.replace(
            note,
            asked=name(note.asked),
            model=name(note.model),
            backend=name(note.backend),
            message=text(note.message),
            detours=tuple(detours),
            request=None if note.request is None else value(msgspec.to_builtins(note.request)),
            answer=None if note.answer is None else value(msgspec.to_builtins(note.answer)),
        )

    async def _forget(self, vault: Vault) -> None:
        now = self._clock()
        if self._audit and now - self._forgot_at >= _DAY:
            self._forgot_at = now
            await vault.audit.forget(now - self._keep_s)
