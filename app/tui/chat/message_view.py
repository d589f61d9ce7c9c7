"""How one message looks in the transcript."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message as TextualMessage
from textual.widgets import Markdown, Static

from app.messages import Image, Node, Thinking, ToolCall, ToolResult, Waiting
from app.privacy.terminal import clean
from app.tui import words
from app.tui.error_card import ErrorCard

from .answer_footer import answer_footer, versions_note
from .answer_text import AnswerText
from .chips import chip
from .shortened import Shortened
from .thinking_view import ThinkingView
from .waiting_line import WaitingLine

if TYPE_CHECKING:
    from app.memory.recall import Recalled

MOST_SHOWN = 6_000
"""Characters of a prompt that are shown: a pasted file would hide the conversation. It is kept and copied whole."""

MOST_OF_A_TOOL = 300
"""Characters that are shown of a tool's call or result."""

MOST_WAITED = 0.5
"""Seconds until a paint is taken for one that will not come."""


class MessageView(Vertical):
    """A message; the transcript selects one at a time for copying, editing and regenerating."""

    def __init__(self, node: Node, classes: str) -> None:
        super().__init__(classes=f"message {classes}")
        self.node = node

    class Chosen(TextualMessage):
        """The message was clicked."""

        def __init__(self, node_id: str) -> None:
            super().__init__()
            self.node_id = node_id

    def on_click(self) -> None:
        """Selects the message."""
        self.post_message(self.Chosen(self.node.id))


class PromptView(MessageView):
    """What the person wrote, as they wrote it."""

    def __init__(self, node: Node, versions: tuple[int, int] = (1, 1)) -> None:
        super().__init__(node, "prompt")
        self._versions = versions

    def compose(self) -> ComposeResult:
        """The text, and which version of how many it is."""
        text = clean(self.node.message.text)
        if text.strip():
            yield Static(Content(text[:MOST_SHOWN].rstrip("\n")), classes="text")
        notes = tool_lines(self.node)
        attached = [chip(part) for part in self.node.message.attached]
        if attached:
            lines = [Content.assemble(("▪ ", "$primary"), (line, "$text-muted")) for line in attached]
            yield Static(Content("\n").join(lines), classes="attached")
        if len(text) > MOST_SHOWN:
            notes.append(f"… {words.count(len(text))} characters in all, sent whole")
        if self._versions[1] > 1:
            notes.append(versions_note(*self._versions))
        if notes:
            yield Static(Content(" · ".join(notes)), classes="note")


