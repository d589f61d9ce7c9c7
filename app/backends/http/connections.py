"""Requests to one endpoint: who may connect, which version of HTTP, and what is kept of its connections."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from app.backends.endpoint import Endpoint
from app.errors import CatalogueError, RemoteError, RemoteTimeoutError, RemoteUnreachableError
from app.privacy.connections import ConnectionPolicy

from .answers import Answer, Wire
from .resolving import Resolver, ResolverCheck
from .tls import context_of


class Connections:
    """The connections to one endpoint, made when they are needed and kept for the next request.

    Args:
        endpoint: where and how.
        policy: is asked before each request.
        resolver_check: is told each address before it is connected to.
        trust_env: whether proxies that the environment names are used.

    Raises:
        CatalogueError: the endpoint's address holds a password.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        policy: ConnectionPolicy,
        *,
        resolver_check: ResolverCheck | None = None,
        trust_env: bool = False,
    ) -> None:
        self._endpoint = endpoint
        self._policy = policy
        self._resolver = Resolver(resolver_check, endpoint.connect_s)
        self._trust_env = trust_env
        self._base = endpoint.url.rstrip("/")
        parts = urlsplit(self._base)
        if parts.username is not None or parts.password is not None:
            raise CatalogueError(
                f"The url of endpoint {endpoint.name} holds a name or a password.",
                "Take it out; put the key where `key` says, and other credentials into its headers.",
            )
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._wire: Wire | None = None
        self._making = asyncio.Lock()

    def url(self, path: str) -> str:
        """The whole address of a path below the endpoint's."""
        return self._base + path

    async def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """Sends a request; returns when the head of its answer has come. The answer must be closed.

        Raises:
            LocalOnlyError: nothing may leave this machine.
            RemoteError: there is no answer.
            CatalogueError: the endpoint's file of authorities cannot be used.
        """
        # Host alone: an address may hold a password, and this is shown.
        self._policy.require(self._host, f"ask {self._endpoint.name}")
        wire = self._wire or await self._made()
        return await wire.send(method, self.url(path), headers, body)

    async def aclose(self) -> None:
        """Closes every connection. Safe to call twice."""
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.aclose()

    async def _made(self) -> Wire:
        async with self._making:
            if self._wire is None:
                self._wire = await self._make()
            return self._wire

    async def _make(self) -> Wire:
        from .first import FirstWire

        if not self._secure:
            return FirstWire(self._endpoint, self._resolver, None, trust_env=self._trust_env)
        tls = await asyncio.to_thread(context_of, self._endpoint)
        if self._endpoint.http2 and not self._trust_env and await self._agrees_on_second(tls):
            from .second import SecondWire

            return SecondWire(self._endpoint, self._resolver, await asyncio.to_thread(context_of, self._endpoint))
        return FirstWire(
            self._endpoint,
            self._resolver,
            await asyncio.to_thread(context_of, self._endpoint),
            trust_env=self._trust_env,
        )

    async def _agrees_on_second(self, tls: ssl.SSLContext) -> bool:
        """Asks once, with a connection for that alone, so that peers without HTTP/2 get the faster client."""
        name = self._endpoint.name
        tls.set_alpn_protocols(["h2", "http/1.1"])
        parts = urlsplit(self._base)
        port = parts.port or 443
        last: BaseException | None = None
        for address in await self._resolver.addresses(self._host, port):
            try:
                async with asyncio.timeout(self._endpoint.connect_s):
                    _, writer = await asyncio.open_connection(
                        address.host, port, ssl=tls, server_hostname=self._host, family=address.family
                    )
            except ssl.SSLCertVerificationError as error:
                raise RemoteUnreachableError(
                    f"The certificate of {name} ({self._host}) is not good: {error.verify_message}.",
                    "Check its address, or name its authority as the endpoint's ca.",
                ) from error
            except TimeoutError as error:
                raise RemoteTimeoutError(
                    f"{name} ({self._host}) did not take the connection within {self._endpoint.connect_s:g} seconds.",
                    "Check the network.",
                ) from error
            except OSError as error:
                last = error
                continue
            found = writer.get_extra_info("ssl_object")
            agreed = found is not None and found.selected_alpn_protocol() == "h2"
            writer.transport.abort()
            return agreed
        raise self._unreachable(last) from last

    def _unreachable(self, error: BaseException | None) -> RemoteError:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "no answer"
        return RemoteUnreachableError(
            f"{self._endpoint.name} ({self._host}) cannot be reached: {why}.", "Check its address and the network."
        )
