"""Which failures are worth another try, where, and after how long."""

from __future__ import annotations

from collections.abc import Callable

from app.errors import (
    CatalogueError,
    CredentialError,
    EngineError,
    IntegrityError,
    LocalOnlyError,
    PlaygroundError,
    RedactionError,
    RemoteBusyError,
    RemoteError,
    RemoteRefusedError,
    RemoteTimeoutError,
    RemoteUnreachableError,
    StreamBrokenError,
    VaultError,
)

FIRST_S = 0.5
LONGEST_S = 8.0
RETRY_AFTER_S = 60.0
"""A provider that asks for a longer wait is not waited for."""
PATIENCE_S = 0.5
"""All the waiting between tries of one model, where another can answer instead."""

_TOO_MANY = 429
_RETRIED = frozenset({408, 409, 425, _TOO_MANY})
_ANOTHER_MAY = frozenset({401, 402, 403, 404, 405, 407, 410, 421, _TOO_MANY, 451})
"""What one provider refuses and another may not: its key, its bill, its list of models. A wrong request stays wrong."""


def is_retried(error: PlaygroundError) -> bool:
    """Whether the same model may be asked again: what passes by itself."""
    if isinstance(error, RemoteRefusedError) and (error.status not in _RETRIED or error.status == _TOO_MANY):
        return False  # a quota that is used up says 429 as well, and no waiting helps
    if isinstance(error, RemoteUnreachableError | RemoteTimeoutError | RemoteBusyError | StreamBrokenError):
        return True
    return isinstance(error, RemoteError) and (
        error.status is None or error.status in _RETRIED or 500 <= error.status < 600
    )


def is_failed_over(error: PlaygroundError) -> bool:
    """Whether another model is asked instead: everything but what is wrong with the request itself."""
    if is_retried(error):
        return True
    if isinstance(error, RemoteError):
        return error.status in _ANOTHER_MAY
    return isinstance(
        error,
        CredentialError | LocalOnlyError | RedactionError | EngineError | IntegrityError | CatalogueError | VaultError,
    )


def is_the_places_fault(error: PlaygroundError) -> bool:
    """Whether the place, and not this request, is surely the cause."""
    if isinstance(error, RemoteUnreachableError | RemoteBusyError):
        return True
    return isinstance(error, RemoteError) and error.status in (_TOO_MANY, 502, 503, 504, 529)


class Backoff:
    """The waits of one request between its tries: doubling from 0.5 to 8 s, each a random part of that (full jitter).

    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.

    Args:
        random: a number of [0, 1).
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._bound = FIRST_S

    def next(self, retry_after: float | None = None) -> float | None:
        """Seconds to wait now; at least what the provider asked for. ``None`` when that is too long to be waited."""
        wait = self._random() * self._bound
        self._bound = min(LONGEST_S, self._bound * 2)
        if retry_after is None:
            return wait
        return retry_after + wait if retry_after <= RETRY_AFTER_S else None
