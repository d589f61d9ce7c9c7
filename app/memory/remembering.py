"""Embedding in the background: what was said is remembered a moment later, and what was imported bit by bit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from msgspec import Struct

from app.errors import PlaygroundError, VaultLockedError
from app.vault import Vault
from app.vault.recall.vectors import Embedded, Missing

from .attention import Attention
from .embedding import Embedder
from .index import kept
from .pieces import pieces_of

BATCH = 16
"""Pieces embedded at once: some 50 ms of work, so that a pause begins at once when somebody types."""

_LOOK_AGAIN = 600.0
"""Seconds until everything is looked through again, for what another program wrote."""

_TRY_AGAIN = 60.0
_TEXTS_A_LOOK = 64


class Progress(Struct, frozen=True):
    """How far it is.

    Attributes:
        embedded: texts since this began.
        missing: texts that were found missing and are not embedded yet; more may be found.
        trouble: what stands in the way; None when nothing does.
        done: texts since the last time that all were embedded.
        of: texts that were missing then; 0 while there are few.
    """

    embedded: int = 0
    missing: int = 0
    trouble: PlaygroundError | None = None
    done: int = 0
    of: int = 0


class Remembering:
    """Finds what has no vector, and gives it one.

    Args:
        vault: open or locked; while it is locked nothing is done.
        embedder: low in priority already, as workers that embed are.
        attention: says when to wait.
        told: hears how far it is.
    """

    def __init__(
        self,
        vault: Vault,
        embedder: Embedder,
        attention: Attention | None = None,
        told: Callable[[Progress], None] = lambda progress: None,
    ) -> None:
        self._vault, self._embedder, self._told = vault, embedder, told
        self._attention = attention or Attention()
        self._woken = asyncio.Event()
        self._seen = 0
        self._embedded = 0
        self._embedded_before = self._to_do = 0

    def wake(self) -> None:
        """Something was said or written: there may be more to remember."""
        self._woken.set()

    async def run(self) -> None:
        """Works until it is cancelled. Trouble is told and tried again later; it never ends this."""
        while True:
            wait = _LOOK_AGAIN
            self._woken.clear()
            try:
                await self.catch_up()
            except PlaygroundError as error:
                self._told(Progress(self._embedded, trouble=error))
                wait = _TRY_AGAIN
            try:
                # Not wait_for: it loses a cancellation that comes in the same moment as the waking.
                async with asyncio.timeout(wait):
                    await self._woken.wait()
            except TimeoutError:
                self._seen = 0

    async def catch_up(self) -> int:
        """Embeds everything that is missing; gives how many texts that were.

        Raises:
            VaultLockedError: when the vault is locked meanwhile.
            PlaygroundError: when the model fails.
        """
        before = self._embedded
        self._embedded_before, self._to_do = before, 0
        over = False
        seen, unfinished = self._seen, None
        while not over:
            await self._attention.quiet()
            look = await self._vault.vectors.missing_messages(self._embedder.model, seen, _TEXTS_A_LOOK)
            if not self._to_do and len(look.missing) == _TEXTS_A_LOOK:
                # Many: how many, is worth counting once.
                self._to_do = (await self._vault.vectors.standing(self._embedder.model)).missing
            await self._remember(look.missing)
            seen, over = look.seen, look.over
            unfinished = unfinished or look.unfinished
        # An answer that streams is looked at again, and what comes behind it with it.
        self._seen = seen if unfinished is None else unfinished - 1
        while posts := await self._vault.vectors.missing_posts(self._embedder.model):
            if not await self._remember(posts):
                break
        self._told(Progress(self._embedded))
        return self._embedded - before

    async def _remember(self, texts: Sequence[Missing]) -> int:
        stored = 0
        batch: list[tuple[Missing, tuple[str, ...]]] = []
        for place, text in enumerate(texts):
            batch.append((text, pieces_of(text.text) or (text.text,)))
            if sum(len(pieces) for _, pieces in batch) >= BATCH or place == len(texts) - 1:
                stored += await self._embed(batch)
                batch = []
                done = min(self._embedded - self._embedded_before, self._to_do)
                self._told(Progress(self._embedded, len(texts) - place - 1, done=done, of=self._to_do))
        return stored

    async def _embed(self, batch: Sequence[tuple[Missing, tuple[str, ...]]]) -> int:
        import numpy

        pieces = [piece for _, of_text in batch for piece in of_text]
        found = []
        for start in range(0, len(pieces), BATCH):
            await self._attention.quiet()
            found.append(await self._embedder.embed(pieces[start : start + BATCH]))
        vectors = kept(numpy.concatenate(found))
        embedded: list[Embedded] = []
        place = 0
        for missing, of_text in batch:
            embedded.append(Embedded(missing, vectors[place : place + len(of_text)]))
            place += len(of_text)
        if not self._vault.database.is_open:
            raise VaultLockedError("The vault is locked.", "Unlock it with your passphrase.")
        stored = await self._vault.vectors.put(self._embedder.model, embedded)
        self._embedded += stored
        return stored
