"""One turn: a question, the answer as it streams, and what is kept of it whatever happens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Protocol

import msgspec
from msgspec import Struct

from app.errors import ContextOverflowError, PlaygroundError
from app.messages import (
    ChatRequest,
    Delta,
    Failure,
    Finished,
    Message,
    Node,
    NodeStatus,
    Quoted,
    Rerouted,
    Sampling,
    Started,
    TextDelta,
    Thinking,
    ThinkingDelta,
    Usage,
    Waiting,
    Way,
)

from .context import messages_for
from .conversation import Conversation
from .recalled_before import quoted
from .recalling import RecalledNow, Recaller, RecallFailed, room_for, with_quotations
from .summary import Summary
from .window import left_out

SAVE_EVERY = 0.5
"""Seconds between savings of an answer that still streams: with the time to write it, less than a crash may lose."""


_TIGHTER = (1.0, 1.5, 2.25)

HERE = "local"
"""The backend of this machine's models, as ``Started`` names it."""


class Answering(Protocol):
    """Whatever answers requests: the router."""

    def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """See ``app.backends.base.Backend.stream``."""
        ...


class AnswerBegun(Struct, frozen=True):
    """The question is kept and an empty answer stands below it; nothing has been asked of a model yet."""

    node: Node


class TextArrived(Struct, frozen=True):
    """More of the answer, as it came: not cleaned for a terminal."""

    text: str


class ThinkingArrived(Struct, frozen=True):
    """More of the thoughts before the answer, as they came."""

    text: str


class LeftOut(Struct, frozen=True):
    """The conversation is longer than the model's context window: so many of its oldest messages are not sent."""

    messages: int


class AnswerEnded(Struct, frozen=True):
    """The answer is over and kept: complete, or failed with what had come."""

    node: Node


ExchangeEvent = (
    AnswerBegun
    | RecalledNow
    | RecallFailed
    | LeftOut
    | Waiting
    | Rerouted
    | Started
    | TextArrived
    | ThinkingArrived
    | AnswerEnded
)


