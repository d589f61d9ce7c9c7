"""The daily backup, for those who use the command line alone."""

from __future__ import annotations

import asyncio
import time

from app.errors import PlaygroundError
from app.playground import Playground

from .session import report

_DAY = 86_400.0
_MOST_BYTES = 64_000_000
"""A larger vault takes seconds to copy, which nobody wants to wait for behind an answer: the interface does it then."""


async def back_up_daily(playground: Playground) -> None:
    """Makes the backup of the day, if it was not made yet and the vault is open; says when that fails."""
    vault = playground.vault
    if not playground.settings.vault.daily_backup or vault.state != "open":
        return
    if vault.database.path.stat().st_size > _MOST_BYTES:
        return
    try:
        if time.time() - await asyncio.to_thread(vault.backups.last, "daily") >= _DAY:
            await vault.backups.create("daily")
    except PlaygroundError as error:
        report(error)
