"""The conversation that is open: its messages, what keeps them, and what of them is no longer sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.chat import Conversation
from app.chat.summary import Summary
from app.errors import PlaygroundError, UnknownSessionError, VaultError
from app.messages import Node, Sampling

if TYPE_CHECKING:
    from app.chat.keeping import Keeper, Keeping
    from app.memory.recall import Recalled
    from app.vault import Vault


@dataclass(frozen=True)
class Resumed:
    """What is known of a conversation that the vault had kept.

    Attributes:
        recalled: what memory had recalled, by the id of the answer.
        node_id: the message to go to; ``None`` for the end.
    """

    recalled: Mapping[str, tuple[Recalled, ...]]
    node_id: str | None


class OpenConversation:
    """One conversation after the other. Until ``attach``, and after ``detach``, nothing is kept.

    Args:
        show: shows the conversation that is open now; told what is known of it when it was kept before.
        told: hears of trouble with the vault, and, by ``None``, of its end.

    Attributes:
        conversation: the messages.
        keeper: writes them to the vault.
        keeping: begins and resumes keepers, while the vault is open.
        answering: whether an answer is being waited for; who asks for one says so here.
        left_out: the ids of messages that are no longer sent.
        summary: what is sent in their place.
    """

    def __init__(
        self, show: Callable[[Resumed | None], Awaitable[None]], told: Callable[[PlaygroundError | None], None]
    ) -> None:
        self._show = show
        self._told = told
        self._attached = asyncio.Event()
        self.conversation = Conversation()
        self.keeper: Keeper | None = None
        self.keeping: Keeping | None = None
        self.answering = False
        self.left_out: frozenset[str] = frozenset()
        self.summary = Summary()

    @property
    def last_asked(self) -> str:
        """The words of the last question; empty while there is none."""
        asked = (node.message.text for node in reversed(self.conversation.path()) if node.message.role == "user")
        return next(asked, "")

    @property
    def sampling(self) -> Sampling:
        """How the next token is chosen in this conversation."""
        return self.keeper.session.sampling if self.keeper else Sampling()

    @property
    def remembers(self) -> bool:
        """Whether memory may take part in it."""
        return self.keeper is not None and self.keeper.session.remembers

    async def attach(self, vault: Vault) -> None:
        """The vault is open: goes on with the conversation that was open last, if there is one."""
        from app.chat.keeping import Keeping

        self.keeping = Keeping(vault, self._told)
        last = None if len(self.conversation) else await self.keeping.last_open()
        if last is None or not await self.resume(last):
            self.keeper = self.keeping.adopt(self.conversation)
        self._attached.set()

    async def detach(self) -> None:
        """The vault is being locked: writes what is left, then forgets it."""
        self._attached.clear()
        keeper, self.keeper, self.keeping = self.keeper, None, None
        if keeper is not None:
            await keeper.aclose()
        self.conversation = Conversation()
        await self._show(None)

    async def attached(self) -> None:
        """Returns when there is a keeper: nothing is asked before it can be kept."""
        await self._attached.wait()

    async def resume(self, session_id: str, node_id: str | None = None) -> bool:
        """Goes on with a kept conversation, at a message if one is named; whether that could be done."""
        from app.chat.recalled_before import recalled_before

        if self.keeping is None:
            return False
        try:
            conversation, keeper = await self.keeping.resume(session_id)
            summary = await self.keeping.summary(session_id)
            await self.keeping.note_open(session_id)
            recalled = await recalled_before(_every_version(conversation), self.keeping.vault.recollections)
        except VaultError as error:
            self._told(error)
            return False
        await self._leave()
        self.summary, self.left_out = summary, summary.covers
        if node_id is not None and node_id in conversation:
            conversation.show_with(node_id)
        else:
            node_id = None
        self.conversation, self.keeper = conversation, keeper
        await self._show(Resumed(recalled, node_id))
        return True

    async def start_new(self) -> None:
        """Begins an empty conversation with the same instructions."""
        await self._leave()
        system = self.conversation.system
        if self.keeping is None:
            self.conversation = Conversation(system=system)
        else:
            self.conversation, self.keeper = self.keeping.begin(system=system)
        await self._show(None)
        if self.keeping is not None:
            try:
                await self.keeping.note_open("")
            except VaultError as error:
                self._told(error)

    async def changed_elsewhere(self, session_id: str) -> None:
        """A session was renamed, deleted or otherwise changed elsewhere: follows when it is the one that is open."""
        keeper, keeping = self.keeper, self.keeping
        if keeper is None or keeping is None or keeper.session.id != session_id:
            return
        try:
            session = await keeping.vault.sessions.get(session_id)
        except UnknownSessionError:
            session = None
        if session is None or session.deleted_at is not None:
            keeper.abandon()
            await self.start_new()
        else:
            keeper.learn(session)

    async def _leave(self) -> None:
        """Lets the conversation go, once all of it is kept."""
        self.left_out, self.summary = frozenset(), Summary()
        keeper, self.keeper = self.keeper, None
        if keeper is not None:
            await keeper.aclose()


def _every_version(conversation: Conversation) -> list[Node]:
    """Every message of the tree, those that are shown last: of a long conversation the last ones count."""
    shown = conversation.path()
    known = {node.id for node in shown}
    others: list[Node] = []
    level = conversation.below(None)
    while level:
        others += (node for node in level if node.id not in known)
        level = tuple(child for node in level for child in conversation.below(node.id))
    return [*others, *shown]
