"""How one protocol of providers is spoken: requests out, answers in. No input and output here, only words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.errors import StreamBrokenError, TranslationError
from app.messages import ChatRequest, Delta, Finished, Started

from .rules import JsonObject, WireProtocol


class AnswerReader(Protocol):
    """Reads one answer, event by event or whole. It keeps state, and is used for one answer only."""

    @property
    def done(self) -> bool:
        """Whether the provider has said its last word."""
        ...

    def mark(self) -> None:
        """The stream's own mark of its end came, which is no event: OpenAI's ``[DONE]``."""
        ...

    def event(self, event: JsonObject) -> Sequence[Delta]:
        """The deltas of one streamed event.

        Raises:
            RemoteError: the provider tells in the stream that it failed.
        """
        ...

    def whole(self, body: JsonObject) -> Sequence[Delta]:
        """The deltas of an answer that came in one piece; ``end`` gives the last one.

        Raises:
            RemoteError: it is no answer.
        """
        ...

    def end(self) -> Sequence[Delta]:
        """The last delta, ``Finished``, when the answer is whole.

        Raises:
            StreamBrokenError: it is not.
        """
        ...


class Dialect(Protocol):
    """One protocol. It keeps no state."""

    @property
    def protocol(self) -> WireProtocol:
        """Which one it is."""
        ...

    @property
    def path(self) -> str:
        """Where requests are posted to, below the endpoint's address."""
        ...

    def body(self, request: ChatRequest, *, stream: bool = True) -> JsonObject:
        """A request in the provider's words.

        Raises:
            TranslationError: it has none for something that would change what is answered.
        """
        ...

    def reader(self, model: str, backend: str) -> AnswerReader:
        """A fresh reader; the two names are told in ``Started``."""
        ...


class BodyMaker(Protocol):
    """Puts a request into a provider's words."""

    def __call__(self, request: ChatRequest, *, stream: bool) -> JsonObject:
        """See ``Dialect.body``."""
        ...


@dataclass(frozen=True)
class Spoken:
    """A ``Dialect`` of a function for requests and a class for answers.

    Attributes:
        protocol: which one it is.
        path: where requests are posted to.
        made: makes bodies.
        read: makes readers, of the names of the model and the backend.
    """

    protocol: WireProtocol
    path: str
    made: BodyMaker
    read: Callable[[str, str], AnswerReader]

    def body(self, request: ChatRequest, *, stream: bool = True) -> JsonObject:
        """See ``Dialect``."""
        return self.made(request, stream=stream)

    def reader(self, model: str, backend: str) -> AnswerReader:
        """See ``Dialect``."""
        return self.read(model, backend)


class EndTeller:
    """The part of an ``AnswerReader`` that is alike wherever one event says that the answer is whole, and all of it.

    Args:
        model: as it is told in ``Started``.
        backend: likewise.
    """

    def __init__(self, model: str, backend: str) -> None:
        self._model, self._backend = model, backend
        self._started = False
        self._finished: Finished | None = None

    @property
    def done(self) -> bool:
        """See ``AnswerReader``."""
        return self._finished is not None

    def mark(self) -> None:
        """See ``AnswerReader``; the last event says it here."""

    def end(self) -> Sequence[Delta]:
        """See ``AnswerReader``."""
        if self._finished is None:
            raise not_whole(self._backend)
        return ([] if self._started else [Started(self._model, self._backend)]) + [self._finished]


def not_whole(backend: str) -> StreamBrokenError:
    """That an answer ended too early."""
    return StreamBrokenError(f"{backend} ended its answer before it was whole.")


def cannot(what: str, whom: str, remedy: str = "Leave it out, or ask another model.") -> TranslationError:
    """That ``whom`` has no words for ``what``."""
    return TranslationError(f"{whom} cannot be asked for {what}.", remedy)
