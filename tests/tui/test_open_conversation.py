"""The conversation that is open is one after the other, each kept to its end, without a screen to show it on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.errors import PlaygroundError, UnknownSessionError
from app.messages import Message
from app.tui.chat.open_conversation import OpenConversation, Resumed
from app.vault import Vault


@pytest.fixture
async def vault(tmp_path: Path) -> AsyncIterator[Vault]:
    made = Vault(tmp_path, tmp_path / "backups")
    await made.open()
    yield made
    await made.close()


class Screen:
    """Notes what it is to show, and how many messages there were."""

    def __init__(self) -> None:
        self.shown: list[tuple[Resumed | None, int]] = []
        self.told: list[PlaygroundError | None] = []
        self.current = OpenConversation(self.show, self.told.append)

    async def show(self, resumed: Resumed | None) -> None:
        self.shown.append((resumed, len(self.current.conversation)))


async def begun(screen: Screen, *prompts: str) -> str:
    """A session of these prompts; its id."""
    await screen.current.start_new()
    for prompt in prompts:
        screen.current.conversation.append(Message.user(prompt))
    keeper = screen.current.keeper
    assert keeper is not None
    assert await keeper.settle()
    return keeper.session.id


async def test_what_was_said_before_the_vault_opened_is_kept_in_it(vault: Vault) -> None:
    screen = Screen()
    screen.current.conversation.append(Message.user("Early."))
    waiting = asyncio.create_task(screen.current.attached())
    await asyncio.sleep(0)
    assert not waiting.done(), "nothing is asked before it can be kept"
    await screen.current.attach(vault)
    await asyncio.wait_for(waiting, 1)
    await screen.current.detach()
    assert [line.messages for line in await vault.sessions.lines()] == [1]
    assert len(screen.current.conversation) == 0
    assert screen.shown == [(None, 0)]


async def test_going_on_where_it_was_left_and_at_a_message(vault: Vault) -> None:
    screen = Screen()
    await screen.current.attach(vault)
    session = await begun(screen, "One.", "Two.")
    first = screen.current.conversation.path()[0].id
    await begun(screen, "Another.")
    screen.shown.clear()
    assert await screen.current.resume(session, first)
    assert screen.shown == [(Resumed({}, first), 2)]
    assert not await screen.current.resume("nowhere")
    assert [type(error) for error in screen.told] == [UnknownSessionError]
    assert len(screen.current.conversation) == 2, "what is open stays when another cannot be read"
    again = Screen()
    await screen.current.detach()
    await again.current.attach(vault)
    assert again.shown == [(Resumed({}, None), 2)], "the one that was open last"
    await again.current.detach()


async def test_the_instructions_go_along_and_what_was_left_out_does_not(vault: Vault) -> None:
    screen = Screen()
    await screen.current.attach(vault)
    screen.current.conversation.system = "Be brief."
    screen.current.left_out = frozenset({"x"})
    await screen.current.start_new()
    assert screen.current.conversation.system == "Be brief."
    assert screen.current.left_out == frozenset()
    await screen.current.detach()


async def test_it_follows_what_is_done_to_its_session_elsewhere(vault: Vault) -> None:
    screen = Screen()
    await screen.current.attach(vault)
    session = await begun(screen, "One.")
    await vault.sessions.rename(session, "Named")
    await screen.current.changed_elsewhere(session)
    assert screen.current.keeper is not None
    assert screen.current.keeper.session.title == "Named"
    await screen.current.changed_elsewhere("some other session")
    assert len(screen.current.conversation) == 1
    await vault.sessions.delete(session)
    await screen.current.changed_elsewhere(session)
    assert len(screen.current.conversation) == 0
    await screen.current.detach()
    assert screen.told == []
