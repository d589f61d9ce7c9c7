"""Keeping conversations in the vault: every change is written a moment after it is made, and none is lost."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from app.errors import UnknownSessionError, VaultError
from app.messages import Node, Sampling
from app.vault import Session, Vault
from app.vault.conversations.records import TitledBy
from app.vault.conversations.sessions import new_session
from app.vault.storage.write_behind import Told, WriteBehind

from .conversation import Conversation
from .summary import Summary

_OPEN_SESSION = "chat.open_session"
_SUMMARY = "chat.summary."
_TITLE = frozenset({"title", "titled_by"})


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
        self._vault = vault
        self.session = session
        self._written = written
        self._rows = set(rows)
        self._nodes: dict[str, Node] = {}
        self._gone: list[str] = []
        self._head_moved = False
        self._changed: frozenset[str] = frozenset()
        self._in_flight: dict[str, Node] | None = None
        self._abandoned = False
        self._writing = WriteBehind(self._write_all, lambda: self.unwritten, told)

    @property
    def unwritten(self) -> bool:
        """Whether there is anything that the vault does not have yet."""
        return self._in_flight is not None or self._behind

    @property
    def _behind(self) -> bool:
        if self._abandoned:
            return False
        return bool(self._nodes or self._gone or (self._written and (self._head_moved or self._changed)))

    # What the conversation tells

    def saved(self, node: Node) -> None:
        """See ``Journal``."""
        self._nodes[node.id] = node
        self._writing.wake()

    def forgot(self, node_id: str) -> None:
        """See ``Journal``."""
        self._nodes.pop(node_id, None)
        if node_id in self._rows or node_id in (self._in_flight or ()):
            self._gone.append(node_id)
        self._writing.wake()

    def moved(self, head_id: str | None) -> None:
        """See ``Journal``."""
        if head_id != self.session.head_id:
            self.session = msgspec.structs.replace(self.session, head_id=head_id)
            self._head_moved = True
            self._writing.wake()

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

    def learn(self, session: Session) -> None:
        """Takes over what was changed elsewhere: the title, tags, where it is kept; which branch is shown stays."""
        if not self._changed:
            self.session = msgspec.structs.replace(session, head_id=self.session.head_id)

    def _change(self, changes: dict[str, object]) -> None:
        changed = msgspec.structs.replace(self.session, **changes)
        if changed != self.session:
            self.session = changed
            self._changed |= changes.keys()
            self._writing.wake()

    # Writing

    async def settle(self) -> bool:
        """Waits until everything said so far is on the disk; False when that could not be done now."""
        return await self._writing.settle()

    def abandon(self) -> None:
        """Writes nothing more: the session was deleted."""
        self._abandoned = True

    async def discard(self) -> None:
        """Forgets a session that holds nothing, as when its only prompt was taken back."""
        await self.settle()
        if self._written:
            self._written = False
            await self._vault.sessions.purge(self.session.id)

    async def aclose(self) -> None:
        """Writes what is left, once more, and stops trying."""
        await self._writing.aclose()

    async def _write_all(self) -> None:
        session = self.session
        nodes, self._nodes = self._nodes, {}
        gone, self._gone = self._gone, []
        changed, self._changed = self._changed, frozenset()
        self._head_moved = False
        self._in_flight = nodes
        try:
            await self._write(session, changed, nodes, gone)
        except UnknownSessionError as error:
            # Another program removed it for good. To try again would not bring it back.
            self.abandon()
            raise UnknownSessionError(
                "This conversation was deleted by another program, so nothing more of it is kept.",
                "What is on the screen can still be copied.",
            ) from error
        except BaseException:
            self._put_back(nodes, gone, changed)
            raise
        finally:
            self._in_flight = None

    async def _write(self, session: Session, changed: frozenset[str], nodes: dict[str, Node], gone: list[str]) -> None:
        vault = self._vault
        if not self._written:
            await vault.sessions.create(session)
            self._written = True
        else:
            if changed - _TITLE:
                await vault.sessions.configure(session)
            if changed & _TITLE:
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

    def _put_back(self, nodes: dict[str, Node], gone: list[str], changed: frozenset[str]) -> None:
        """Holds what was not written, behind what is newer; what was taken back meanwhile stays away."""
        taken_back = set(self._gone)
        self._nodes = {key: node for key, node in nodes.items() if key not in taken_back} | self._nodes
        self._gone = gone + self._gone
        self._head_moved = True
        self._changed |= changed


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

    def adopt(self, conversation: Conversation) -> Keeper:
        """Keeps a conversation that was begun before there was a vault to keep it in."""
        session = new_session(system=conversation.system)
        keeper = Keeper(self.vault, session, written=False, told=self._told)
        conversation.follow(keeper)
        return keeper

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

    async def summary(self, session_id: str) -> Summary:
        """What stands for the messages of a session that are no longer sent."""
        return Summary.decode(await self.vault.notes.get(f"{_SUMMARY}{session_id}"))

    async def note_summary(self, session_id: str, summary: Summary) -> None:
        """Keeps it for the next start."""
        await self.vault.notes.put(f"{_SUMMARY}{session_id}", summary.encode())

    async def note_open(self, session_id: str) -> None:
        """Remembers which session was open, for the next start; empty for none."""
        await self.vault.notes.put(_OPEN_SESSION, session_id.encode())
