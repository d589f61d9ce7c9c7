"""From a host's name to addresses that may be connected to."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from app.errors import RemoteTimeoutError, RemoteUnreachableError

ResolverCheck = Callable[[str], None]
"""Told each address before it is connected to; raises a ``PlaygroundError`` where it must not be."""


_OTHER_NUMBER = re.compile(r"(?:^|\.)(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?$")
"""How hosts end that a system may take for an address, though they are none: ``127.1``, ``0x7f000001``."""


class Address(NamedTuple):
    """A numeric address and how its socket is made."""

    host: str
    family: int
    proto: int


class Resolver:
    """Looks names up and asks whether what they mean may be reached, so that a name cannot be pointed elsewhere after.

    Args:
        check: see ``ResolverCheck``.
        seconds: that a look-up may take.
    """

    def __init__(self, check: ResolverCheck, seconds: float) -> None:
        self._check = check
        self._seconds = seconds

    async def addresses(self, host: str, port: int) -> list[Address]:
        """Where ``host`` is, in the order to be tried; a numeric address is checked as well and is itself.

        Raises:
            RemoteUnreachableError: nobody knows the name, or it is a number in another notation.
            RemoteTimeoutError: nobody answered in time.
            PlaygroundError: of the check.
        """
        numeric = numeric_of(host)
        if numeric is not None:
            self._check(numeric)
            return [Address(numeric, socket.AF_INET6 if ":" in numeric else socket.AF_INET, socket.IPPROTO_TCP)]
        if _OTHER_NUMBER.search(host):
            raise RemoteUnreachableError(
                f"{host} is not written as an address or a name.", "Write four numbers with points, or a name."
            )
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._seconds):
                found = await loop.getaddrinfo(
                    host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_ADDRCONFIG
                )
        except TimeoutError as error:
            raise RemoteTimeoutError(
                f"The address of {host} was not found within {self._seconds:g} seconds.", "Check the network."
            ) from error
        except (OSError, UnicodeError) as error:
            raise RemoteUnreachableError(
                f"No address is known for {host}.", "Check the endpoint's url and the network."
            ) from error
        addresses = list(dict.fromkeys(Address(str(where[0]), family, proto) for family, _, proto, _, where in found))
        for address in addresses:
            self._check(address.host)
        return addresses


@lru_cache(maxsize=256)
def numeric_of(host: str) -> str | None:
    """The address that a URL's host is, when it is one and no name."""
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return None
