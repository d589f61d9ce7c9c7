"""One turn: a question, the answer as it streams, and what is kept of it whatever happens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Protocol

import msgspec

from app.errors import ContextOverflowError, PlaygroundError
from app.messages import (
    ChatRequest,
    Delta,
    Failure,
    Finished,
    Message,
    Node,
    Rerouted,
    Started,
    TextDelta,
    ThinkingDelta,
    Waiting,
)

from .exchange_events import AnswerBegun, AnswerEnded, ExchangeEvent, LeftOut
from .kept_answer import HERE, Cost, KeptAnswer
from .outgoing import Outgoing
from .recalled_before import quoted
from .recalling import RecalledNow

_TIGHTER = (1.0, 1.5, 2.25)


class Answering(Protocol):
    """Whatever answers requests: the router."""

    def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """See ``app.backends.base.Backend.stream``."""
        ...


class Exchange:
    """Asks the router for the answer to the last message of a conversation, and keeps it there.

    One exchange is one answer. The answer's node is in the conversation from the first moment; closing the iterator of
    ``run``, or cancelling the task that reads it, stops the model and leaves the node with status ``cut``.

    Args:
        outgoing: makes what is asked.
        answering: who is asked.
        settle: awaited when the question must be on the disk, and again when the answer must.
        cost: see ``Cost``.
        clock: seconds, of any beginning.
    """

    def __init__(
        self,
        outgoing: Outgoing,
        answering: Answering,
        *,
        settle: Callable[[], Awaitable[object]] | None = None,
        cost: Cost = lambda model, usage: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outgoing, self._answering = outgoing, answering
        self._settle, self._cost, self._clock = settle, cost, clock

    @property
    def left_out(self) -> frozenset[str]:
        """The messages that were left out."""
        return self._outgoing.left_out

    async def run(self, node_id: str) -> AsyncGenerator[ExchangeEvent, None]:
        """Answers the message ``node_id``; a second answer to it becomes a version beside the first.

        Ends with ``AnswerEnded``; an error of the family is in its node and is not raised.
        """
        conversation = self._outgoing.conversation
        path = conversation.path_to(node_id)
        node = conversation.branch(node_id, Message.assistant(""), model=self._outgoing.model, status="streaming")
        # Who asks again wants another answer, not the one that may be remembered.
        again = len(conversation.siblings(node.id)) > 1
        async with aclosing(self._answer(node, path, fresh=again)) as events:
            async for event in events:
                yield event

    async def go_on(self, answer_id: str) -> AsyncGenerator[ExchangeEvent, None]:
        """Goes on with an answer that was cut, from its last word; events and errors as in ``run``."""
        conversation = self._outgoing.conversation
        node = conversation.node(answer_id)
        path = conversation.path_to(answer_id)
        node = conversation.save(msgspec.structs.replace(node, status="streaming", error=None, finish=None))
        async with aclosing(self._answer(node, path, fresh=False)) as events:
            async for event in events:
                yield event

    async def _answer(self, node: Node, path: tuple[Node, ...], *, fresh: bool) -> AsyncGenerator[ExchangeEvent, None]:
        answer = KeptAnswer(self._outgoing.conversation, node, cost=self._cost, clock=self._clock)
        finished: Finished | None = None
        try:
            yield AnswerBegun(node)
            if self._settle is not None:
                await self._settle()  # what the person said is kept before anything else happens
            recalled = await self._outgoing.recall(path)
            if isinstance(recalled, RecalledNow):
                answer.quote(map(quoted, recalled.passages))
            if recalled is not None:
                yield recalled
            async with aclosing(self._deltas(path, fresh=fresh)) as deltas:
                async for delta in deltas:
                    if isinstance(delta, TextDelta | ThinkingDelta):
                        yield answer.take(delta)
                    elif isinstance(delta, Finished):
                        finished = delta
                    elif isinstance(delta, Rerouted):
                        answer.rerouted(delta)
                        yield delta
                    elif isinstance(delta, Started):
                        answer.started(delta)
                        if self._outgoing.quotes_here_alone and delta.backend != HERE:
                            answer.quote(())
                            yield RecalledNow(())  # it went no further than this machine
                        yield delta
                    elif isinstance(delta, Waiting | LeftOut):
                        yield delta
        except PlaygroundError as error:
            ended = answer.save("failed", error=Failure.of(error))
        except (asyncio.CancelledError, GeneratorExit):
            answer.save("cut")
            raise
        except BaseException:
            # A fault of the program itself: what came is kept, and whoever runs us reports it.
            answer.save("failed")
            raise
        else:
            ended = answer.save("complete", finished=finished)
        if self._settle is not None:
            await self._settle()
        yield AnswerEnded(ended)

    async def _deltas(self, path: tuple[Node, ...], *, fresh: bool) -> AsyncGenerator[Delta | LeftOut, None]:
        """Asks with as much of the conversation as fits, and with less when the model finds it too much."""
        outgoing = self._outgoing
        for tightness in _TIGHTER:
            request = msgspec.structs.replace(outgoing.request(path, tightness), fresh=fresh)
            if outgoing.left_out:
                yield LeftOut(len(outgoing.left_out))
            try:
                async with aclosing(self._answering.stream(request)) as deltas:
                    async for delta in deltas:
                        if isinstance(delta, Started) and delta.context:
                            outgoing.window = delta.context
                        yield delta
                return
            except ContextOverflowError:
                if tightness == _TIGHTER[-1] or not outgoing.window or len(path) == len(outgoing.left_out) + 1:
                    raise


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
