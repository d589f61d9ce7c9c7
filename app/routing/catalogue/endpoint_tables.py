"""``[endpoints.NAME]`` of the catalogue files: read and checked. A mistake is told without what might be a secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args
from urllib.parse import SplitResult, urlsplit

import msgspec

from app.backends.endpoint import Endpoint, EndpointKind
from app.privacy.connections import is_loopback

from .table_reading import converted

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_KEY = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]{0,127}|(?:keyring|vault):[A-Za-z0-9][A-Za-z0-9._@/-]{0,63}")
_LOOKS_SECRET = re.compile(r"(?:keyring|vault):(?:sk|pk|rk|ghp|gho|xox[abp]|AIza|eyJ)[-_]?[A-Za-z0-9_-]{12,}")
_RESERVED = {"local", "cache"}
"""What already answers under this name."""


def read_endpoint(name: str, table: Mapping[str, Any]) -> Endpoint:
    """One endpoint.

    Raises:
        ValueError: what is wrong with it, as the end of a sentence.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"the name {name!r} is not 1 to 64 of a-z, 0-9, '.', '_' and '-', beginning with a-z or 0-9")
    if name in _RESERVED:
        raise ValueError(f"the name {name!r} is kept for the program itself; expected another")
    _check_kind(table)
    _check_key(table)
    _check_url(table)
    endpoint = converted(table, name, Endpoint)
    return msgspec.structs.replace(endpoint, url=endpoint.url.rstrip("/"))


def is_on_this_machine(endpoint: Endpoint) -> bool:
    """Whether what goes there stays on this machine, as far as its address tells."""
    return is_loopback(endpoint.url)


def is_in_the_clear(endpoint: Endpoint) -> bool:
    """Whether what goes there can be read on the way."""
    return endpoint.url.startswith("http://") and not is_on_this_machine(endpoint)


def warnings_of(endpoint: Endpoint) -> tuple[str, ...]:
    """What its owner should know, in sentences."""
    if is_in_the_clear(endpoint):
        return (f"Everything that goes to {endpoint.name} can be read on the way: its address begins with http://.",)
    if not endpoint.verify and endpoint.url.startswith("https://"):
        return (f"The certificate of {endpoint.name} is not checked: whoever is in between can read along.",)
    return ()


def _check_kind(table: Mapping[str, Any]) -> None:
    kinds = get_args(EndpointKind)
    kind = table.get("kind")
    if kind not in kinds:
        found = f"is {kind!r}" if isinstance(kind, str) else "is missing" if kind is None else "is no text"
        raise ValueError(f"`kind` {found}; expected {', '.join(kinds[:-1])} or {kinds[-1]}")


def _check_key(table: Mapping[str, Any]) -> None:
    key = table.get("key", "")
    if key == "":
        return
    # What stands here may be the key itself, so it is never shown.
    if not isinstance(key, str) or not _KEY.fullmatch(key) or _LOOKS_SECRET.match(key):
        raise ValueError(
            "`key` is not a reference (what was found is not shown: it may be the key itself); expected where the key"
            " is: env:NAME, keyring:NAME or vault:NAME"
        )


def _check_url(table: Mapping[str, Any]) -> None:
    url = table.get("url")
    if not isinstance(url, str) or not url:
        raise ValueError(f"`url` is {'missing' if url in (None, '') else 'no text'}; expected https://HOST/PATH")
    parts = _split(url)
    if parts is None or not parts.hostname or parts.scheme not in ("http", "https"):
        shown = "" if parts is None or "@" in url else f" {url!r}"
        raise ValueError(
            f"`url`{shown} has no scheme or no host; expected https://HOST/PATH, or http:// on this machine"
        )
    if parts.username is not None or parts.password is not None:
        raise ValueError("`url` holds a user or password (not shown); expected them nowhere but where `key` points")
    if parts.query or parts.fragment:
        raise ValueError("`url` goes on behind a '?' or '#' (not shown); expected an address that ends before that")
    if parts.scheme == "http" and not is_loopback(url) and table.get("verify") is not False:
        raise ValueError(
            f"`url` is http:// to {parts.hostname}, so prompts and keys could be read on the way; expected https://,"
            " or `verify = false` beside it if that is what you mean"
        )


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts if not re.search(r"[\s\x00-\x1f\x7f]", url) else None
