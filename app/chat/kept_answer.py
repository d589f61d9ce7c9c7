"""An answer while it comes: what there is of it stands in the conversation, whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import msgspec

from app.messages import (
    Failure,
    Finished,
    Message,
    Node,
    NodeStatus,
    Quoted,
    Rerouted,
    Started,
    TextDelta,
    Thinking,
    ThinkingDelta,
    Usage,
    Way,
)

from .conversation import Conversation
from .exchange_events import TextArrived, ThinkingArrived

SAVE_EVERY = 0.5
"""Seconds between savings of an answer that still streams: with the time to write it, less than a crash may lose."""

HERE = "local"
"""The backend of this machine's models, as ``Started`` names it."""

Cost = Callable[[str, Usage], float | None]
"""What an answer of a model cost, in US dollars; ``None`` where that is not known."""


class KeptAnswer:
    """Gathers an answer into its node.

    Args:
        node: the answer's; what it has already is gone on from.
        clock: seconds, of any beginning.
    """

    def __init__(self, conversation: Conversation, node: Node, *, cost: Cost, clock: Callable[[], float]) -> None:
        self._conversation, self._node = conversation, node
        self._cost, self._clock = cost, clock
        self._began = self._saved_at = clock()
        self._text = [node.message.text]
        self._thinking = [part.text for part in node.message.parts if isinstance(part, Thinking)]
        self._quoted: tuple[Quoted, ...] = ()
        self._way: Way | None = None
        self._first_token: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def take(self, delta: TextDelta | ThinkingDelta) -> TextArrived | ThinkingArrived:
        """More of it; saved now or soon."""
        now = self._clock()
        if self._first_token is None and delta.text:
            self._first_token = now - self._began
        event: TextArrived | ThinkingArrived
        if isinstance(delta, TextDelta):
            self._text.append(delta.text)
            event = TextArrived(delta.text)
        else:
            self._thinking.append(delta.text)
            event = ThinkingArrived(delta.text)
        if now - self._saved_at >= SAVE_EVERY:
            self._checkpoint()
        elif self._timer is None:
            # A model that falls silent after these words must not leave them unsaved.
            self._timer = asyncio.get_running_loop().call_later(SAVE_EVERY, self._checkpoint)
        return event

    def quote(self, quotations: Iterable[Quoted]) -> None:
        """Notes what was recalled for it, in place of what was noted before."""
        self._quoted = tuple(quotations)

    def rerouted(self, delta: Rerouted) -> None:
        """Notes that another answers, and why."""
        way = self._way or Way()
        # Of several that could not, the one that was asked is named, and what was wrong with it.
        if not way.instead_of:
            self._way = msgspec.structs.replace(way, instead_of=delta.model, reason=delta.reason)

    def started(self, delta: Started) -> None:
        """Notes who answers: another than was asked may do so."""
        if delta.backend != HERE or delta.from_cache or self._way is not None:
            way = self._way or Way()
            self._way = msgspec.structs.replace(way, backend=delta.backend, from_cache=delta.from_cache)
        self._node = msgspec.structs.replace(self._node, model=delta.model or self._node.model)

    def save(self, status: NodeStatus, *, finished: Finished | None = None, error: Failure | None = None) -> Node:
        """Puts all that there is into the conversation."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return self._conversation.save(
            msgspec.structs.replace(
                self._node,
                message=Message.assistant("".join(self._text), "".join(self._thinking)),
                status=status,
                finish=finished.reason if finished else None,
                usage=finished.usage if finished else None,
                timings=finished.timings if finished else None,
                first_token=self._first_token,
                error=error,
                way=self._way_with_cost(finished),
                quoted=self._quoted or self._node.quoted,
            )
        )

    def _checkpoint(self) -> None:
        self._saved_at = self._clock()
        self.save("streaming")

    def _way_with_cost(self, finished: Finished | None) -> Way | None:
        way = self._way
        if way is None or finished is None or way.from_cache:
            return way
        return msgspec.structs.replace(way, cost=self._cost(self._node.model, finished.usage))
