"""One connection with TLS, to an address that may be connected to."""

from __future__ import annotations

import asyncio
import ssl

from app.backends.endpoint import Endpoint
from app.errors import RemoteTimeoutError, RemoteUnreachableError

from .resolving import Resolver

_READ_AHEAD = 256 * 1024


async def dial(
    endpoint: Endpoint, resolver: Resolver, host: str, port: int, tls: ssl.SSLContext
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connects, to the first address that answers.

    Raises:
        RemoteUnreachableError: none does, or its certificate is not good.
        RemoteTimeoutError: it took too long.
        PlaygroundError: an address must not be connected to.
    """
    last: OSError | None = None
    for address in await resolver.addresses(host, port):
        try:
            async with asyncio.timeout(endpoint.connect_s):
                return await asyncio.open_connection(
                    address.host, port, ssl=tls, server_hostname=host, family=address.family, limit=_READ_AHEAD
                )
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
            last = error
    why = last.strerror if last is not None and last.strerror else "no answer"
    raise RemoteUnreachableError(
        f"{endpoint.name} ({host}) cannot be reached: {why}.", "Check its address and the network."
    ) from last


def speaks_second(writer: asyncio.StreamWriter) -> bool:
    """Whether both sides agreed on HTTP/2."""
    found: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
    return found is not None and found.selected_alpn_protocol() == "h2"
