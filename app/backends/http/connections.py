"""Requests to one endpoint: who may connect, which version of HTTP, and what is kept of its connections."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

from app.backends.deadlines import until
from app.backends.endpoint import Endpoint
from app.errors import CatalogueError
from app.privacy.connections import ConnectionPolicy

from .answers import Answer, Wire
from .dialling import dial_streams, speaks_second
from .resolving import Resolver, ResolverCheck
from .tls import context_of


class Connections:
    """The connections to one endpoint, made when they are needed and kept for the next request.

    Args:
        endpoint: where and how.
        policy: is asked before each request.
        resolver_check: is told each address before it is connected to.

    Raises:
        CatalogueError: the endpoint's address holds a password.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        policy: ConnectionPolicy,
        *,
        resolver_check: ResolverCheck | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._policy = policy

        def check(address: str) -> None:
            # A name may mean another machine: what was let pass by its name is asked again by its address.
            policy.require(address, f"ask {endpoint.name}")
            if resolver_check is not None:
                resolver_check(address)

        self._resolver = Resolver(check, endpoint.connect_s)
        self._base = endpoint.url.rstrip("/")
        parts = urlsplit(self._base)
        if parts.username is not None or parts.password is not None:
            raise CatalogueError(
                f"The url of endpoint {endpoint.name} holds a name or a password.",
                "Take it out; put the key where `key` says, and other credentials into its headers.",
            )
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port or 443
        self._wire: Wire | None = None
        self._making = asyncio.Lock()

    def url(self, path: str) -> str:
        """The whole address of a path below the endpoint's."""
        return self._base + path

    async def send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        deadline: float | None = None,
    ) -> Answer:
        """Sends a request; returns when the head of its answer has come. The answer must be closed.

        Args:
            method: of HTTP.
            path: below the endpoint's address.
            headers: all but those of the connection itself.
            body: its bytes.
            deadline: when the answer must be whole, by the running loop's clock; None is the endpoint's ``total_s``
                from now.

        Raises:
            LocalOnlyError: nothing may leave this machine.
            RemoteError: there is no answer.
            CatalogueError: the endpoint's file of authorities cannot be used.
        """
        # Host alone: an address may hold a password, and this is shown.
        self._policy.require(self._host, f"ask {self._endpoint.name}")
        if deadline is None:
            deadline = asyncio.get_running_loop().time() + self._endpoint.total_s
        wire = self._wire or await self._made(deadline)
        return await wire.send(method, self.url(path), headers, body, deadline)

    async def aclose(self) -> None:
        """Closes every connection. Safe to call twice."""
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.aclose()

    async def _made(self, deadline: float) -> Wire:
        async with until(deadline, self._endpoint), self._making:
            if self._wire is None:
                self._wire = await self._make()
            return self._wire

    async def _make(self) -> Wire:
        from .first import FirstWire

        if not self._secure:
            return FirstWire(self._endpoint, self._resolver, None)
        tls = await asyncio.to_thread(context_of, self._endpoint)
        if self._endpoint.http2:
            # Asked once, so that peers without HTTP/2 get the faster client; else it is the first connection.
            tls.set_alpn_protocols(["h2", "http/1.1"])
            reader, writer = await dial_streams(self._endpoint, self._resolver, self._host, self._port, tls)
            if speaks_second(writer):
                from .second import SecondWire

                return SecondWire(self._endpoint, self._resolver, tls, (reader, writer))
            writer.transport.abort()
            tls.set_alpn_protocols(["http/1.1"])
        return FirstWire(self._endpoint, self._resolver, tls)