class AnswerView(MessageView):
    """A model's answer: thoughts, Markdown, what went wrong, and one line about how it went.

    With ``filtered``, boilerplate is left out of what is shown, and the last line says so; ``toggle_original`` shows
    the whole.
    """

    def __init__(
        self,
        node: Node,
        versions: tuple[int, int] = (1, 1),
        *,
        filtered: bool = False,
        recalled: Sequence[Recalled] = (),
    ) -> None:
        super().__init__(node, "answer")
        self._versions = versions
        self._recalled = tuple(recalled)
        self._shortened = Shortened() if filtered else None
        self._begun = bool(node.message.text)
        # Thoughts and answer are painted by two tasks; removing one widget from both at once would never return.
        self._changing = asyncio.Lock()

    def compose(self) -> ComposeResult:
        """What is there of the answer so far."""
        node = self.node
        if self._recalled:
            from .recalled_view import RecalledView

            yield RecalledView(self._recalled)
        thoughts = thinking_of(node)
        if thoughts:
            yield ThinkingView(clean(thoughts), open_=False)
        for line in tool_lines(node):
            yield Static(Content.styled(line, "$text-muted"), classes="note")
        yield AnswerText(self._shown(clean(node.message.text)))
        if node.status == "streaming" and not self._begun:
            yield WaitingLine()
        if node.error is not None:
            yield ErrorCard(node.error)
        yield Static(self._footer(), classes="footer")

    def say(self, waiting: Waiting | str) -> None:
        """Shows why nothing has come yet."""
        for line in self.query(WaitingLine):
            line.say(waiting, self.node.model)

    def answered_by(self, model: str) -> None:
        """Another answers than was asked."""
        self.node = msgspec.structs.replace(self.node, model=model, way=None)
        self._refresh_footer()

    async def append(self, text: str) -> None:
        """Adds clean text to the end of the answer."""
        async with self._changing:
            if not self._begun:
                self._begun = True
                await self.query(WaitingLine).remove()
                for thoughts in self.query(ThinkingView):
                    thoughts.fold(False)
            if self._shortened is not None:
                left_out = self._shortened.left_out
                text = self._shortened.feed(text)
                if self._shortened.left_out != left_out:
                    self._refresh_footer()
            if text:
                await self.query_one(AnswerText).append(text)
        if text:
            await self._painted()

    async def _painted(self) -> None:
        """Returns when the change is on the screen; a view that has left it is not waited for long."""
        painted = asyncio.Event()
        if self.call_after_refresh(painted.set):
            with suppress(TimeoutError):
                async with asyncio.timeout(MOST_WAITED):
                    await painted.wait()

    async def rest_above(self, line: float) -> None:
        """Lets the parts of the answer rest that are above a line of what this view stands in."""
        async with self._changing:
            for text in self.query(AnswerText):
                await text.rest_above(int(line) - self.virtual_region.y - text.virtual_region.y)

    async def show_recalled(self, passages: Sequence[Recalled]) -> None:
        """Says above the answer what was recalled for it."""
        from .recalled_view import RecalledView

        async with self._changing:
            await self.query(RecalledView).remove()
            if passages:
                await self.mount(RecalledView(passages), before=0)

    async def show_recall_failed(self, reason: str) -> None:
        """Says in one quiet line that the question went without memory."""
        words = clean(f"nothing was recalled: {reason[:1].lower()}{reason[1:]}").strip()
        async with self._changing:
            await self.mount(Static(Content(words), classes="note"), before=0)

    async def append_thinking(self, text: str) -> None:
        """Adds clean text to the thoughts."""
        async with self._changing:
            known = self.query(ThinkingView)
            if known:
                known.first().append(text)
            else:
                await self.query(WaitingLine).remove()
                thoughts = ThinkingView(text, open_=not self._begun)
                await self.mount(thoughts, before=self.query_one(AnswerText))

    async def end(self, node: Node, versions: tuple[int, int]) -> None:
        """The answer is over."""
        self.node = node
        self._versions = versions
        await self.query(WaitingLine).remove()
        if self._shortened is not None and node.status != "streaming":
            async with self._changing:
                if rest := self._shortened.finish():
                    await self.query_one(AnswerText).append(rest)
        for thoughts in self.query(ThinkingView):
            thoughts.fold(False)
        if node.error is not None and not self.query(ErrorCard):
            await self.mount(ErrorCard(node.error), before=self.query_one(".footer"))
        self._refresh_footer()

    async def offer(self, words: Content) -> None:
        """Says below what went wrong what can be done about it."""
        await self.query(".offer").remove()
        await self.mount(Static(words, classes="offer"), before=self.query_one(".footer"))

    async def toggle_original(self) -> bool:
        """Shows the whole answer, or again without what was left out; whether there is a difference."""
        if self._shortened is None or not self._shortened.left_out:
            return False
        async with self._changing:
            self._shortened.whole = not self._shortened.whole
            await self.query_one(AnswerText).update(self._shortened.shown)
        self._refresh_footer()
        return True

    def toggle_thinking(self) -> bool:
        """Opens or folds the thoughts; whether there are any."""
        for thoughts in self.query(ThinkingView):
            thoughts.fold(not thoughts.open)
            return True
        return False

    def _shown(self, text: str) -> str:
        if self._shortened is None:
            return text
        self._shortened.feed(text)
        if self.node.status != "streaming":
            self._shortened.finish()
        return self._shortened.shown

    def _refresh_footer(self) -> None:
        self.query_one(".footer", Static).update(self._footer())

    def _footer(self) -> Content:
        return answer_footer(self.node, self._versions, self._shortened.note if self._shortened else "")

    def on_markdown_link_clicked(self, event: Markdown.LinkClicked) -> None:
        """Gives the address to the clipboard: nothing that a model wrote opens by itself."""
        event.stop()
        self.app.copy_to_clipboard(clean(event.href))
        self.app.notify(clean(event.href), title="Address copied", markup=False)


def tool_lines(node: Node) -> list[str]:
    """Parts that are no text, each in a line: calls of tools, their results, pictures."""
    found = []
    for part in node.message.parts:
        if isinstance(part, ToolCall):
            found.append(f"asked for {part.name} {part.arguments}")
        elif isinstance(part, ToolResult):
            found.append(f"{'it failed' if part.is_error else 'it gave'}: {part.text}")
        elif isinstance(part, Image) and not part.name:
            found.append(f"a picture, {part.media_type}")
    lines = [" ".join(clean(line).split()) for line in found]
    return [line if len(line) <= MOST_OF_A_TOOL else f"{line[: MOST_OF_A_TOOL - 1]}…" for line in lines]


def thinking_of(node: Node) -> str:
    """A message's thoughts, joined."""
    return "".join(part.text for part in node.message.parts if isinstance(part, Thinking))
