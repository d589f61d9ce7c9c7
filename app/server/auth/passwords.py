"""Passwords at the door: two at a time in threads, since each takes 64 MiB and a tenth of a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

from app.errors import BusyError
from app.vault.access.passwords import MOST_CHARACTERS, fits, hashed
from app.vault.access.users import Users

T = TypeVar("T")

_AT_ONCE = 2
_WAITING = 16


class Passwords:
    """Compares and makes password hashes, a few at a time."""

    def __init__(self, users: Users) -> None:
        self._users = users
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    @cached_property
    def _nobodys(self) -> str:
        return hashed("nobody has this password")

    async def fit(self, name: str, password: str) -> bool:
        """Whether this is the password of an enabled user; takes as long where there is no such user.

        Raises:
            BusyError: when too many wait for their turn.
            VaultLockedError: when the vault is locked.
        """
        kept = await self._users.password_of(name)
        if len(password) > MOST_CHARACTERS:
            return False
        found = await self._in_turn(lambda: fits(password, self._nobodys if kept is None else kept))
        return found and kept is not None

    async def hashed(self, password: str) -> str:
        """What is kept of a password.

        Raises:
            BusyError: when too many wait for their turn.
        """
        return await self._in_turn(lambda: hashed(password))

    async def _in_turn(self, work: Callable[[], T]) -> T:
        if self._waiting >= _WAITING:
            raise BusyError(f"{self._waiting} others are signing in.", "Try again in a moment.")
        self._waiting += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1
