"""A pane whose conversation the vault keeps: going on with one, beginning another, titles, instructions, sampling."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual.message import Message as TextualMessage

from app.chat import Answering, Conversation
from app.chat.summary import Summary
from app.errors import PlaygroundError, UnknownSessionError, VaultError
from app.messages import Node, Sampling
from app.privacy.terminal import clean

from .composer import Composer
from .conversation_actions import ConversationActions
from .sampling_words import changed, described
from .transcript import Transcript

if TYPE_CHECKING:
    from app.chat.keeping import Keeper, Keeping
    from app.vault import Vault


class KeptConversation(ConversationActions):
    """Holds a conversation and its keeper. Until ``attach``, and after ``detach``, nothing is kept or shown."""

    class SessionChanged(TextualMessage):
        """A session was begun, or something of it changed that a list of sessions shows."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.keeper: Keeper | None = None
        self._keeping: Keeping | None = None
        self._attached = asyncio.Event()
        self._left_out: frozenset[str] = frozenset()
        self._summary = Summary()

    @property
    def sampling(self) -> Sampling:
        """How the next token is chosen in this conversation."""
        return self.keeper.session.sampling if self.keeper else Sampling()

    async def attach(self, vault: Vault) -> None:
        """The vault is open: shows the conversation that was open last, if there is one."""
        from app.chat.keeping import Keeping

        self._keeping = Keeping(vault, self._told)
        last = None if len(self.conversation) else await self._keeping.last_open()
        if last is None or not await self.open_session(last):
            self.keeper = self._keeping.adopt(self.conversation)
        self._attached.set()

    async def detach(self) -> None:
        """The vault is being locked: writes what is left, then forgets and shows nothing of it."""
        self._attached.clear()
        keeper, self.keeper, self._keeping = self.keeper, None, None
        if keeper is not None:
            await keeper.aclose()
        self.conversation = Conversation()
        await self._show_conversation()

    async def vault_opened(self, vault: Vault) -> None:
        """Shows what was open last."""
        await self.attach(vault)

    async def vault_closing(self) -> None:
        """Keeps what is left and forgets it."""
        await self.detach()

    async def attached(self) -> None:
        """Returns when there is a keeper: nothing is asked before it can be kept."""
        await self._attached.wait()

    async def open_session(self, session_id: str, node_id: str | None = None) -> bool:
        """Shows a kept conversation, at a message if one is named; whether that could be done."""
        from app.chat.recalled_before import recalled_before

        if self._keeping is None:
            return False
        try:
            conversation, keeper = await self._keeping.resume(session_id)
            summary = await self._keeping.summary(session_id)
            await self._keeping.note_open(session_id)
            recalled = await recalled_before(_every_version(conversation), self._keeping.vault.recollections)
        except VaultError as error:
            self.app.notify_error(error)
            return False
        await self._leave()
        self._summary, self._left_out = summary, summary.covers
        if node_id is not None and node_id in conversation:
            conversation.show_with(node_id)
        self.conversation, self.keeper = conversation, keeper
        self.query_one(Transcript).know_recalled(recalled)
        await self._show_conversation()
        if node_id is not None and node_id in conversation:
            await self.query_one(Transcript).reveal(node_id)
        self.session_shown()
        return True

    async def start_new(self) -> None:
        """Begins an empty conversation with the same instructions."""
        await self._leave()
        self._begin(system=self.conversation.system)
        await self._show_conversation()
        if self._keeping is not None:
            try:
                await self._keeping.note_open("")
            except VaultError as error:
                self.app.notify_error(error)

    async def session_changed_elsewhere(self, session_id: str) -> None:
        """Another pane renamed, deleted or otherwise changed a session: follows when it is the one that is shown."""
        keeper, keeping = self.keeper, self._keeping
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

    def session_shown(self) -> None:
        """Called when another conversation is shown."""

    def _begin(self, *, system: str = "") -> None:
        self._left_out = frozenset()
        if self._keeping is None:
            self.conversation = Conversation(system=system)
        else:
            self.conversation, self.keeper = self._keeping.begin(system=system)

    async def _leave(self) -> None:
        """Lets the conversation that is shown go, once all of it is kept."""
        self._left_out, self._summary = frozenset(), Summary()
        keeper, self.keeper = self.keeper, None
        if keeper is not None:
            await keeper.aclose()

    async def _show_conversation(self) -> None:
        self.show_stage()
        await self.query_one(Transcript).show()
        self.refresh_bindings()

    def _told(self, error: PlaygroundError | None) -> None:
        if error is None:
            self.app.notify("Everything is kept again.", timeout=4)
        else:
            self.app.notify_error(error)

    async def roll_summary(self, answering: Answering, model: str) -> None:
        """Lets the model sum up what is no longer sent; whatever it says is kept with the session."""
        from app.chat.summarising import roll

        keeper, keeping = self.keeper, self._keeping
        if keeper is None or keeping is None:
            return
        gone = [node for node in self.conversation.path() if node.id in self._left_out]
        try:
            summary = await roll(answering, self._summary, gone, model)
            await keeping.note_summary(keeper.session.id, summary)
        except PlaygroundError as error:
            self.app.notify_error(error)
            return
        if keeper is self.keeper:
            self._summary = summary

    # Particulars

    def note_beginning(self, text: str) -> None:
        """A first question was asked: until there is a better title, its words are the title."""
        from app.chat.titles import first_words

        if self.keeper is not None and not self.keeper.session.title:
            self.keeper.rename(first_words(text), "nobody")
            self.run_worker(self._note_open(), group="note", exit_on_error=False)

    async def _note_open(self) -> None:
        keeper, keeping = self.keeper, self._keeping
        if keeper is not None and keeping is not None and await keeper.settle():
            await keeping.note_open(keeper.session.id)
            self.post_message(self.SessionChanged())

    def set_title(self, title: str, by_person: bool = True) -> None:
        """Names the conversation."""
        if self.keeper is not None and title.strip():
            self.keeper.rename(title.strip(), "person" if by_person else "model")
            self.post_message(self.SessionChanged())

    def set_memory(self, wanted: str) -> None:
        """Lets this conversation be remembered and recall, or neither; what is remembered of it goes then."""
        if wanted not in ("on", "off"):
            self.app.notify(f"/memory takes on or off, not {clean(wanted)!r}.", severity="warning", markup=False)
        elif self.keeper is not None:
            self.keeper.configure(remembers=wanted == "on")
            self.action_memory()

    def action_memory(self) -> None:
        """Says whether this conversation takes part in memory."""
        if self.keeper is not None:
            self.app.notify(
                "This conversation is remembered, and earlier ones are recalled into it. /memory off ends both."
                if self.keeper.session.remembers
                else "This conversation is not remembered, and nothing is recalled into it. /memory on begins both.",
                title="Memory",
            )

    def action_edit_title(self) -> None:
        """Asks for a title."""
        from app.tui.dialogs.text_prompt import TextPrompt

        if self.keeper is not None:
            self.app.push_screen(
                TextPrompt("Title of this conversation", self.keeper.session.title),
                lambda title: self.set_title(title or ""),
            )

    def action_edit_system(self) -> None:
        """Opens the instructions of this conversation."""
        from app.tui.dialogs.text_prompt import TextPrompt

        def saved(text: str | None) -> None:
            if text is not None:
                self.set_system(text)

        self.app.push_screen(TextPrompt("Instructions for this conversation", self.conversation.system), saved)

    def set_system(self, text: str) -> None:
        """Sets the instructions that stand before the first message."""
        self.conversation.system = text.strip()
        if self.keeper is not None:
            self.keeper.configure(system=text.strip())
        self.app.notify("Instructions set." if text.strip() else "Instructions removed.", timeout=2)

    def action_show_sampling(self) -> None:
        """Says how tokens are chosen here, and puts the command that changes it into the composer."""
        self.app.notify(f"Sampling: {described(self.sampling)}.", markup=False)
        self.query_one(Composer).put("/set ")

    def set_sampling(self, words: str) -> None:
        """Changes one parameter of this conversation's sampling."""
        try:
            sampling = changed(self.sampling, words)
        except PlaygroundError as error:
            self.app.notify_error(error)
            return
        if self.keeper is not None:
            self.keeper.configure(sampling=sampling)
        self.app.notify(f"Sampling: {described(sampling)}.", timeout=3, markup=False)


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
