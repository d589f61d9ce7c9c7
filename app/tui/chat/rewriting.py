"""Prompts that come back into the composer: to be written anew, or because nothing came of them."""

from __future__ import annotations

from app.messages import Node

from .composer import Composer
from .open_conversation import OpenConversation
from .scene import Scene
from .surroundings import Surroundings

REWRITING = "another version of an earlier prompt · esc leaves it"
"""On the composer's edge while an earlier prompt is in it."""


class Rewriting:
    """Which earlier prompt the next one is to stand beside, if any, and what was being written before."""

    def __init__(self, current: OpenConversation, composer: Composer, scene: Scene, around: Surroundings) -> None:
        self._current = current
        self._composer = composer
        self._scene = scene
        self._around = around
        self._draft = ""
        self._beside: tuple[Node, str] | None = None
        """The prompt beside which the last one was asked, and the message that was shown last before."""
        self.rewritten: Node | None = None
        """The earlier prompt of which another version stands in the composer."""

    def begin(self, question: Node) -> None:
        """Takes a prompt into the composer; sending it makes a new version beside the old one."""
        if self.rewritten is None:
            self._draft = self._composer.prompt
        self._rewrite(question)
        self._composer.put(question.message.text)
        self._composer.focus()

    def leave(self) -> None:
        """Lets the earlier prompt be as it was, and brings back what was being written before."""
        self._rewrite(None)
        self._composer.put(self._draft)
        self._draft = ""

    def forget(self) -> None:
        """Another conversation is open: nothing of the last one is being rewritten."""
        self._beside = None
        self._draft = ""
        self._rewrite(None)

    def sent(self) -> Node | None:
        """The prompt was sent; the earlier one that it is to stand beside, if it is another version of one."""
        conversation, rewritten = self._current.conversation, self.rewritten
        head = conversation.head
        self._rewrite(None)
        if rewritten is None or head is None or rewritten.id not in conversation:
            self._beside = None
            return None
        self._beside = rewritten, head.id
        return rewritten

    async def take_back(self, answer: Node) -> None:
        """Nothing came of an answer: its prompt goes back into the composer, unless something stands there.

        That of another version stands beside the one before it again.
        """
        conversation, asked = self._current.conversation, answer.parent_id
        if conversation.node(answer.id).message.text:
            # It was gone on with, and stopped before more came: what there was before stays.
            return
        conversation.forget(answer.id)
        if asked is not None and not self._composer.text:
            question = conversation.node(asked)
            conversation.forget(asked)
            self._composer.put(question.message.text)
        if not len(conversation) and self._current.keeper is not None:
            await self._current.keeper.discard()
        if self._beside is not None and (asked is None or asked not in conversation):
            rewritten, head_id = self._beside
            conversation.show(head_id)
            self._rewrite(rewritten)
        await self._scene.show()

    def _rewrite(self, question: Node | None) -> None:
        self.rewritten = question
        self._composer.border_title = REWRITING if question is not None else ""
        self._around.refresh_bindings()
