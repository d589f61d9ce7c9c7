"""Headers that never go on, whatever the rules of an endpoint say: RFC 9110, section 7.6.1, and credentials."""

from __future__ import annotations

from collections.abc import Mapping

HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "trailers",
        "transfer-encoding",
        "upgrade",
        "http2-settings",
        "host",
        "content-length",
        "content-encoding",
        "expect",
    }
)
"""What holds between two neighbours only, or describes bytes that are made anew."""
CREDENTIALS = frozenset(
    {"authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "cookie2", "x-auth-token", "x-csrf-token"}
)
_OF_ANSWERS = frozenset({"content-type", "x-request-id", "request-id", "retry-after", "cf-ray", "x-served-by"})
_FAMILIES_OF_ANSWERS = ("openai-", "anthropic-", "x-ratelimit-", "ratelimit-")


def from_client(headers: Mapping[str, str]) -> dict[str, str]:
    """Those of a client's headers that rules may let through, with lower-case names."""
    lower = {name.lower(): value for name, value in headers.items()}
    named = {name.strip().lower() for name in lower.get("connection", "").split(",")}
    never = HOP_BY_HOP | CREDENTIALS | named
    return {name: value for name, value in lower.items() if name not in never and not name.startswith("x-forwarded-")}


def outgoing(changed: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """What is sent: what rules left, without what holds between neighbours, under the endpoint's own."""
    kept = {name.lower(): value for name, value in changed.items()}
    return {name: value for name, value in kept.items() if name not in HOP_BY_HOP} | dict(own)


def to_client(headers: Mapping[str, str]) -> dict[str, str]:
    """Those of an answer's headers that may go on to a client."""
    return {
        name: value
        for name, value in headers.items()
        if name in _OF_ANSWERS or (name.startswith(_FAMILIES_OF_ANSWERS) and name != "openai-organization")
    }
