"""Who waits for what a worker says."""

from __future__ import annotations

import asyncio
from typing import Any

from app.engine.frames import (
    Counted,
    Embedded,
    Event,
    Failed,
    Prefilling,
    Status,
    Step,
    Tokenized,
    Transcribed,
    Written,
)
from app.errors import PlaygroundError

from .hearing import Hearing
from .inbox import Inbox, error_of


class OpenRequests:
    """The requests of one worker that are not over, by their ids: answers, transcriptions, questions."""

    def __init__(self) -> None:
        self._inboxes: dict[int, Inbox] = {}
        self._hearings: dict[int, Hearing] = {}
        self._questions: dict[int, asyncio.Future[Any]] = {}

    def __len__(self) -> int:
        return len(self._inboxes) + len(self._hearings) + len(self._questions)

    @property
    def answers(self) -> int:
        """Answers that are being given or waited for."""
        return len(self._inboxes)

    def inbox(self, request_id: int) -> Inbox:
        """Where the pieces of an answer will be."""
        found = self._inboxes[request_id] = Inbox()
        return found

    def hearing(self, request_id: int) -> Hearing:
        """Where what is heard will be."""
        found = self._hearings[request_id] = Hearing()
        return found

    def question(self, request_id: int) -> asyncio.Future[Any]:
        """What will hold the one event that answers; its kind is the asker's to check."""
        found = self._questions[request_id] = asyncio.get_running_loop().create_future()
        return found

    def forget(self, request_id: int) -> None:
        """A request is over; unknown ids are ignored."""
        self._inboxes.pop(request_id, None)
        self._hearings.pop(request_id, None)
        self._questions.pop(request_id, None)

    def receive(self, event: Event) -> None:
        """Gives an event to who waits for it; what nobody waits for is dropped."""
        match event:
            case Step(pieces):
                for piece in pieces:
                    if inbox := self._inboxes.get(piece.request_id):
                        inbox.piece(piece)
            case Prefilling(request_id):
                if inbox := self._inboxes.get(request_id):
                    inbox.prefilling(event)
            case Failed(request_id):
                self._fail(request_id, error_of(event))
            case Transcribed(request_id, heard, done):
                if hearing := self._hearings.get(request_id):
                    hearing.add(heard, done=done)
            case (
                Counted(request_id)
                | Tokenized(request_id)
                | Written(request_id)
                | Embedded(request_id)
                | Status(request_id)
            ):
                question = self._questions.get(request_id)
                if question is not None and not question.done():
                    question.set_result(event)
            case _:
                pass

    def fail_all(self, error: PlaygroundError) -> None:
        """Everybody who waits hears ``error``."""
        for request_id in (*self._inboxes, *self._hearings, *self._questions):
            self._fail(request_id, again(error))

    def fail_streams(self, *, answering: PlaygroundError, transcribing: PlaygroundError) -> None:
        """Those who read an answer hear one error, those who wait for what is heard another; questions go on."""
        for inbox in self._inboxes.values():
            inbox.fail(again(answering))
        for hearing in self._hearings.values():
            hearing.fail(again(transcribing))

    def _fail(self, request_id: int, error: PlaygroundError) -> None:
        if inbox := self._inboxes.get(request_id):
            inbox.fail(error)
        if hearing := self._hearings.get(request_id):
            hearing.fail(error)
        question = self._questions.get(request_id)
        if question is not None and not question.done():
            question.set_exception(error)


def again(error: PlaygroundError) -> PlaygroundError:
    """The same error as an object of its own: one that is raised in several tasks would mix their tracebacks."""
    return type(error)(error.message, error.remedy)
