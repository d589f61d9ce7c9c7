"""One connection to an address that may be connected to, with TLS or without."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import TypeVar

import aiohappyeyeballs

from app.backends.endpoint import Endpoint
from app.errors import RemoteTimeoutError, RemoteUnreachableError

from .resolving import Resolver

_READ_AHEAD = 256 * 1024
_NEXT_AFTER_S = 0.25
"""A further address is tried beside one that has not answered by then: RFC 8305."""
_Protocol = TypeVar("_Protocol", bound=asyncio.BaseProtocol)


async def dial(
    endpoint: Endpoint,
    resolver: Resolver,
    host: str,
    port: int,
    tls: ssl.SSLContext | None,
    made: Callable[[], _Protocol],
) -> _Protocol:
    """Connects, to the first address that answers.

    Args:
        endpoint: its name and limits.
        resolver: finds and checks addresses.
        host: whom the certificate must be for.
        port: there.
        tls: None where TLS is not used.
        made: makes what reads and writes.

    Raises:
        RemoteUnreachableError: none does, or its certificate is not good.
        RemoteTimeoutError: it took too long.
        PlaygroundError: an address must not be connected to.
    """
    addresses = [
        (found.family, socket.SOCK_STREAM, found.proto, "", (found.host, port))
        for found in await resolver.addresses(host, port)
    ]
    name = host if tls is not None else None
    try:
        async with asyncio.timeout(endpoint.connect_s):
            connected = await aiohappyeyeballs.start_connection(addresses, happy_eyeballs_delay=_NEXT_AFTER_S)
            loop = asyncio.get_running_loop()
            _, protocol = await loop.create_connection(made, sock=connected, ssl=tls, server_hostname=name)
            return protocol
    except ssl.SSLCertVerificationError as error:
        raise RemoteUnreachableError(
            f"The certificate of {endpoint.name} ({host}) is not good: {error.verify_message}.",
            "Check its address, or name its authority as the endpoint's ca.",
        ) from error
    except TimeoutError as error:
        raise RemoteTimeoutError(
            f"{endpoint.name} ({host}) did not take the connection within {endpoint.connect_s:g} seconds.",
            "Check the network.",
        ) from error
    except OSError as error:
        raise RemoteUnreachableError(
            f"{endpoint.name} ({host}) cannot be reached: {error.strerror or 'no answer'}.",
            "Check its address and the network.",
        ) from error


async def dial_streams(
    endpoint: Endpoint, resolver: Resolver, host: str, port: int, tls: ssl.SSLContext
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """``dial``, for a reader and a writer."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(_READ_AHEAD, loop)
    protocol = await dial(endpoint, resolver, host, port, tls, lambda: _Streams(reader, loop))
    assert protocol.transport is not None
    return reader, asyncio.StreamWriter(protocol.transport, protocol, reader, loop)


class _Streams(asyncio.StreamReaderProtocol):
    """Keeps its transport, for the writer."""

    def __init__(self, reader: asyncio.StreamReader, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(reader, loop=loop)
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport


def speaks_second(writer: asyncio.StreamWriter) -> bool:
    """Whether both sides agreed on HTTP/2."""
    found: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
    return found is not None and found.selected_alpn_protocol() == "h2"
