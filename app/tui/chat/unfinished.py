"""An answer that was cut or broke off, and who can go on with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from textual.content import Content

from app.errors import StreamBrokenError
from app.messages import Node
from app.privacy.terminal import clean

from .open_conversation import OpenConversation
from .surroundings import Surroundings
from .transcript import Transcript

if TYPE_CHECKING:
    from app.tui.model_desk import ModelDesk

    from .model_in_use import ModelInUse


class UnfinishedAnswer:
    """The last answer of the open conversation, when there is something to go on from."""

    def __init__(
        self,
        desk: ModelDesk,
        model: ModelInUse,
        current: OpenConversation,
        transcript: Transcript,
        around: Surroundings,
    ) -> None:
        self._desk = desk
        self._model = model
        self._current = current
        self._transcript = transcript
        self._around = around

    @property
    def answer(self) -> Node | None:
        """``None`` when the last answer is whole, or nothing came of it."""
        path = self._current.conversation.path()
        last = path[-1] if path else None
        if last is None or last.message.role != "assistant" or not last.message.text:
            return None
        return last if last.status in ("cut", "failed") or last.finish == "length" else None

    async def offer(self) -> None:
        """Where it broke off on its way: says that it can be gone on with from there, and by whom."""
        answer = self.answer
        view = self._transcript.answer_view(answer.id) if answer is not None else None
        if answer is None or view is None or not _broke_off(answer):
            return
        following = self._next_model(answer) or answer.model
        key = self._around.key_of("chat.go_on", "/continue")
        await view.offer(
            Content.assemble((key, "bold $primary"), f" goes on from here with {clean(following)}. What came is kept.")
        )

    async def reopen(self, answer: Node) -> str | None:
        """Shows it as one that is being written; gives the model that goes on, ``None`` for the usual one."""
        following = self._next_model(answer)
        # What ended it is over: its view is built again without the error.
        going = msgspec.structs.replace(answer, status="streaming", error=None, way=None)
        self._current.conversation.save(msgspec.structs.replace(going, model=following or answer.model))
        await self._transcript.refresh_view(answer.id)
        self._transcript.to_end()
        return following

    def _next_model(self, answer: Node) -> str | None:
        """Who can go on with an answer that broke off on its way; ``None`` when it did not, or nobody can."""
        return self._desk.router.next_after(answer.model, self._model.name) if _broke_off(answer) else None


def _broke_off(answer: Node) -> bool:
    return answer.error is not None and answer.error.code == StreamBrokenError.code
