"""What is changed on the way to a provider and back, in the provider's own words: the seam between wire and router."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

WireProtocol = Literal["openai-chat", "openai-completions", "openai-responses", "anthropic", "ollama"]
JsonObject = dict[str, Any]


class WireExchange(Protocol):
    """The changes to one request and its answer. It keeps state, and is used for one attempt only.

    A backend calls ``headers`` and ``body`` once, then either ``answer`` once, or ``event`` for each streamed event and
    ``end`` after the last. Bodies and events may be changed in place; what is returned counts.
    """

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """The request's headers, before the endpoint's own (credentials, content type) are set over them."""
        ...

    def body(self, body: JsonObject) -> JsonObject:
        """The request's body as it is sent.

        Raises:
            PlaygroundError: when it cannot be made fit to be sent; nothing is sent then.
        """
        ...

    def answer(self, body: JsonObject) -> JsonObject:
        """A whole answer's body."""
        ...

    def event(self, event: JsonObject) -> Sequence[JsonObject]:
        """What is given on for one streamed event: itself, changed or not; nothing while it is held back; or more."""
        ...

    def end(self) -> Sequence[JsonObject]:
        """What was still held back when the stream ended."""
        ...


class WireRules(Protocol):
    """Rules of one endpoint, compiled when the configuration is read."""

    def exchange(self, protocol: WireProtocol) -> WireExchange:
        """A fresh exchange for one attempt in this protocol."""
        ...


def changes_events(exchange: WireExchange) -> bool:
    """Whether events must be read for ``exchange``; asked once its body is made.

    An exchange that knows that it changes none says so in an attribute ``changes_events``; what streams through
    unchanged is not even decoded then.
    """
    return bool(getattr(exchange, "changes_events", True))


def changes_bodies(exchange: WireExchange) -> bool:
    """Whether ``exchange`` may change a request's body in place; one that knows better says ``changes_bodies``."""
    return bool(getattr(exchange, "changes_bodies", True))


def wants_headers(exchange: WireExchange) -> bool:
    """Whether any of a client's headers may go on; an exchange that knows that none does says ``wants_headers``.

    What such a one sends is the same with every request, and is asked for once.
    """
    return bool(getattr(exchange, "wants_headers", True))


class NoChange:
    """An exchange that changes nothing; also the rules that make it."""

    changes_events = changes_bodies = wants_headers = False

    def exchange(self, protocol: WireProtocol) -> NoChange:
        """Itself: it keeps no state."""
        return self

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """No header of a client goes on."""
        return {}

    def body(self, body: JsonObject) -> JsonObject:
        """The same body."""
        return body

    def answer(self, body: JsonObject) -> JsonObject:
        """The same body."""
        return body

    def event(self, event: JsonObject) -> Sequence[JsonObject]:
        """The same event."""
        return (event,)

    def end(self) -> Sequence[JsonObject]:
        """Nothing was held back."""
        return ()


class Chained:
    """Several rules as one: on the way out the first is applied first, on the way back last."""

    def __init__(self, rules: Sequence[WireRules]) -> None:
        self._rules = tuple(rules)

    def exchange(self, protocol: WireProtocol) -> WireExchange:
        """A fresh exchange of each."""
        return _ChainedExchange([rules.exchange(protocol) for rules in self._rules])

    @property
    def secrets(self) -> tuple[str, ...]:
        """What any of them has from the environment, to be masked wherever something is written down."""
        return tuple(secret for rules in self._rules for secret in getattr(rules, "secrets", ()))


class _ChainedExchange:
    def __init__(self, exchanges: Sequence[WireExchange]) -> None:
        self._out = tuple(exchanges)
        self._back = tuple(reversed(exchanges))

    @property
    def changes_events(self) -> bool:
        return any(changes_events(exchange) for exchange in self._back)

    @property
    def changes_bodies(self) -> bool:
        return any(changes_bodies(exchange) for exchange in self._out)

    @property
    def wants_headers(self) -> bool:
        return all(wants_headers(exchange) for exchange in self._out)

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        changed = dict(headers)
        for exchange in self._out:
            changed = exchange.headers(changed)
        return changed

    def body(self, body: JsonObject) -> JsonObject:
        for exchange in self._out:
            body = exchange.body(body)
        return body

    def answer(self, body: JsonObject) -> JsonObject:
        for exchange in self._back:
            body = exchange.answer(body)
        return body

    def event(self, event: JsonObject) -> Sequence[JsonObject]:
        return self._through(self._back, [event])

    def end(self) -> Sequence[JsonObject]:
        # What one held back still passes those after it, each of which then gives its own.
        events: list[JsonObject] = []
        for place, exchange in enumerate(self._back):
            events = [*events, *self._through(self._back[place + 1 :], exchange.end())]
        return events

    @staticmethod
    def _through(exchanges: Sequence[WireExchange], events: Sequence[JsonObject]) -> Sequence[JsonObject]:
        for exchange in exchanges:
            events = [changed for event in events for changed in exchange.event(event)]
        return events
