"""Who may connect out: one place decides."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from app.errors import LocalOnlyError


class ConnectionPolicy:
    """Whether something may be fetched or sent over the network.

    Args:
        local_only: nothing may leave this machine; only its own loopback addresses may be reached.
    """

    def __init__(self, *, local_only: bool) -> None:
        self.local_only = local_only

    def require(self, target: str, purpose: str) -> None:
        """Lets a connection pass, or not.

        Args:
            target: a URL or a host name.
            purpose: what it is for, as the middle of a sentence: "download smollm2-135m".

        Raises:
            LocalOnlyError: when it would leave the machine and must not.
        """
        if self.local_only and not is_loopback(target):
            raise LocalOnlyError(
                f"Local-only mode is on, so Playground did not {purpose} from {target}.",
                "Switch local-only mode off to allow it.",
            )


def is_loopback(target: str) -> bool:
    """Whether a URL or host name means this machine itself; what cannot be read does not."""
    try:
        host = urlsplit(target).hostname if "://" in target else target
        return host is not None and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:
        return False
