"""Keeping conversations in the vault: every change is written a moment after it is made, and none is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import msgspec

from app.errors import PlaygroundError, VaultError
from app.messages import Node, Sampling
from app.vault import Session, Vault
from app.vault.records import TitledBy
from app.vault.sessions import new_session

from .conversation import Conversation

_RETRY_SECONDS = 2.0
_OPEN_SESSION = "chat.open_session"

Told = Callable[[PlaygroundError | None], None]
"""Called with why something could not be kept, once, and with ``None`` when it was kept after all."""


class Keeper:
    """The journal of one conversation: writes its changes to the vault, in their order.

    A change that cannot be written, because the disk is full or the vault is locked, is held and tried again, so that
    the conversation goes on meanwhile. A session is written with its first message: empty ones leave no trace.

    Args:
        vault: open or locked.
        session: the conversation's particulars as they are kept, or are to be.
        written: whether the vault has it already.
        told: hears of trouble, and of its end.
        rows: the messages that the vault has already.
    """

    def __init__(self, vault: Vault, session: Session, *, written: bool, told: Told, rows: Iterable[str] = ()) -> None:
        self._vault, self._told = vault, told
        self.session = session
        self._written = written
        self._rows = set(rows)
        self._nodes: dict[str, Node] = {}
        self._gone: list[str] = []
        self._head_moved = False
        self._session_changed = False
        self._task: asyncio.Task[None] | None = None
        self._attempt: asyncio.Future[bool] | None = None
        self._hurry = asyncio.Event()
        self._trouble: PlaygroundError | None = None

    @property
    def unwritten(self) -> bool:
        """Whether there is anything that the vault does not have yet."""
        something = bool(self._nodes or self._gone)
        return something or (self._written and (self._head_moved or self._session_changed))

    # What the conversation tells

    def saved(self, node: Node) -> None:
        """See ``Journal``."""
        self._nodes[node.id] = node
        self._wake()

    def forgot(self, node_id: str) -> None:
        """See ``Journal``."""
        self._nodes.pop(node_id, None)
        if node_id in self._rows:
            self._gone.append(node_id)
        self._wake()

    def moved(self, head_id: str | None) -> None:
        """See ``Journal``."""
        if head_id != self.session.head_id:
            self.session = msgspec.structs.replace(self.session, head_id=head_id)
            self._head_moved = True
            self._wake()

    # What the person chooses

    def configure(
        self,
        *,
        system: str | None = None,
        sampling: Sampling | None = None,
        model: str | None = None,
        remembers: bool | None = None,
    ) -> None:
        """Changes the instructions, the sampling, the model, or whether memory may take part."""
        changes = {"system": system, "sampling": sampling, "model": model, "remembers": remembers}
        self._change({name: value for name, value in changes.items() if value is not None})

    def rename(self, title: str, by: TitledBy = "person") -> None:
        """Gives a title; one that a model chose does not replace a person's."""
        if by == "person" or self.session.titled_by != "person":
            self._change({"title": title, "titled_by": by})

    def _change(self, changes: dict[str, object]) -> None:
        changed = msgspec.structs.replace(self.session, **changes)
        if changed != self.session:
            self.session = changed
            self._session_changed = True
            self._wake()

    # Writing

    async def settle(self) -> bool:
        """Waits until everything said so far is on the disk; False when that could not be done now."""
        while self.unwritten:
            if self._attempt is None:
                self._attempt = asyncio.get_running_loop().create_future()
            self._hurry.set()
            self._wake()
            if not await asyncio.shield(self._attempt):
                return False
        return True

    async def aclose(self) -> None:
        """Writes what is left, once more, and stops trying."""
        await self.settle()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _wake(self) -> None:
        if self.unwritten and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._write_all())

    async def _write_all(self) -> None:
        while self.unwritten:
            self._hurry.clear()
            attempt, self._attempt = self._attempt, None
            error = await self._try()
            if attempt is not None and not attempt.done():
                attempt.set_result(error is None)
            if error is not None:
                try:
                    await asyncio.wait_for(self._hurry.wait(), _RETRY_SECONDS)
                except TimeoutError:
                    continue

    async def _try(self) -> PlaygroundError | None:
        nodes, gone = self._nodes, self._gone
        session, session_changed = self.session, self._session_changed
        self._nodes, self._gone = {}, []
        self._head_moved = self._session_changed = False
        try:
            await self._write(session, session_changed, nodes, gone)
        except PlaygroundError as error:
            return self._failed(error, nodes, gone, session_changed)
        if self._trouble is not None:
            self._trouble = None
            self._told(None)
        return None

    async def _write(self, session: Session, session_changed: bool, nodes: dict[str, Node], gone: list[str]) -> None:
        vault = self._vault
        if not self._written:
            await vault.sessions.create(session)
            self._written = True
        elif session_changed:
            await vault.sessions.configure(session)
            if session.title:
                await vault.sessions.rename(session.id, session.title, session.titled_by)
        if gone:
            await vault.messages.remove(gone)
            self._rows.difference_update(gone)
        streaming = next(iter(nodes.values())) if len(nodes) == 1 else None
        if streaming is not None and streaming.id in self._rows and streaming.status == "streaming":
            await vault.messages.checkpoint(streaming)
        else:
            await vault.messages.save(session.id, nodes.values(), session.head_id)
        self._rows.update(nodes)

    def _failed(
        self, error: PlaygroundError, nodes: dict[str, Node], gone: list[str], session_changed: bool
    ) -> PlaygroundError:
        """Puts back what was not written, behind what is newer."""
        self._nodes = nodes | self._nodes
        self._gone = gone + self._gone
        self._head_moved = True
        self._session_changed = self._session_changed or session_changed
        if self._trouble is None or self._trouble.code != error.code:
            self._trouble = error
            self._told(error)
        return error


class Keeping:
    """Begins conversations that are kept, and goes on with those that were.

    Args:
        vault: open or locked.
        told: hears of trouble, and of its end.
    """

    def __init__(self, vault: Vault, told: Told) -> None:
        self.vault, self._told = vault, told

    def begin(self, *, system: str = "", model: str = "", title: str = "") -> tuple[Conversation, Keeper]:
        """A new conversation. Nothing of it is written before its first message."""
        session = new_session(system=system, model=model, title=title)
        keeper = Keeper(self.vault, session, written=False, told=self._told)
        return Conversation(system=system, journal=keeper), keeper

    async def resume(self, session_id: str) -> tuple[Conversation, Keeper]:
        """A conversation as it was left.

        Raises:
            UnknownSessionError: when there is none of this id.
            VaultError: when it cannot be read.
        """
        whole = await self.vault.sessions.load(session_id)
        rows = (node.id for node in whole.nodes)
        keeper = Keeper(self.vault, whole.session, written=True, told=self._told, rows=rows)
        conversation = Conversation(whole.nodes, whole.session.system, journal=keeper)
        head = whole.session.head_id
        conversation.show(head if head is not None and head in conversation else None)
        return conversation, keeper

    async def last_open(self) -> str | None:
        """The session that was open last, where it still is; else the newest of all; else None."""
        noted = await self.vault.notes.get(_OPEN_SESSION)
        if noted:
            try:
                session = await self.vault.sessions.get(noted.decode())
            except VaultError:
                session = None
            if session is not None and session.deleted_at is None:
                return session.id
        return await self.vault.sessions.newest()

    async def note_open(self, session_id: str) -> None:
        """Remembers which session was open, for the next start; empty for none."""
        await self.vault.notes.put(_OPEN_SESSION, session_id.encode())
