"""Which names the server answers to, and which web pages may ask it.

A page on the internet can point its own name at 127.0.0.1 (DNS rebinding) and then speaks to this server as its own
origin; only the Host header shows it. A page of any origin can open a WebSocket; only the Origin header shows that.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache

from app.errors import SettingsError

from .heads import Head
from .refusals import HostRefusedError, MalformedRequestError, OriginRefusedError

Address = tuple[str, int | None]

_AUTHORITY = re.compile(r"(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9_](?:[a-z0-9_.-]{0,252}[a-z0-9_])?)\.?)(?::([0-9]{1,5}))?")
_MOST_KNOWN = 256
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[a-z0-9_.:\[\]-]+")


def parse_authority(text: str) -> Address | None:
    """The name and the port of a Host header (RFC 9110, section 7.2); None when it is not one.

    An IPv6 address comes without brackets, in its shortest form.
    """
    match = _AUTHORITY.fullmatch(text.lower())
    if match is None:
        return None
    bracketed, name, digits = match.groups()
    port = int(digits) if digits else None
    if port is not None and not 0 < port <= 65_535:
        return None
    if bracketed is None:
        return name, port
    try:
        return str(ipaddress.IPv6Address(bracketed)), port
    except ValueError:
        return None


class Hosts:
    """The names that a Host header may have: the address that the client connected to, and those that are listed.

    Args:
        listed: ``name`` for any port, or ``name:port``.

    Raises:
        SettingsError: when one of them is neither.
    """

    def __init__(self, listed: Iterable[str]) -> None:
        self._listed: set[Address] = set()
        self._known: dict[tuple[bytes, Address | None], str] = {}
        """Headers that were found to be good, at the address that they came to; the same is asked with each request."""
        for text in listed:
            parsed = parse_authority(text)
            if parsed is None:
                raise SettingsError(
                    f"access.hosts has {text!r}; expected a name or address, with or without a port.",
                    "Write it as a browser shows it: playground.example, box:9000 or [fd00::1]:8137.",
                )
            self._listed.add(parsed)

    def check(self, head: Head, server: Address | None) -> str:
        """The Host header of a request, when it is one of ours.

        Args:
            head: of the request.
            server: the address and port that the client connected to; None for a socket without one.

        Raises:
            MalformedRequestError: when there is none, more than one, or it cannot be read.
            HostRefusedError: when it names something else.
        """
        found = head.all(b"host")
        if len(found) != 1:
            raise MalformedRequestError(f"The request has {len(found)} Host headers; expected one.")
        server = (server[0], server[1]) if server is not None else None
        known = self._known.get((found[0], server))
        if known is not None:
            return known
        text = found[0].decode("latin-1").strip()
        parsed = parse_authority(text)
        if parsed is None:
            raise MalformedRequestError("The Host header is not a name with or without a port.")
        if not self._permits(parsed, server):
            raise HostRefusedError(
                f"This server does not answer to {text!r}.",
                "If that is its name, list it in access.hosts of the settings.",
            )
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        known = self._known[found[0], server] = text.lower()
        return known

    def _permits(self, asked: Address, server: Address | None) -> bool:
        name, port = asked
        if asked in self._listed or (name, None) in self._listed:
            return True
        if server is None or (80 if port is None else port) != server[1]:
            return False
        own = _ip(server[0])
        if own is None:
            return False
        return own.is_loopback if name == "localhost" else _ip(name) == own


class Origins:
    """The web pages that may ask: this server's own, and those that are named.

    Args:
        named: such as ``https://notes.example``; never ``*``.

    Raises:
        SettingsError: when one of them is not an origin.
    """

    def __init__(self, named: Iterable[str]) -> None:
        self._named = {text.lower().rstrip("/") for text in named}
        for text in self._named:
            if not _ORIGIN.fullmatch(text):
                raise SettingsError(
                    f"server.cors_origins has {text!r}; expected an origin such as https://notes.example.",
                    "Name each page by its scheme, host and port. There is no way to allow all of them.",
                )

    def check(self, head: Head, host: str) -> str | None:
        """The origin of the page that asks, when it may.

        Args:
            head: of the request.
            host: its Host header, which has been checked.

        Returns:
            None when no page asks but a program, or a page of our own.

        Raises:
            OriginRefusedError: when it may not.
        """
        sent = head.all(b"origin")
        if not sent:
            if _comes_from_elsewhere(head):
                raise OriginRefusedError("A web page of another site asks, and does not say which.")
            return None
        found = [value.decode("latin-1").strip() for value in sent]
        if len(found) == 1:
            origin = found[0].lower()
            if origin in (f"http://{host}", f"https://{host}"):
                return None
            if origin in self._named:
                return found[0]
        raise OriginRefusedError(
            f"Pages of {', '.join(found)[:200]!r} may not ask this server.",
            "To allow it, list it in server.cors_origins of the settings.",
        )


def _comes_from_elsewhere(head: Head) -> bool:
    """Whether a browser says that another site's page asks (Fetch Metadata); following a link is not asking."""
    return b"cross-site" in head.all(b"sec-fetch-site") and head.all(b"sec-fetch-mode") != [b"navigate"]


@lru_cache(maxsize=256)
def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
