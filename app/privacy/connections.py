"""Who may connect out: one place decides."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

from app.errors import LocalOnlyError


class ConnectionPolicy:
    """Whether something may be fetched or sent over the network. There is one for the whole program.

    Args:
        local_only: nothing may leave this machine; only its own loopback addresses may be reached.
    """

    def __init__(self, *, local_only: bool) -> None:
        self._local_only = local_only
        self._watchers: list[Callable[[bool], None]] = []

    @property
    def local_only(self) -> bool:
        """Whether nothing may leave this machine now. May be set at any time, by a person's wish alone."""
        return self._local_only

    @local_only.setter
    def local_only(self, on: bool) -> None:
        self._local_only = on
        for watcher in tuple(self._watchers):
            watcher(on)

    def watch(self, watcher: Callable[[bool], None]) -> Callable[[], None]:
        """Has ``watcher`` called each time that the mode is set, after it holds; what is given back ends that."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def require(self, target: str, purpose: str) -> None:
        """Lets a connection pass, or not.

        Args:
            target: a URL or a host name.
            purpose: what it is for, as the middle of a sentence: "download smollm2-135m".

        Raises:
            LocalOnlyError: when it would leave the machine and must not.
        """
        if self._local_only and not is_loopback(target):
            raise LocalOnlyError(
                f"Local-only mode is on, so Playground did not {purpose} from {target}.",
                "Switch local-only mode off to allow it.",
            )


def is_loopback(target: str) -> bool:
    """Whether a URL or host name means this machine itself; what cannot be read does not."""
    try:
        host = urlsplit(target).hostname if "://" in target else target
        return host is not None and (host == "localhost" or is_loopback_address(host))
    except ValueError:
        return False


def is_loopback_address(host: str) -> bool:
    """Whether a numeric address is this machine's own; a name is not.

    Raises:
        ValueError: when it is no address.
    """
    address = ipaddress.ip_address(host)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
