"""Headers that never go on, whatever the rules of an endpoint say: RFC 9110, section 7.6.1, and credentials."""

from __future__ import annotations

from collections.abc import Mapping

OF_THE_CONNECTION = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authentication-info",
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
        "content-type",
        "accept-encoding",
        "expect",
        "sec-websocket-key",
        "sec-websocket-version",
        "sec-websocket-extensions",
        "sec-websocket-protocol",
    }
)
"""What belongs to one connection or to one body: ours is set by what sends it."""

CREDENTIALS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "cookie2",
        "set-cookie",
        "x-api-key",
        "api-key",
        "apikey",
        "x-auth-token",
        "x-access-token",
        "x-csrf-token",
        "x-xsrf-token",
        "x-goog-api-key",
        "x-amz-security-token",
        "ocp-apim-subscription-key",
        "openai-organization",
        "openai-project",
        "x-playground-key",
    }
)
"""What a client shows us to be let in. It is none of a provider's business."""

_NEVER_SENT = OF_THE_CONNECTION | {"proxy-authorization"}
_OF_ANSWERS = frozenset({"content-type", "x-request-id", "request-id", "retry-after", "cf-ray", "x-served-by"})
_FAMILIES_OF_ANSWERS = ("openai-", "anthropic-", "x-ratelimit-", "ratelimit-")


def from_client(headers: Mapping[str, str]) -> dict[str, str]:
    """Those of a client's headers that rules may let through, with lower-case names."""
    lower = {name.lower(): value for name, value in headers.items()}
    named = {name.strip().lower() for name in lower.get("connection", "").split(",")}
    never = OF_THE_CONNECTION | CREDENTIALS | named
    return {
        name: value
        for name, value in lower.items()
        if name not in never and not name.startswith(("x-forwarded-", "proxy-"))
    }


def outgoing(changed: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """What is sent: what rules left, without what holds between neighbours, under the endpoint's own."""
    kept = {name.lower(): value for name, value in changed.items()}
    return {name: value for name, value in kept.items() if name not in _NEVER_SENT} | dict(own)


def to_client(headers: Mapping[str, str]) -> dict[str, str]:
    """Those of an answer's headers that may go on to a client."""
    return {
        name: value
        for name, value in headers.items()
        if name in _OF_ANSWERS or (name.startswith(_FAMILIES_OF_ANSWERS) and name != "openai-organization")
    }
