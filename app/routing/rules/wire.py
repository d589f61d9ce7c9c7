"""An endpoint's compiled rules at work: on a request, on a whole answer, on the events of a streamed one.

A path is looked up in each event by itself. A pattern is looked up in the texts that the events carry together, so a
match that is spread over several is found; see ``replacing`` for what is held back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from msgspec import Struct

from app.backends.event_texts import TextStream, filter_answer
from app.backends.rules import JsonObject, WireProtocol
from app.errors import InvalidRequestError, RemoteError

from .headers import HeaderChoice
from .request_texts import change_texts

if TYPE_CHECKING:
    from .replacing import Replacement


@runtime_checkable
class OnBodies(Protocol):
    """A change of a body's shape: a path that is dropped from it, or added."""

    def apply(self, body: JsonObject, *, create: bool = False) -> None:
        """Changes ``body`` in place; ``create`` makes missing objects on the way to what is added.

        Raises:
            ValueError: when the body nests deeper than it can look.
        """
        ...


class Paths(Struct, frozen=True):
    """Paths dropped and added, one after the other."""

    changes: tuple[OnBodies, ...]

    def apply(self, body: JsonObject, *, create: bool = False) -> None:
        """Changes ``body`` in place; ``create`` makes missing objects on the way to what is added."""
        for change in self.changes:
            change.apply(body, create=create)


class Texts(Struct, frozen=True):
    """Patterns replaced in texts, one after the other."""

    replacements: tuple[Replacement, ...]

    def request(self, protocol: WireProtocol, body: JsonObject) -> None:
        """Changes the texts of a request in place."""
        from .replacing import ReplacingWhole, replaced

        several = self.replacements
        change_texts(protocol, body, lambda text: replaced(several, text), lambda: ReplacingWhole(several))

    def answer(self, protocol: WireProtocol, body: JsonObject) -> None:
        """Changes the texts of an answer in place."""
        from .replacing import ReplacingWhole

        filter_answer(protocol, body, lambda: ReplacingWhole(self.replacements))

    def stream(self, protocol: WireProtocol) -> TextStream:
        """For the events of one streamed answer."""
        from .replacing import Replacing

        return TextStream(protocol, lambda: Replacing(self.replacements))


Step = Paths | Texts


class EndpointRules:
    """The rules of one endpoint: ``WireRules``.

    Args:
        headers: which of the client's go on.
        out: what is done to requests, in order.
        back: what is done to answers, in order.
    """

    def __init__(self, headers: HeaderChoice, out: Sequence[Step], back: Sequence[Step]) -> None:
        self._headers, self._out, self._back = headers, tuple(out), tuple(back)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that came from the environment, to be masked wherever something is written down."""
        return self._headers.secrets

    def exchange(self, protocol: WireProtocol) -> EndpointExchange:
        """A fresh exchange for one attempt."""
        return EndpointExchange(protocol, self._headers, self._out, self._back)


class EndpointExchange:
    """The rules on one request and its answer: a ``WireExchange``."""

    def __init__(
        self, protocol: WireProtocol, headers: HeaderChoice, out: tuple[Step, ...], back: tuple[Step, ...]
    ) -> None:
        self._protocol = protocol
        self._headers, self._out, self._back = headers, out, back
        self._stages: tuple[Paths | TextStream, ...] | None = None

    @property
    def changes_events(self) -> bool:
        """Whether any rule is for answers; see ``app.backends.rules.changes_events``."""
        return bool(self._back)

    @property
    def changes_bodies(self) -> bool:
        """Whether any rule is for requests; see ``app.backends.rules.changes_bodies``."""
        return bool(self._out)

    @property
    def wants_headers(self) -> bool:
        """Whether any header of a client may go on; see ``app.backends.rules.wants_headers``."""
        return self._headers.lets_pass

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """The client's headers that go on, with those that the rules set.

        Raises:
            InvalidRequestError: when one of them could be read as more than one.
        """
        return self._headers.apply(headers)

    def body(self, body: JsonObject) -> JsonObject:
        """The request's body, changed in place.

        Raises:
            InvalidRequestError: when it nests deeper than the rules can look.
        """
        for step in self._out:
            if isinstance(step, Texts):
                step.request(self._protocol, body)
                continue
            try:
                step.apply(body, create=True)
            except ValueError as error:
                raise InvalidRequestError(
                    f"The request nests too deeply for the rule {error}; it was not sent."
                ) from error
        return body

    def answer(self, body: JsonObject) -> JsonObject:
        """A whole answer's body, changed in place.

        Raises:
            RemoteError: when it nests deeper than the rules can look.
        """
        for step in self._back:
            if isinstance(step, Texts):
                step.answer(self._protocol, body)
            else:
                _on_answer(step, body)
        return body

    def event(self, event: JsonObject) -> Sequence[JsonObject]:
        """What is given on for one streamed event.

        Raises:
            RemoteError: when it nests deeper than the rules can look.
        """
        return self._through(self._opened(), [event])

    def end(self) -> Sequence[JsonObject]:
        """What was still held back when the stream ended."""
        stages = self._opened()
        events: list[JsonObject] = []
        for place, stage in enumerate(stages):
            if isinstance(stage, TextStream):
                events += self._through(stages[place + 1 :], stage.end())
        return events

    def _opened(self) -> tuple[Paths | TextStream, ...]:
        if self._stages is None:
            self._stages = tuple(
                step.stream(self._protocol) if isinstance(step, Texts) else step for step in self._back
            )
        return self._stages

    @staticmethod
    def _through(stages: tuple[Paths | TextStream, ...], events: Sequence[JsonObject]) -> Sequence[JsonObject]:
        for stage in stages:
            if isinstance(stage, TextStream):
                events = [changed for event in events for changed in stage.event(event)]
            else:
                for event in events:
                    _on_answer(stage, event)
        return events


def _on_answer(step: Paths, body: JsonObject) -> None:
    try:
        step.apply(body)
    except ValueError as error:
        raise RemoteError(f"The answer nests too deeply for the rule {error}.") from error
