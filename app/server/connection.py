"""One client's connection: whether the client has left, and what is known of it from one request to the next."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from starlette.types import Scope

if TYPE_CHECKING:
    from .gate.judging import Judged

_CONNECTION = "connection"
_WHOLE = "whole_body"


class Connection:
    """For all the requests that come on it. It tells at once when the client leaves, without a task that waits for it.

    Attributes:
        left: whether the client has left.
        judged: what the gate found of the last head that it let pass.
    """

    __slots__ = ("_told", "judged", "left")

    def __init__(self) -> None:
        self.left = False
        self.judged: Judged | None = None
        self._told: list[Callable[[], object]] = []

    def tell(self, told: Callable[[], object]) -> None:
        """Calls ``told`` when the client leaves; from the event loop, once."""
        self._told.append(told)

    def forget(self, told: Callable[[], object]) -> None:
        """Calls ``told`` no more."""
        if told in self._told:
            self._told.remove(told)

    def lost(self) -> None:
        """The client has left."""
        self.left = True
        told, self._told = self._told, []
        for one in told:
            one()


def connection_of(scope: Scope) -> Connection | None:
    """The connection of a request; None where only ``receive`` tells that its client leaves."""
    found = scope.get("state", {}).get(_CONNECTION)
    return found if isinstance(found, Connection) else None


def comes_on(state: MutableMapping[str, Any], connection: Connection) -> None:
    """Notes in a request's state on which connection it comes."""
    state[_CONNECTION] = connection


def body_is_here(state: MutableMapping[str, Any]) -> None:
    """Notes in a request's state that its whole body has come."""
    state[_WHOLE] = True


def is_body_here(scope: Scope) -> bool:
    """Whether the whole body of a request has come, so that nobody need wait for it."""
    return bool(scope.get("state", {}).get(_WHOLE))
