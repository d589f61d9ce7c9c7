"""The message that the keys act on: copied, looked at whole."""

from __future__ import annotations

from app.messages import Node

from .open_conversation import OpenConversation
from .surroundings import Surroundings
from .transcript import Transcript


class ChosenMessage:
    """The message that is chosen in the transcript, else the last one that a key makes sense for."""

    def __init__(self, current: OpenConversation, transcript: Transcript, around: Surroundings) -> None:
        self._current = current
        self._transcript = transcript
        self._around = around
        self._walked: tuple[str, tuple[str, ...]] | None = None
        self._steps = 0

    @property
    def message(self) -> Node | None:
        """The chosen message, or the last answer."""
        path = self._current.conversation.path_to(self._transcript.chosen)
        if self._transcript.has_focus:
            return path[-1] if path else None
        return next((node for node in reversed(path) if node.message.role == "assistant" and node.message.text), None)

    @property
    def question(self) -> Node | None:
        """The chosen prompt, or the one that the chosen answer answers."""
        path = self._current.conversation.path_to(self._transcript.chosen)
        return next((node for node in reversed(path) if node.message.role == "user"), None)

    def copy(self) -> None:
        """Copies it whole."""
        from .copying import cleaned_text

        node = self.message
        if node is not None:
            self._around.app.copy_to_clipboard(cleaned_text(node))
            self._around.app.notify("Message copied.", timeout=2)

    def copy_code(self) -> None:
        """Copies its last code block; done again, the one before that."""
        from .copying import code_blocks

        node = self.message
        blocks = code_blocks(node) if node is not None else ()
        if node is None or not blocks:
            self._around.app.notify("There is no code block in this message.", timeout=2)
            return
        if self._walked != (node.id, blocks):
            self._walked, self._steps = (node.id, blocks), 0
        place = len(blocks) - 1 - self._steps % len(blocks)
        self._steps += 1
        self._around.app.copy_to_clipboard(blocks[place])
        self._around.app.notify(f"Code block {place + 1} of {len(blocks)} copied.", timeout=2)

    def toggle_thinking(self) -> None:
        """Folds or unfolds its thoughts."""
        view = self._transcript.answer_view(self._transcript.chosen or "")
        if view is not None:
            view.toggle_thinking()

    async def toggle_original(self) -> None:
        """Shows it whole, or again without what the content filter leaves out."""
        if not await self._transcript.toggle_original():
            self._around.app.notify("Nothing is left out of this answer.", timeout=2)
