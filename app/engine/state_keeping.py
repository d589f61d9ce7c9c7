"""Whether conversations may be kept on disk just now as they lie in a model's KV cache, and under which key."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .commands import KeptStates

if TYPE_CHECKING:
    from .catalogues.catalogue import ModelEntry

_BYTES = 1_000_000


class StateKeeping:
    """Gives workers the key, for as long as there is one.

    Args:
        folder: of the kept states. What it holds is deleted when none are wanted any more.
        most_mb: what it may hold, in millions of bytes; 0 for none.
        digest_of: the sha256 of a model's file.
        key: 32 bytes out of the vault; None while it is not open.
    """

    def __init__(
        self,
        folder: Path,
        most_mb: int,
        digest_of: Callable[[ModelEntry], str | None],
        key: Callable[[], Coroutine[Any, Any, bytes | None]],
    ) -> None:
        self._folder, self._most_mb, self._digest_of, self._key = folder, most_mb, digest_of, key

    async def of(self, entry: ModelEntry) -> KeptStates | None:
        """What a worker with this model may keep; None for nothing."""
        if entry.role != "chat":
            return None
        if not self._most_mb:
            if self._folder.exists():
                await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
            return None
        digest, key = self._digest_of(entry), await self._key()
        if digest is None or key is None:
            return None
        own = self._folder / hashlib.sha256(b"kept states" + key).hexdigest()[:16]
        await asyncio.to_thread(self._forget_others, own)
        return KeptStates(str(own), key, digest, self._most_mb * _BYTES)

    def _forget_others(self, own: Path) -> None:
        """Deletes what was kept under a key that is no more, and so can never be read again."""
        for folder in self._folder.glob("*"):
            if folder != own:
                shutil.rmtree(folder, ignore_errors=True)
