"""What failures of remote models are to our own clients: never what would read as a verdict of this server's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from app.backends.rules import WireProtocol
from app.errors import CredentialError, PlaygroundError, RemoteBusyError, RemoteError, RemoteTimeoutError

_PASSED = frozenset({400, 404, 409, 413, 422, 429})
"""A provider's status that the client of this server can do something about."""


class RemoteKind(NamedTuple):
    """A status, and the word of Anthropic's for it."""

    status: int
    anthropic: str


_REFUSED: Mapping[int | None, RemoteKind] = {
    400: RemoteKind(400, "invalid_request_error"),
    404: RemoteKind(404, "not_found_error"),
    413: RemoteKind(413, "request_too_large"),
    422: RemoteKind(422, "invalid_request_error"),
}


def remote_kind(error: PlaygroundError) -> RemoteKind | None:
    """How an error of a remote model is answered; ``None`` where it is none.

    A key that the provider refuses, or that is missing, is this server's trouble and no client's: 502, as what is
    refused for good and is not about the request.
    """
    if isinstance(error, CredentialError):
        return RemoteKind(502, "api_error")
    if not isinstance(error, RemoteError):
        return None
    if isinstance(error, RemoteTimeoutError):
        return RemoteKind(504, "timeout_error")
    if isinstance(error, RemoteBusyError):
        return RemoteKind(429, "rate_limit_error") if error.status == 429 else RemoteKind(503, "overloaded_error")
    return _REFUSED.get(error.status, RemoteKind(502, "api_error"))


def own_words(error: PlaygroundError, protocol: WireProtocol, status: int) -> bytes | None:
    """What a provider said of a request that passed through, when its client may read it as it is.

    Args:
        error: secrets are out of its body already.
        protocol: of the request, and so of the body.
        status: what will be answered.
    """
    if not isinstance(error, RemoteError) or not error.body or error.status != status or status not in _PASSED:
        return None
    try:
        said: Any = msgspec.json.decode(error.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    fits = isinstance(said.get("error"), str if protocol == "ollama" else dict)
    return error.body if fits and (protocol != "anthropic" or said.get("type") == "error") else None
