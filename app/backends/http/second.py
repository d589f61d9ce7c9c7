"""HTTP/2 by httpcore2, the part of httpx2 that speaks it: many requests on one connection."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import h2.errors
import h2.exceptions
import httpcore2

from app.backends.endpoint import Endpoint
from app.errors import RemoteError, RemoteTimeoutError, RemoteUnreachableError, StreamBrokenError

from .answers import Answer
from .resolving import Resolver

_IDLE_S = 60.0


class SecondWire:
    """Connections in HTTP/2. See ``Wire``.

    Args:
        endpoint: limits and times.
        resolver: finds and checks addresses.
        tls: a context of its own, as the pool offers HTTP/2 with it.
    """

    def __init__(self, endpoint: Endpoint, resolver: Resolver, tls: ssl.SSLContext) -> None:
        self._name = endpoint.name
        self._endpoint = endpoint
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=endpoint.connections,
            keepalive_expiry=_IDLE_S,
            http1=True,
            http2=True,
            network_backend=_Checked(resolver),
        )
        times = {"connect": endpoint.connect_s, "read": endpoint.read_s, "write": endpoint.read_s}
        self._extensions = {"timeout": {**times, "pool": endpoint.total_s}}

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """See ``Wire``."""
        fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        if body is not None:
            fields.append((b"content-length", str(len(body)).encode()))
        where = httpcore2.URL(url)
        host = where.host.decode() + (f":{where.port}" if where.port else "")
        request = httpcore2.Request(
            method, where, headers=[(b"host", host.encode()), *fields], content=body, extensions=self._extensions
        )
        try:
            response = await self._pool.handle_async_request(request)
        except httpcore2.ConnectTimeout as error:
            raise RemoteTimeoutError(
                f"{self._name} did not take the connection within {self._endpoint.connect_s:g} seconds.",
                "Check the network.",
            ) from error
        except httpcore2.TimeoutException as error:
            raise RemoteTimeoutError(
                f"{self._name} did not begin to answer within {self._endpoint.read_s:g} seconds."
            ) from error
        except httpcore2.ConnectError as error:
            raise RemoteUnreachableError(
                f"{self._name} cannot be reached, or its certificate is not good.",
                "Check its address, the network and its authority.",
            ) from error
        except httpcore2.LocalProtocolError as error:
            raise RemoteError(
                f"A header for {self._name} has characters that headers cannot have.", "Check its key and its headers."
            ) from ValueError(type(error).__name__)
        except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
            raise RemoteUnreachableError(f"{self._name} closed the connection without an answer.") from error
        return _SecondAnswer(request, response, self._name, self._endpoint.read_s)

    async def aclose(self) -> None:
        """See ``Wire``."""
        await self._pool.aclose()


class _SecondAnswer:
    def __init__(self, request: httpcore2.Request, response: httpcore2.Response, name: str, read_s: float) -> None:
        self._request, self._response = request, response
        self._open = True
        self._name = name
        self._read_s = read_s
        self.status = response.status
        self.headers: Mapping[str, str] = {
            key.decode("latin-1").lower(): value.decode("latin-1") for key, value in response.headers
        }
        self._pieces: AsyncIterator[bytes] = response.aiter_stream().__aiter__()

    async def more(self) -> bytes:
        try:
            async for piece in self._pieces:
                if piece:
                    return piece
        except httpcore2.TimeoutException as error:
            raise RemoteTimeoutError(f"{self._name} said nothing more for {self._read_s:g} seconds.") from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
            raise StreamBrokenError(f"The connection to {self._name} broke while it answered.") from error
        self._open = False
        return b""

    async def close(self) -> None:
        aclose = getattr(self._pieces, "aclose", None)
        with contextlib.suppress(httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException):
            if self._open:
                self._open = False
                await self._reset()
            if aclose is not None:
                await aclose()
            await self._response.aclose()

    async def _reset(self) -> None:
        """Tells the peer that nobody reads on. httpcore2 only stops listening, so the model would go on for nobody; it
        has no public way to do this, so its inside is reached for, and a test sees that it is still there.
        """
        stream_id = self._response.extensions.get("stream_id")
        connection: Any = getattr(getattr(self._response.stream, "_stream", None), "_connection", None)
        state = getattr(connection, "_h2_state", None)
        if state is None or not isinstance(stream_id, int):
            return
        with contextlib.suppress(h2.exceptions.ProtocolError):
            state.reset_stream(stream_id, error_code=h2.errors.ErrorCodes.CANCEL)
        await connection._write_outgoing_data(self._request)


class _Checked(httpcore2.AsyncNetworkBackend):
    """Connects to checked addresses alone."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._plain = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        last: httpcore2.ConnectError | None = None
        for address in await self._resolver.addresses(host, port):
            try:
                return await self._plain.connect_tcp(address.host, port, timeout, local_address, socket_options)
            except httpcore2.ConnectError as error:
                last = error
        raise last or httpcore2.ConnectError("no address")

    async def sleep(self, seconds: float) -> None:
        await self._plain.sleep(seconds)
