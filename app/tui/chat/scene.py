"""The open conversation on the screen."""

from __future__ import annotations

from .open_conversation import OpenConversation
from .stage import Stage
from .surroundings import Surroundings
from .transcript import Transcript


class Scene:
    """The transcript, or what stands in its place while the conversation is empty."""

    def __init__(self, current: OpenConversation, transcript: Transcript, stage: Stage, around: Surroundings) -> None:
        self._current = current
        self._stage = stage
        self._around = around
        self.transcript = transcript

    def arrange(self) -> None:
        """Decides which of the two is seen."""
        empty = not self._current.conversation.path()
        self._stage.display = empty
        self.transcript.display = not empty

    async def show(self) -> None:
        """Brings the screen in line with the conversation."""
        self.arrange()
        await self.transcript.show()
        self._around.refresh_bindings()
