"""The panes that were shown, one before the others, and what one of them wants of another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Container

from .bars.tabs import TabBar
from .chat.news import PostWanted, SessionChanged
from .chat.pane import ChatPane
from .pane import Pane
from .panes import PANES, Parts


class PaneStack(Container):
    """Shows one pane of ``PANES`` at a time.

    Args:
        make_chat: makes the pane that is always there.
        parts: gives what a pane that is shown for the first time is made of.
    """

    def __init__(self, make_chat: Callable[[], ChatPane], parts: Callable[[], Parts]) -> None:
        super().__init__(id="panes")
        self._make_chat, self._parts = make_chat, parts
        self._front = "chat"

    def compose(self) -> ComposeResult:
        """The chat; the others are made when they are shown."""
        yield self._make_chat()

    @property
    def front(self) -> str:
        """The name of the pane that is shown."""
        return self._front

    @property
    def shown(self) -> tuple[Pane, ...]:
        """Those that were shown once; none while the interface closes."""
        return tuple(self.query_children(Pane)) if self.is_attached else ()

    @property
    def chat(self) -> ChatPane:
        """The chat."""
        return self.query_exactly_one("#chat", ChatPane)

    async def show(self, name: str) -> None:
        """Shows a pane; one that was never shown is made now. Under a dialog nothing changes."""
        if len(self.app.screen_stack) > 1:
            return
        entry = next(entry for entry in PANES if entry.name == name)
        if entry.make is not None and not self.query_children(f"#{name}"):
            await self.mount(entry.make(self._parts()))
        for pane in self.children:
            pane.display = pane.id == name
        self._front = self.screen.query_one(TabBar).current = name
        self.app.refresh_bindings()
        front = self.query_one(f"#{name}", Pane)
        front.shown()
        front.take_focus()

    async def aclose(self) -> None:
        """Sees that everything is kept; for when the interface has closed."""
        for chat in self.query_children(ChatPane):
            if chat.keeper is not None:
                await chat.keeper.aclose()

    # The answer that is being waited for

    @property
    def answering(self) -> bool:
        """Whether there is one."""
        return any(pane.answering for pane in self.shown if isinstance(pane, ChatPane))

    async def stop_answering(self) -> None:
        """Ends it, and keeps what came of it."""
        await self.chat.action_stop()

    # What one pane wants of another

    async def on_models_pane_used(self, event: Any) -> None:
        """Goes to the chat with the chosen model."""
        self.chat.use_model(event.model)
        await self.show("chat")

    async def on_sessions_pane_open_wanted(self, event: Any) -> None:
        """Goes on with the chosen conversation."""
        chat = self.chat
        if chat.answering:
            await chat.action_stop()
        if await chat.open_session(event.session_id, event.node_id):
            await self.show("chat")

    async def on_sessions_pane_new_wanted(self) -> None:
        """Begins a conversation."""
        await self.chat.action_new_chat()
        await self.show("chat")

    async def on_sessions_pane_changed(self, event: Any) -> None:
        """The chat follows what was done to the conversation that it shows."""
        if not self.chat.answering:
            await self.chat.session_changed_elsewhere(event.session_id)

    @on(PostWanted)
    async def _post_wanted(self, event: PostWanted) -> None:
        """Goes to the post that a recalled passage is from."""
        from .blog.pane import BlogPane

        await self.show("blog")
        self.query_one(BlogPane).open_post(event.post_id)

    @on(SessionChanged)
    def _session_changed(self) -> None:
        for pane in self.shown:
            pane.session_changed()
