"""A gate before a tiny application of the tests' own, on a real socket, over a real vault."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from app.messages import Usage
from app.privacy.connections import ConnectionPolicy
from app.server.auth.principal import principal_of
from app.server.gate.gate import GateParts
from app.server.metering.meter import meter_of
from app.server.slow_clients import timed
from app.settings import Settings
from app.settings.access import AccessSettings
from app.vault import Vault


def settings(*, server: dict[str, Any] | None = None, **access: Any) -> Settings:
    """Settings with these of ``access``."""
    whole = Settings()
    return msgspec.structs.replace(
        whole, access=AccessSettings(**access), server=msgspec.structs.replace(whole.server, **(server or {}))
    )


@dataclass
class Gated:
    """A running server.

    Attributes:
        seen: what the application was asked, as (method, path, principal's id).
    """

    parts: GateParts
    vault: Vault
    port: int
    seen: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, key: str | None = None, **more: Any) -> httpx.AsyncClient:
        headers = {**({"authorization": f"Bearer {key}"} if key else {}), **more.pop("headers", {})}
        return httpx.AsyncClient(base_url=self.url, headers=headers, trust_env=False, timeout=30, **more)

    async def ask(self, method: str, path: str, key: str | None = None, **more: Any) -> httpx.Response:
        headers = more.pop("headers", {})
        async with self.client(key, headers=headers) as client:
            return await client.request(method, path, **more)

    async def raw(self, sent: bytes, seconds: float = 10.0) -> bytes:
        """What comes back for these very bytes, until the server closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(sent)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            said = b""
            async with asyncio.timeout(seconds):
                with contextlib.suppress(ConnectionResetError):
                    while piece := await reader.read(65_536):
                        said += piece
            return said
        finally:
            writer.close()


def tiny(seen: list[tuple[str, str, str]]) -> Starlette:
    """Says what it was asked; ``tokens`` of the body are counted as used."""

    async def answer(request: Request) -> JSONResponse:
        principal = principal_of(request.scope)
        seen.append((request.method, request.scope["path"], principal.id))
        body = await request.body()
        with contextlib.suppress(ValueError, AttributeError):
            asked = json.loads(body or b"{}")
            if tokens := asked.get("tokens"):
                meter_of(request.scope).count("tiny", "local", Usage(tokens, 0))
        return JSONResponse({"id": principal.id, "bytes": len(body)})

    async def socket(websocket: WebSocket) -> None:
        seen.append(("WEBSOCKET", websocket.scope["path"], principal_of(websocket.scope).id))
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())
        await websocket.close()

    anything = ["GET", "POST", "DELETE", "PUT", "PATCH"]
    return Starlette(
        routes=[WebSocketRoute("/v1/chat/ws", socket), Route("/{path:path}", answer, methods=anything)],
    )


@contextlib.asynccontextmanager
async def gated(
    vault: Vault, chosen: Settings | None = None, *, host: str = "127.0.0.1", **more: Any
) -> AsyncIterator[Gated]:
    """Runs a server for the block."""
    chosen = chosen or settings()
    environ = more.pop("environ", {})
    policy = more.pop("policy", None) or ConnectionPolicy(local_only=False)
    parts = GateParts.of(vault, chosen, environ, policy=policy, **more)
    seen: list[tuple[str, str, str]] = []
    config = uvicorn.Config(
        parts.around(tiny(seen)),
        host=host,
        port=0,
        loop="asyncio",
        http=timed(chosen.access.head_s, chosen.access.head_bytes),
        ws="websockets-sansio",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
    running = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Gated(parts, vault, port, seen)
    finally:
        server.should_exit = True
        await running
        await parts.aclose()


async def new_vault(folder: Path) -> Vault:
    """An open vault that nothing protects, in a fresh folder."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Vault(folder, folder / "backups")
    await made.open()
    return made
