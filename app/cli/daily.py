"""The daily backup, for those who use the command line alone."""

from __future__ import annotations

from app.errors import PlaygroundError
from app.playground import Playground

from .session import report

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
        await vault.backups.create_daily()
    except PlaygroundError as error:
        report(error)
