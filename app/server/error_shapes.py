"""Errors as each protocol's own clients expect them: one table for all, one shape a protocol.

OpenAI: https://platform.openai.com/docs/guides/error-codes. Anthropic: https://docs.anthropic.com/en/api/errors.
llama.cpp: tools/server/README.md. Ollama: docs/api.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from app.errors import PlaygroundError, RemoteError

from .remote_errors import remote_kind

Protocol = Literal["openai", "anthropic", "ollama", "llamacpp", "plain"]


class Kind(NamedTuple):
    """What an error is in each protocol: its status, and the words that clients decide by."""

    status: int
    openai: str
    openai_code: str | None
    anthropic: str
    llamacpp: str


_ASKED = "invalid_request_error"
_SERVER = Kind(500, "server_error", None, "api_error", "server_error")
_BAD = Kind(400, _ASKED, None, _ASKED, _ASKED)
_AWAY = Kind(503, "server_error", None, "overloaded_error", "unavailable_error")
_BUSY = _AWAY._replace(openai_code="server_busy")
_OVERLOADED = 529
_FORBIDDEN = Kind(403, _ASKED, None, "permission_error", "permission_error")

KINDS: Mapping[str, Kind] = {
    # What the gate refuses
    "host_refused": Kind(421, _ASKED, "host_refused", _ASKED, _ASKED),
    "origin_refused": _FORBIDDEN._replace(openai_code="origin_refused"),
    "invalid_api_key": Kind(401, _ASKED, "invalid_api_key", "authentication_error", "authentication_error"),
    "missing_scope": _FORBIDDEN._replace(openai_code="missing_scope"),
    "malformed_request": _BAD,
    "request_too_large": Kind(413, _ASKED, "request_too_large", "request_too_large", _ASKED),
    "unsupported_encoding": Kind(415, _ASKED, "unsupported_encoding", _ASKED, _ASKED),
    "headers_too_large": Kind(431, _ASKED, "headers_too_large", _ASKED, _ASKED),
    "request_timeout": Kind(408, _ASKED, "request_timeout", _ASKED, _ASKED),
    "rate_limit_exceeded": Kind(429, "requests", "rate_limit_exceeded", "rate_limit_error", "unavailable_error"),
    "insufficient_quota": Kind(
        429, "insufficient_quota", "insufficient_quota", "rate_limit_error", "unavailable_error"
    ),
    # What the parts below raise
    "busy": _BUSY,
    "vault_locked": _AWAY._replace(openai_code="vault_locked"),
    "offline": _AWAY._replace(openai_code="offline"),
    "limits_unavailable": _AWAY._replace(openai_code="limits_unavailable"),
    "worker_died": Kind(500, "server_error", "worker_died", "api_error", "server_error"),
    "model_not_installed": Kind(404, _ASKED, "model_not_found", "not_found_error", "not_found_error"),
    "unknown_model": Kind(404, _ASKED, "model_not_found", "not_found_error", "not_found_error"),
    "unknown_session": Kind(404, _ASKED, "not_found", "not_found_error", "not_found_error"),
    "unknown_key": Kind(404, _ASKED, "not_found", "not_found_error", "not_found_error"),
    "unknown_user": Kind(404, _ASKED, "not_found", "not_found_error", "not_found_error"),
    "context_overflow": Kind(400, _ASKED, "context_length_exceeded", _ASKED, "exceed_context_size_error"),
    "invalid_request": _BAD,
    "not_supported": Kind(501, _ASKED, "not_supported", _ASKED, "not_supported_error"),
    "import_format": _BAD,
    "access": _FORBIDDEN,
    "local_only": _FORBIDDEN._replace(openai_code="local_only"),
    "not_translatable": _BAD._replace(openai_code="not_translatable"),
    "redaction": _SERVER._replace(openai_code="redaction"),
}
"""By the error's code; what is not here is the server's own failure."""

_LLAMACPP = frozenset(
    {
        "/completion",
        "/completions",
        "/chat/completions",
        "/embedding",
        "/embeddings",
        "/tokenize",
        "/detokenize",
        "/apply-template",
        "/infill",
        "/props",
        "/slots",
        "/models",
        "/rerank",
        "/reranking",
    }
)
_BY_STATUS = {
    400: _BAD,
    401: KINDS["invalid_api_key"],
    403: _FORBIDDEN,
    404: Kind(404, _ASKED, "not_found", "not_found_error", "not_found_error"),
    405: Kind(405, _ASKED, "method_not_allowed", _ASKED, _ASKED),
    413: KINDS["request_too_large"],
    422: _BAD,
    429: KINDS["rate_limit_exceeded"],
    501: KINDS["not_supported"],
    503: _AWAY,
    _OVERLOADED: _BUSY,
}


def protocol_of(path: str) -> Protocol:
    """Whose clients ask at this path."""
    if path == "/v1/messages" or path.startswith("/v1/messages/"):
        return "anthropic"
    if path.startswith("/v1/"):
        return "openai"
    if path.startswith("/api/"):
        return "ollama"
    if path in _LLAMACPP or path.startswith(("/slots/", "/lora-adapters")):
        return "llamacpp"
    return "plain"


def kind_of(error: PlaygroundError) -> Kind:
    """What an error is; a class that is not in the table is looked up by its bases."""
    remote = remote_kind(error)
    if remote is not None:
        asked = remote.status < 500
        limited = remote.status == 429
        return Kind(
            remote.status,
            "requests" if limited else _ASKED if asked else "server_error",
            "rate_limit_exceeded" if limited else error.code,
            remote.anthropic,
            _ASKED if asked and not limited else "unavailable_error",
        )
    for cls in type(error).__mro__:
        kind = KINDS.get(getattr(cls, "code", ""))
        if kind is not None:
            return kind
    return _SERVER


def status_of(error: PlaygroundError, path: str = "") -> int:
    """The HTTP status of an error, for who asked at ``path``."""
    return _kind_at(path, error).status


def _kind_at(path: str, error: PlaygroundError) -> Kind:
    kind = kind_of(error)
    # Anthropic's clients know a server that has too much to do by a number of its own.
    overloaded = kind is _BUSY or (kind.anthropic == "overloaded_error" and isinstance(error, RemoteError))
    return kind._replace(status=_OVERLOADED) if overloaded and protocol_of(path) == "anthropic" else kind


def shape(path: str, error: PlaygroundError, status: int | None = None) -> tuple[bytes, dict[str, str]]:
    """The body and headers that say an error in the words of the protocol at ``path``.

    Args:
        path: ``scope["path"]`` of the request.
        error: what happened. Its attributes ``param`` (OpenAI's name of what is wrong), ``retry_after_s`` and a
            remote model's ``retry_after`` are used where it has them.
        status: what is answered; without it, what the table says. Another one than the table's also chooses other
            words, so that body and status agree.

    Returns:
        JSON, and headers by lower-case name; ``retry-after`` is among them when waiting helps.
    """
    kind = _kind_at(path, error)
    if status is not None and status != kind.status:
        kind = _BY_STATUS.get(status, _SERVER if status >= 500 else _BAD)._replace(status=status)
    body = msgspec.json.encode(_SHAPES[protocol_of(path)](error, kind))
    headers = {"content-type": "application/json", "content-length": str(len(body))}
    wait = error.retry_after if isinstance(error, RemoteError) else getattr(error, "retry_after_s", None)
    if wait is None and kind.status in (503, _OVERLOADED) and kind is not _SERVER:
        wait = 1
    if wait is not None:
        headers["retry-after"] = str(max(1, math.ceil(wait)))
    if kind.status == 401:
        headers["www-authenticate"] = 'Bearer realm="playground"'
    return body, headers


def _openai(error: PlaygroundError, kind: Kind) -> Any:
    return {
        "error": {
            "message": str(error),
            "type": kind.openai,
            "param": getattr(error, "param", None),
            "code": kind.openai_code,
        }
    }


def _anthropic(error: PlaygroundError, kind: Kind) -> Any:
    return {"type": "error", "error": {"type": kind.anthropic, "message": str(error)}}


def _ollama(error: PlaygroundError, kind: Kind) -> Any:
    return {"error": str(error)}


def _llamacpp(error: PlaygroundError, kind: Kind) -> Any:
    return {"error": {"code": kind.status, "message": str(error), "type": kind.llamacpp}}


def _plain(error: PlaygroundError, kind: Kind) -> Any:
    return {"error": {"code": error.code, "message": error.message, "remedy": error.remedy}}


_SHAPES: Mapping[Protocol, Callable[[PlaygroundError, Kind], Any]] = {
    "openai": _openai,
    "anthropic": _anthropic,
    "ollama": _ollama,
    "llamacpp": _llamacpp,
    "plain": _plain,
}
