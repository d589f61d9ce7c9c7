"""Which session a person means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from app.cli.question import whole
from app.errors import UnknownSessionError

if TYPE_CHECKING:
    from app.vault import SessionLine, Vault


async def find(vault: Vault, words: str) -> str:
    """The id of the session that is meant by an id, the beginning of one, or a title. The bin is left out.

    Raises:
        UnknownSessionError: when none fits, or several do.
    """
    return (await vault.sessions.find(whole(words))).id


async def find_in_bin(vault: Vault, words: str) -> str | None:
    """The same among the sessions of the bin; None when none fits there.

    Raises:
        UnknownSessionError: when several fit.
    """
    words = whole(words).strip()
    if not words:
        return None
    lines = await vault.sessions.lines(limit=await vault.sessions.count("bin"), shelf="bin")
    title = words.casefold()
    for fits in (
        [line for line in lines if line.id == words],
        [line for line in lines if line.title.casefold() == title],
        [line for line in lines if line.id.startswith(words)],
        [line for line in lines if title in line.title.casefold()],
    ):
        if len(fits) > 1:
            named = ", ".join(f"{line.id[:8]} ({line.title or 'untitled'})" for line in fits[:5])
            raise UnknownSessionError(
                f"{words!r} could be several sessions in the bin: {named}.", "Give more of the id."
            )
        if fits:
            return fits[0].id
    return None


def as_object(line: SessionLine) -> dict[str, object]:
    """A line of the list for programs. Times are seconds since 1970."""
    found: dict[str, object] = msgspec.to_builtins(line)
    return found
