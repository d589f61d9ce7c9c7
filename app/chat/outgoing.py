"""What goes to the model: the conversation as far as it fits, with what is recalled from earlier ones."""

from __future__ import annotations

from app.messages import ChatRequest, Message, Node, Sampling

from .attaching.sending import refused_images
from .context import messages_for
from .conversation import Conversation
from .recalling import RecalledNow, Recaller, RecallFailed, room_for, with_quotations
from .summary import Summary
from .window import left_out


class Outgoing:
    """Makes the requests of one turn, each with less of the conversation when the one before was too much.

    Args:
        model: who is asked.
        window: the model's context window in tokens, as far as it is known; 0 leaves nothing out.
        left_out: the messages that were left out last time.
        summary: what is told in their place.
        recaller: finds what was said earlier and fits the question; ``None`` where memory has no part.
        sees: whether the model sees pictures. One that does not is told of those that were shown earlier.

    Attributes:
        left_out: the messages that are left out now.
        window: as above; it may be learnt while the model answers.
    """

    def __init__(
        self,
        conversation: Conversation,
        model: str,
        *,
        sampling: Sampling = Sampling(),  # noqa: B008 (immutable)
        window: int = 0,
        left_out: frozenset[str] = frozenset(),
        summary: Summary = Summary(),  # noqa: B008 (immutable)
        recaller: Recaller | None = None,
        sees: bool = True,
    ) -> None:
        self.conversation, self.model = conversation, model
        self.window, self.left_out = window, left_out
        self._sampling, self._summary = sampling, summary
        self._recaller, self._sees = recaller, sees
        self._recalled = RecalledNow(())

    async def recall(self, path: tuple[Node, ...]) -> RecalledNow | RecallFailed | None:
        """Looks for what fits the question at the end of ``path``, and has it quoted from now on."""
        asked = path[-1].message if path else None
        if self._recaller is None or asked is None or asked.role != "user":
            return None
        seen = {node.id for node in path if node.id not in self.left_out}
        found = await self._recaller.recall(asked.text, seen, self.window)
        if isinstance(found, RecalledNow):
            self._recalled = found
        return found

    @property
    def quotes_here_alone(self) -> bool:
        """Whether something is quoted that must not leave this machine."""
        return bool(self._recalled.passages) and not self._may_leave

    def request(self, path: tuple[Node, ...], tightness: float = 1.0) -> ChatRequest:
        """What is asked for the message at the end of ``path``.

        Args:
            path: from the first message on.
            tightness: how many times as long as they seem the messages are taken to be.

        Raises:
            NotSupportedError: when a picture is asked about, and the model sees none.
        """
        asked = next((node.message for node in reversed(path) if node.message.role == "user"), None)
        if not self._sees and asked is not None and asked.shows_images:
            raise refused_images(self.model)
        system = self._summary.as_instructions(self.conversation.system)
        passages = self._recalled.passages
        window = room_for(self.window, passages)
        self.left_out = left_out(path, system, window, already=self.left_out, tightness=tightness)
        messages = messages_for([node for node in path if node.id not in self.left_out], system, sees=self._sees)
        quoting = with_quotations(messages, passages) if passages else None
        if quoting is not None and self._may_leave:
            messages, quoting = quoting, None
        return ChatRequest(model=self.model, messages=messages, sampling=self._sampling, here=quoting)

    async def previewed(self, question: Message) -> ChatRequest:
        """What would be asked if this were said now, at the end of what is shown; nothing is kept of it."""
        path = (*self.conversation.path(), Node(id="", parent_id=None, message=question))
        await self.recall(path)
        return self.request(path)

    @property
    def _may_leave(self) -> bool:
        return self._recaller is not None and self._recaller.may_leave
