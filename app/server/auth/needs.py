"""The table of what each route needs. What is not in it needs everything.

Decided by ``scope["path"]`` and the method alone: the Host header has no part in it, as it would in ``request.url``
(CVE-2026-48710).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.privacy.connections import is_loopback
from app.vault.access.api_keys import Scope

WEBSOCKET = "WEBSOCKET"
"""Stands for the method of a WebSocket."""


@dataclass(frozen=True)
class Need:
    """What a principal must have: one of ``scopes``, or, where there are none, only a valid key."""

    public: bool = False
    scopes: tuple[Scope, ...] = ()


PUBLIC = Need(public=True)
ANY_KEY = Need()
CHAT = Need(scopes=("chat",))
EMBED = Need(scopes=("embed",))
ADMIN = Need(scopes=("admin",))

_READ = {"GET": ANY_KEY, "HEAD": ANY_KEY}
_POST_CHAT = {"POST": CHAT}
_POST_EMBED = {"POST": EMBED}
_PUBLIC_GET = {"GET": PUBLIC, "HEAD": PUBLIC}

_EXACT: Mapping[str, Mapping[str, Need]] = {
    # Everybody
    "/": _PUBLIC_GET,
    "/health": _PUBLIC_GET,
    "/v1/health": _PUBLIC_GET,
    "/readiness": _PUBLIC_GET,
    "/docs": _PUBLIC_GET,
    "/openapi.json": _PUBLIC_GET,
    "/collection.json": _PUBLIC_GET,
    "/auth/login": {"POST": PUBLIC},
    "/auth/refresh": {"POST": PUBLIC},
    "/auth/logout": {"POST": ANY_KEY},
    "/auth/me": _READ,
    "/usage": _READ,
    # OpenAI and Anthropic
    "/v1/models": _READ,
    "/v1/chat/completions": _POST_CHAT,
    "/v1/completions": _POST_CHAT,
    "/v1/responses": _POST_CHAT,
    "/v1/audio/transcriptions": _POST_CHAT,
    "/v1/audio/translations": _POST_CHAT,
    "/v1/messages": _POST_CHAT,
    "/v1/messages/count_tokens": _POST_CHAT,
    "/v1/embeddings": _POST_EMBED,
    "/v1/chat/ws": {WEBSOCKET: CHAT},
    # llama.cpp
    "/completion": _POST_CHAT,
    "/completions": _POST_CHAT,
    "/chat/completions": _POST_CHAT,
    "/infill": _POST_CHAT,
    "/tokenize": _POST_CHAT,
    "/detokenize": _POST_CHAT,
    "/apply-template": _POST_CHAT,
    "/embedding": _POST_EMBED,
    "/embeddings": _POST_EMBED,
    "/models": _READ,
    "/props": _READ,
    "/slots": _READ,
    # Ollama
    "/api/chat": _POST_CHAT,
    "/api/generate": _POST_CHAT,
    "/api/embed": _POST_EMBED,
    "/api/embeddings": _POST_EMBED,
    "/api/tags": _READ,
    "/api/ps": _READ,
    "/api/version": _READ,
    "/api/show": {"POST": ANY_KEY},
    # Ours
    "/metrics": {"GET": ADMIN, "HEAD": ADMIN},  # unless the settings say otherwise: metrics_need
    "/generate": _POST_CHAT,
    "/analyze": _POST_CHAT,
    "/models/loaded": _READ,
    "/models/load": {"POST": ADMIN},
    "/models/unload": {"POST": ADMIN},
    "/sessions": {"GET": ADMIN, "HEAD": ADMIN},
}
_BELOW: Mapping[str, Mapping[str, Need]] = {
    "/v1/models/": _READ,  # a model's name may hold slashes
    "/models/": _READ,
    "/v1/responses/": {"GET": CHAT, "DELETE": CHAT, "POST": CHAT},
    "/docs/": _PUBLIC_GET,
    "/sessions/": {"GET": ADMIN, "HEAD": ADMIN, "DELETE": ADMIN, "POST": ADMIN},
}


def needed(method: str, path: str) -> Need:
    """What a request needs; a route that is not in the table, or has other methods there, needs ``admin``."""
    return _methods(path).get(method, ADMIN)


def written_down(method: str, path: str) -> bool:
    """Whether the table says what a request needs; without a line of its own it needs ``admin``."""
    return method in _methods(path)


def _methods(path: str) -> Mapping[str, Need]:
    methods = _EXACT.get(path)
    if methods is None:
        methods = next((found for start, found in _BELOW.items() if path.startswith(start)), {})
    return methods


def listed(path: str) -> bool:
    """Whether the table has this very path: one of ours, that no client made up."""
    return path in _EXACT


def metrics_need(chosen: str, address: str) -> Need:
    """What reading ``/metrics`` needs.

    Args:
        chosen: ``observability.metrics`` of the settings.
        address: who asks.
    """
    if chosen == "key":
        return ANY_KEY
    return PUBLIC if chosen == "loopback" and is_loopback(address) else ADMIN
