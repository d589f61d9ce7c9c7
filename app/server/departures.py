"""Whether a client has left: told at once by whoever holds its connection, without a task that waits for it."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

from starlette.types import Scope

_DEPARTURE = "departure"
_WHOLE = "whole_body"


class Departure:
    """Of one connection's client.

    Attributes:
        happened: whether it has left.
    """

    __slots__ = ("_told", "happened")

    def __init__(self) -> None:
        self.happened = False
        self._told: list[Callable[[], object]] = []

    def tell(self, told: Callable[[], object]) -> None:
        """Calls ``told`` when it happens; from the event loop, once."""
        self._told.append(told)

    def forget(self, told: Callable[[], object]) -> None:
        """Calls ``told`` no more."""
        if told in self._told:
            self._told.remove(told)

    def happens(self) -> None:
        """The connection is lost."""
        self.happened = True
        told, self._told = self._told, []
        for one in told:
            one()


def departure_of(scope: Scope) -> Departure | None:
    """The departure of a connection's client; None where only ``receive`` tells of it."""
    found = scope.get("state", {}).get(_DEPARTURE)
    return found if isinstance(found, Departure) else None


def has_departure(state: MutableMapping[str, Any], departure: Departure) -> None:
    """Notes in a request's state who tells of it."""
    state[_DEPARTURE] = departure


def body_is_here(state: MutableMapping[str, Any]) -> None:
    """Notes in a request's state that its whole body has come."""
    state[_WHOLE] = True


def is_body_here(scope: Scope) -> bool:
    """Whether the whole body of a request has come, so that nobody need wait for it."""
    return bool(scope.get("state", {}).get(_WHOLE))
