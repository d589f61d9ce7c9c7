"""How one protocol of providers is spoken: requests out, answers in. No input and output here, only words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from app.errors import TranslationError
from app.messages import ChatRequest, Delta

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


def cannot(what: str, whom: str, remedy: str = "Leave it out, or ask another model.") -> TranslationError:
    """That ``whom`` has no words for ``what``."""
    return TranslationError(f"{whom} cannot be asked for {what}.", remedy)
