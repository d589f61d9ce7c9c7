"""One turn: a question, the answer as it streams, and what is kept of it whatever happens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Protocol

import msgspec
from msgspec import Struct

from app.errors import PlaygroundError
from app.messages import (
    ChatRequest,
    Delta,
    Finished,
    Message,
    Sampling,
    Started,
    TextDelta,
    ThinkingDelta,
    Waiting,
)

from .context import messages_for
from .conversation import Conversation, Failure, Node, NodeStatus

SAVE_EVERY = 1.0
"""Seconds between savings of an answer that still streams: the most that a crash can lose."""


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


class AnswerEnded(Struct, frozen=True):
    """The answer is over and kept: complete, or failed with what had come."""

    node: Node


ExchangeEvent = AnswerBegun | Waiting | Started | TextArrived | ThinkingArrived | AnswerEnded


class Exchange:
    """Asks the router for the answer to the last message of a conversation, and keeps it there.

    One exchange is one answer. The answer's node is in the conversation from the first moment; closing the iterator of
    ``run``, or cancelling the task that reads it, stops the model and leaves the node with status ``cut``.
    """

    def __init__(
        self,
        conversation: Conversation,
        answering: Answering,
        *,
        model: str,
        sampling: Sampling = Sampling(),  # noqa: B008 (immutable)
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._conversation = conversation
        self._answering = answering
        self._model = model
        self._sampling = sampling
        self._clock = clock
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._first_token: float | None = None
        self._saved_at = 0.0

    async def run(self, question_id: str) -> AsyncGenerator[ExchangeEvent, None]:
        """Answers the message ``question_id``; a second answer to it becomes a version beside the first.

        Ends with ``AnswerEnded``; an error of the family is in its node and is not raised.
        """
        conversation = self._conversation
        request = ChatRequest(
            model=self._model,
            messages=messages_for(conversation.path_to(question_id), conversation.system),
            sampling=self._sampling,
        )
        node = conversation.branch(question_id, Message.assistant(""), model=self._model, status="streaming")
        began = self._saved_at = self._clock()
        finished: Finished | None = None
        try:
            yield AnswerBegun(node)
            async with aclosing(self._answering.stream(request)) as deltas:
                async for delta in deltas:
                    if isinstance(delta, TextDelta | ThinkingDelta):
                        yield self._keep(node, delta, began)
                    elif isinstance(delta, Finished):
                        finished = delta
                    elif isinstance(delta, Waiting | Started):
                        yield delta
        except PlaygroundError as error:
            yield AnswerEnded(self._save(node, "failed", error=Failure.of(error)))
            return
        except (asyncio.CancelledError, GeneratorExit):
            self._save(node, "cut")
            raise
        except BaseException:
            # A fault of the program itself: what came is kept, and whoever runs us reports it.
            self._save(node, "failed")
            raise
        yield AnswerEnded(self._save(node, "complete", finished=finished))

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
            self._saved_at = now
            self._save(node, "streaming")
        return event

    def _save(
        self, node: Node, status: NodeStatus, *, finished: Finished | None = None, error: Failure | None = None
    ) -> Node:
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
            )
        )
