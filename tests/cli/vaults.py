"""A real vault on the test's home, filled as a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.messages import Message, Node
from app.playground import Playground
from app.vault import Session, Vault, WholeSession

T = TypeVar("T")


def in_vault(environ: dict[str, str], work: Callable[[Vault], Awaitable[T]]) -> T:
    """Opens the home's vault, does ``work``, closes it."""

    async def opened() -> T:
        playground = Playground.open(environ)
        try:
            await playground.vault.open()
            return await work(playground.vault)
        finally:
            await playground.aclose()

    return asyncio.run(opened())


def conversation(session_id: str, title: str, *texts: str, at: float = 1_700_000_000.0, **more) -> WholeSession:
    """A conversation in which the person and a model take turns."""
    nodes = []
    for number, text in enumerate(texts):
        message = Message.assistant(text) if number % 2 else Message.user(text)
        parent = nodes[-1].id if nodes else None
        nodes.append(Node(id=f"{session_id}-{number}", parent_id=parent, message=message, created_at=at + number))
    session = Session(
        id=session_id,
        title=title,
        titled_by="person",
        created_at=at,
        updated_at=at,
        head_id=nodes[-1].id if nodes else None,
        **more,
    )
    return WholeSession(session, tuple(nodes))


def keep(environ: dict[str, str], *conversations: WholeSession) -> None:
    """Puts conversations into the vault."""

    async def add(vault: Vault) -> None:
        for one in conversations:
            await vault.sessions.add(one)

    in_vault(environ, add)
