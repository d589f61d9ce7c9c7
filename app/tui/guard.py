"""Opens the vault, and locks it when that is wished or when nobody is there."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from app.errors import VaultError

from .reporter import Notify

if TYPE_CHECKING:
    from app.vault.vault import Vault


class Guarded(Protocol):
    """Who shows what the vault holds."""

    async def unlock(self, error: VaultError) -> None:
        """Asks for the passphrase until it opens. ``error``: why it did not."""
        ...

    async def opened(self) -> None:
        """The vault can be read: shows what was open last."""
        ...

    async def closing(self) -> None:
        """The vault is about to be locked: nothing of it may stay in memory or on the screen."""
        ...


class Guard:
    """The lock of one vault.

    Args:
        guarded: shows what it holds.
        lock_after_s: seconds without a key until it locks itself; 0 never does.
        notify: shows a toast.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        vault: Vault,
        guarded: Guarded,
        lock_after_s: float,
        notify: Notify,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._vault, self._guarded, self._lock_after_s = vault, guarded, lock_after_s
        self._notify, self._clock = notify, clock
        self._used_at = clock()
        self._changing = False

    def used(self) -> None:
        """The person is there."""
        self._used_at = self._clock()

    @property
    def unattended(self) -> bool:
        """Whether nobody has touched a key for so long that it is to be locked."""
        after = self._lock_after_s
        return bool(after) and self._clock() - self._used_at >= after and self._can_lock and not self._changing

    async def open(self) -> None:
        """Opens the vault, asking for the passphrase when one is needed, and shows what was open last."""
        try:
            await self._vault.open()
        except VaultError as error:
            await self._guarded.unlock(error)
        self.used()
        await self._guarded.opened()

    async def lock(self) -> None:
        """Forgets the keys and everything on the screen; the passphrase brings both back."""
        if self._changing:
            return
        if not self._can_lock:
            self._notify("Locking needs a passphrase: /passphrase sets one.", severity="warning")
            return
        self._changing = True
        try:
            await self._guarded.closing()
            await self._vault.lock()
        finally:
            self._changing = False
        await self.open()

    @property
    def _can_lock(self) -> bool:
        """Whether locking would keep anybody out."""
        return self._vault.state == "open" and self._vault.protection == "passphrase"
