"""Walking between the versions of a conversation, and back before its last messages."""

from __future__ import annotations

from app.tui import words

from .model_in_use import ModelInUse
from .open_conversation import OpenConversation
from .scene import Scene
from .surroundings import Surroundings


class Versions:
    """Every message that was asked for again, edited or rolled back stays as a version beside the one that is shown."""

    def __init__(self, current: OpenConversation, model: ModelInUse, scene: Scene, around: Surroundings) -> None:
        self._current = current
        self._model = model
        self._scene = scene
        self._around = around

    async def step(self, step: int) -> None:
        """Shows an earlier or later version of the chosen message, or of the nearest one that has versions.

        What was rolled back is later than what is shown; where nothing is shown, any step brings it back.
        """
        if not self._current.answering:
            await self._step(step)
            self._say_how_full()

    async def roll_back(self, turns: int = 1) -> None:
        """Takes the last questions and their answers off; they stay as a version."""
        if not self._current.answering:
            await self._roll_back(turns)
            self._say_how_full()

    def _say_how_full(self) -> None:
        """Another version fills more or less of the context window."""
        if not self._current.answering:
            self._model.show_figures()

    async def _step(self, step: int) -> None:
        conversation, transcript = self._current.conversation, self._scene.transcript
        chosen, head = transcript.chosen, conversation.head
        if (step > 0 or head is None) and chosen == (head.id if head is not None else None):
            following = conversation.below(chosen)
            if following:
                conversation.show_with(following[-1].id)
                await self._scene.show()
                return
        for node in reversed(conversation.path_to(chosen)):
            if len(conversation.siblings(node.id)) > 1:
                shown = conversation.show_sibling(node.id, step)
                await transcript.show()
                if chosen == node.id and transcript.has_focus:
                    transcript.choose(shown.id)
                return

    async def _roll_back(self, turns: int) -> None:
        dropped = self._current.conversation.roll_back(2 * turns)
        await self._scene.show()
        if dropped:
            key = self._around.key_of("chat.newer_version", "alt+→")
            self._around.app.notify(
                f"{words.plural(len(dropped), 'message')} rolled back; {key} brings them back.", markup=False
            )