class Exchange:
    """Asks the router for the answer to the last message of a conversation, and keeps it there.

    One exchange is one answer. The answer's node is in the conversation from the first moment; closing the iterator of
    ``run``, or cancelling the task that reads it, stops the model and leaves the node with status ``cut``.

    Args:
        settle: awaited when the question must be on the disk, and again when the answer must.
        window: the model's context window in tokens, as far as it is known; 0 leaves nothing out.
        left_out: the messages that were left out last time.
        summary: what is told in their place.
        cost: what an answer of a model cost, in US dollars; ``None`` where that is not known.
        recaller: finds what was said earlier and fits the question; ``None`` where memory has no part.

    Attributes:
        left_out: the messages that are left out now.
    """

    def __init__(
        self,
        conversation: Conversation,
        answering: Answering,
        *,
        model: str,
        sampling: Sampling = Sampling(),  # noqa: B008 (immutable)
        settle: Callable[[], Awaitable[object]] | None = None,
        window: int = 0,
        left_out: frozenset[str] = frozenset(),
        summary: Summary = Summary(),  # noqa: B008 (immutable)
        cost: Callable[[str, Usage], float | None] = lambda model, usage: None,
        recaller: Recaller | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._conversation = conversation
        self._answering = answering
        self._model = model
        self._sampling = sampling
        self._settle = settle
        self._window = window
        self.left_out = left_out
        self._summary = summary
        self._cost = cost
        self._recaller = recaller
        self._recalled: RecalledNow = RecalledNow(())
        self._quoted: tuple[Quoted, ...] = ()
        self._clock = clock
        self._way: Way | None = None
        self._again = False
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._first_token: float | None = None
        self._saved_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, node_id: str) -> AsyncGenerator[ExchangeEvent, None]:
        """Answers the message ``node_id``; a second answer to it becomes a version beside the first.

        Ends with ``AnswerEnded``; an error of the family is in its node and is not raised.
        """
        conversation = self._conversation
        path = conversation.path_to(node_id)
        node = conversation.branch(node_id, Message.assistant(""), model=self._model, status="streaming")
        # Who asks again wants another answer, not the one that may be remembered.
        self._again = len(conversation.siblings(node.id)) > 1
        async with aclosing(self._answer(node, path)) as events:
            async for event in events:
                yield event

    async def go_on(self, answer_id: str) -> AsyncGenerator[ExchangeEvent, None]:
        """Goes on with an answer that was cut, from its last word; events and errors as in ``run``."""
        conversation = self._conversation
        node = conversation.node(answer_id)
        path = conversation.path_to(answer_id)
        self._text = [node.message.text]
        self._thinking = [part.text for part in node.message.parts if isinstance(part, Thinking)]
        node = conversation.save(msgspec.structs.replace(node, status="streaming", error=None, finish=None))
        async with aclosing(self._answer(node, path)) as events:
            async for event in events:
                yield event

    async def request(self, question: Message) -> ChatRequest:
        """What would be asked if this were said now, at the end of what is shown; nothing is kept of it."""
        path = (*self._conversation.path(), Node(id="", parent_id=None, message=question))
        await self._recall(path)
        return self._request(path, _TIGHTER[0])

    def _request(self, path: tuple[Node, ...], tightness: float) -> ChatRequest:
        system = self._summary.as_instructions(self._conversation.system)
        passages = self._recalled.passages
        window = room_for(self._window, passages)
        self.left_out = left_out(path, system, window, already=self.left_out, tightness=tightness)
        messages = messages_for([node for node in path if node.id not in self.left_out], system)
        quoting = with_quotations(messages, passages) if passages else None
        if quoting is not None and self._may_leave:
            messages, quoting = quoting, None
        return ChatRequest(model=self._model, messages=messages, sampling=self._sampling, here=quoting)

    @property
    def _may_leave(self) -> bool:
        return self._recaller is not None and self._recaller.may_leave

    async def _answer(self, node: Node, path: tuple[Node, ...]) -> AsyncGenerator[ExchangeEvent, None]:
        began = self._saved_at = self._clock()
        finished: Finished | None = None
        try:
            yield AnswerBegun(node)
            if self._settle is not None:
                await self._settle()  # what the person said is kept before anything else happens
            if (recalled := await self._recall(path)) is not None:
                yield recalled
            async with aclosing(self._deltas(path)) as deltas:
                async for delta in deltas:
                    if isinstance(delta, TextDelta | ThinkingDelta):
                        yield self._keep(node, delta, began)
                    elif isinstance(delta, Finished):
                        finished = delta
                    elif isinstance(delta, Rerouted):
                        self._rerouted(delta)
                        yield delta
                    elif isinstance(delta, Started):
                        # Another than was asked may answer; the conversation says who did.
                        node = self._started(node, delta)
                        if self._recalled.passages and not self._may_leave and delta.backend != HERE:
                            self._quoted = ()
                            yield RecalledNow(())  # it went no further than this machine
                        yield delta
                    elif isinstance(delta, Waiting | LeftOut):
                        yield delta
        except PlaygroundError as error:
            ended = self._save(node, "failed", error=Failure.of(error))
        except (asyncio.CancelledError, GeneratorExit):
            self._save(node, "cut")
            raise
        except BaseException:
            # A fault of the program itself: what came is kept, and whoever runs us reports it.
            self._save(node, "failed")
            raise
        else:
            ended = self._save(node, "complete", finished=finished)
        if self._settle is not None:
            await self._settle()
        yield AnswerEnded(ended)

    async def _recall(self, path: tuple[Node, ...]) -> RecalledNow | RecallFailed | None:
        asked = path[-1].message if path else None
        if self._recaller is None or asked is None or asked.role != "user":
            return None
        seen = {node.id for node in path if node.id not in self.left_out}
        found = await self._recaller.recall(asked.text, seen, self._window)
        if isinstance(found, RecalledNow):
            self._recalled = found
            self._quoted = tuple(map(quoted, found.passages))
        return found

    def _rerouted(self, delta: Rerouted) -> None:
        way = self._way or Way()
        # Of several that could not, the one that was asked is named, and what was wrong with it.
        if not way.instead_of:
            self._way = msgspec.structs.replace(way, instead_of=delta.model, reason=delta.reason)

    def _started(self, node: Node, delta: Started) -> Node:
        if delta.backend != HERE or delta.from_cache or self._way is not None:
            way = self._way or Way()
            self._way = msgspec.structs.replace(way, backend=delta.backend, from_cache=delta.from_cache)
        return msgspec.structs.replace(node, model=delta.model or node.model)

    def _way_of(self, node: Node, finished: Finished | None) -> Way | None:
        way = self._way
        if way is None or finished is None or way.from_cache:
            return way
        return msgspec.structs.replace(way, cost=self._cost(node.model, finished.usage))

    async def _deltas(self, path: tuple[Node, ...]) -> AsyncGenerator[Delta | LeftOut, None]:
        """Asks with as much of the conversation as fits, and with less when the model finds it too much."""
        for tightness in _TIGHTER:
            request = msgspec.structs.replace(self._request(path, tightness), fresh=self._again)
            if self.left_out:
                yield LeftOut(len(self.left_out))
            try:
                async with aclosing(self._answering.stream(request)) as deltas:
                    async for delta in deltas:
                        if isinstance(delta, Started) and delta.context:
                            self._window = delta.context
                        yield delta
                return
            except ContextOverflowError:
                if tightness == _TIGHTER[-1] or not self._window or len(path) == len(self.left_out) + 1:
                    raise

    def _keep(self, node: Node, delta: TextDelta | ThinkingDelta, began: float) -> ExchangeEvent:
        now = self._clock()
        if self._first_token is None and delta.text:
            self._first_token = now - began
        event: ExchangeEvent
        if isinstance(delta, TextDelta):
            self._text.append(delta.text)
            event = TextArrived(delta.text)
        else:
            self._thinking.append(delta.text)
            event = ThinkingArrived(delta.text)
        if now - self._saved_at >= SAVE_EVERY:
            self._checkpoint(node)
        elif self._timer is None:
            # A model that falls silent after these words must not leave them unsaved.
            self._timer = asyncio.get_running_loop().call_later(SAVE_EVERY, self._checkpoint, node)
        return event

    def _checkpoint(self, node: Node) -> None:
        self._saved_at = self._clock()
        self._save(node, "streaming")

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _save(
        self, node: Node, status: NodeStatus, *, finished: Finished | None = None, error: Failure | None = None
    ) -> Node:
        self._forget_timer()
        return self._conversation.save(
            msgspec.structs.replace(
                node,
                message=Message.assistant("".join(self._text), "".join(self._thinking)),
                status=status,
                finish=finished.reason if finished else None,
                usage=finished.usage if finished else None,
                timings=finished.timings if finished else None,
                first_token=self._first_token,
                error=error,
                way=self._way_of(node, finished),
                quoted=self._quoted or node.quoted,
            )
        )


class Asking(Protocol):
    """Something that brings an answer about a message of a conversation."""

    def run(self, node_id: str) -> AsyncGenerator[ExchangeEvent, None]:
        """See ``Exchange.run``."""
        ...


class GoingOn:
    """An exchange that goes on with a cut answer where another would answer a question."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def run(self, node_id: str) -> AsyncGenerator[ExchangeEvent, None]:
        """See ``Exchange.go_on``."""
        return self._exchange.go_on(node_id)
