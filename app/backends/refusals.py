"""From what a provider says of its failure to an error that a person can read.

A provider's words are cut short and freed of control characters here; secrets are masked where a request's are known,
in ``secrets.py``.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from app.errors import (
    RemoteBusyError,
    RemoteError,
    RemoteRefusedError,
    RemoteTimeoutError,
)

from .found import table, words

_MOST_WORDS = 500
_MOST_WAIT = 86_400.0
_NEVER = ("insufficient_quota", "billing_hard_limit_reached", "credit_balance_too_low")
_BUSY = (409, 425, 429, 503, 529)
_SLOW = (408, 504, 524)
_REMEDIES = {
    400: "Change the request, or ask another model.",
    401: "Check the key of this endpoint.",
    402: "Check the account at the provider.",
    403: "Check what the key of this endpoint may do.",
    404: "Check the model's name and the endpoint's address.",
    413: "Shorten the conversation, or leave out pictures.",
    422: "Change the request, or ask another model.",
}
_TOO_LONG = ("context_length_exceeded", "context length", "prompt is too long", "maximum context", "context window")
_KINDS: Mapping[str, int] = {
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "overloaded_error": 529,
    "timeout_error": 504,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "invalid_request_error": 400,
    "request_too_large": 413,
    "invalid_prompt": 400,
    "billing_error": 402,
}
"""What errors within a stream are called, by the status that they would have had."""


def refusal(
    endpoint: str, status: int, headers: Mapping[str, str], body: bytes, *, now: float | None = None
) -> RemoteError:
    """The error of an answer with an error's status.

    Args:
        endpoint: its name, for the message.
        status: of the answer.
        headers: with lower-case names.
        body: its beginning at least.
        now: seconds since 1970, to read a date by.
    """
    try:
        said: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = body.decode("utf-8", "replace") if _plain(headers) else ""
    error = error_of(endpoint, said, status, retry_after(headers, time.time() if now is None else now))
    error.body = body
    return error


def failure(endpoint: str, said: Any) -> RemoteError:
    """The error that a provider tells of within a stream: an object with ``error``, or a text."""
    found = table(said)
    inner = table(found.get("error")) or found
    code = inner.get("code")
    status = code if isinstance(code, int) and 400 <= code < 600 else None
    kind = words(code) or words(inner.get("type"))
    return error_of(endpoint, said, status or _KINDS.get(kind) or _KINDS.get(words(inner.get("type"))))


def error_of(endpoint: str, said: Any, status: int | None, wait: float | None = None) -> RemoteError:
    """An error of the right class.

    Args:
        endpoint: its name.
        said: what it says, decoded.
        status: None when it told none.
        wait: seconds that it asks us to wait.
    """
    told, code = _told(said)
    shown = f"{endpoint} answered {status}" if status is not None else f"{endpoint} failed"
    message = f"{shown}: {told}" if told else f"{shown}."
    if status is not None and 300 <= status < 400:
        return RemoteRefusedError(
            f"{shown} and names another address; it was not followed.",
            "Put the address that answers into the endpoint's url.",
            status=status,
        )
    if status in _SLOW:
        return RemoteTimeoutError(message, "Try again.", status=status, retry_after=wait)
    if status in _BUSY and code not in _NEVER:
        return RemoteBusyError(message, "Try again a little later.", status=status, retry_after=wait)
    if status is not None and 400 <= status < 500:
        remedy = _REMEDIES.get(402 if code in _NEVER else status, _REMEDIES[400])
        if code in _TOO_LONG or any(sign in told.lower() for sign in _TOO_LONG):
            remedy = "Shorten the conversation, or choose a model with a longer context."
        return RemoteRefusedError(message, remedy, status=status)
    return RemoteError(message, "Try again, or ask another model.", status=status, retry_after=wait)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that an answer asks us to wait: ``retry-after-ms``, or ``Retry-After`` as seconds or as a date."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name, "").strip()
        if not value:
            continue
        try:
            wait = float(value) / unit
        except ValueError:
            try:
                wait = parsedate_to_datetime(value).timestamp() - now
            except (ValueError, TypeError, OverflowError):
                continue
        if math.isfinite(wait):
            return min(max(0.0, wait), _MOST_WAIT)
    return None


def clean(text: str) -> str:
    """A provider's words on one line, without control and direction characters, cut short."""
    shown = "".join(char if char.isprintable() else " " for char in text[: _MOST_WORDS * 4])
    shown = " ".join(shown.split())
    return shown if len(shown) <= _MOST_WORDS else f"{shown[: _MOST_WORDS - 1]}…"


def _told(said: Any) -> tuple[str, str]:
    """What is said, and the provider's own word for it."""
    if isinstance(said, str):
        return clean(said), ""
    if isinstance(said, list):  # Google's compatible endpoint wraps it
        said = said[0] if said else {}
    found = table(said)
    inner = found.get("error", found)
    if isinstance(inner, str):
        return clean(inner), ""
    inner = table(inner)
    code = words(inner.get("code")) or words(inner.get("type"))
    message = words(inner.get("message")) or words(found.get("message")) or words(found.get("detail"))
    return clean(message), code


def _plain(headers: Mapping[str, str]) -> bool:
    # A web page in an error's place tells a person nothing.
    return "html" not in headers.get("content-type", "")
