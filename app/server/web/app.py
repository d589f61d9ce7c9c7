"""The web application: a page, what it is made of, and a WebSocket to a terminal for each that is open.

Who reaches a terminal reaches the vault behind it. So the server listens to this machine alone, all that it has lies
below a random part of the address, and no page of another site may ask, whatever its name points to (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.server.gate.heads import Head
from app.server.gate.hosts import Hosts, Origins
from app.server.gate.refusals import RefusalError

from .page import HEADERS, note, page
from .terminal import Terminal

MOST_TERMINALS = 4
"""Each is a program of its own, with models of its own."""

_MALFORMED = 1007  # RFC 6455, section 7.4.1
_TRY_LATER = 1013


class _Size(Struct):
    width: int
    height: int


class WebTerminals:
    """An ASGI application that shows a program in browsers.

    Args:
        command: the program, started anew for each page that is opened.
        environ: of the program.
    """

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self._command, self._environ = command, environ
        self._key = secrets.token_urlsafe(24)
        self._hosts, self._origins = Hosts(()), Origins(())
        self._open = 0
        static = StaticFiles(packages=[("textual_serve", "static")])
        inside: list[BaseRoute] = [
            Route("/", self._page),
            WebSocketRoute("/terminal", self._terminal),
            Mount("/static", static),
        ]
        self._routes = Router([Mount(self.path.rstrip("/"), routes=inside)])

    @property
    def path(self) -> str:
        """Where the page is. Whoever knows it may use the program."""
        return f"/{self._key}/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] not in ("http", "websocket"):
            return
        try:
            self._require_own_page(scope)
            if not secrets.compare_digest(scope["path"][: len(self.path)].encode(), self.path.encode()):
                raise HTTPException(404, "Open the address that the terminal shows, whole.")
            await self._routes(scope, receive, send)
        except (RefusalError, HTTPException) as error:
            await self._refuse(error, scope, receive, send)

    def _require_own_page(self, scope: Scope) -> None:
        head = Head(scope["headers"])
        server = scope.get("server")
        self._origins.check(head, self._hosts.check(head, server))
        if scope["type"] == "websocket" and not head.all(b"origin"):
            raise HTTPException(403, "Only a page of this server may open a terminal.")

    async def _refuse(self, error: RefusalError | HTTPException, scope: Scope, receive: Receive, send: Send) -> None:
        status, words = (error.status_code, error.detail) if isinstance(error, HTTPException) else (403, str(error))
        if scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(Response(words, status))
            return
        await HTMLResponse(note(words), status, HEADERS)(scope, receive, send)

    async def _page(self, request: Request) -> Response:
        return HTMLResponse(page(f"ws://{request.headers['host']}{self.path}terminal"), headers=HEADERS)

    async def _terminal(self, socket: WebSocket) -> None:
        await socket.accept()
        if self._open >= MOST_TERMINALS:
            await socket.close(_TRY_LATER, f"{MOST_TERMINALS} are open already; close one first.")
            return
        self._open += 1
        try:
            asked = socket.query_params
            async with Terminal(
                self._command, self._environ, _cells(asked.get("width"), 80), _cells(asked.get("height"), 24)
            ) as terminal:
                await _until_one_ends(_shown(terminal, socket), _typed(terminal, socket))
        finally:
            self._open -= 1


async def _shown(terminal: Terminal, socket: WebSocket) -> None:
    """Until the program ends."""
    async for painted in terminal.painted():
        await socket.send_bytes(painted)
    await socket.close()


async def _typed(terminal: Terminal, socket: WebSocket) -> None:
    """Until the page is closed."""
    try:
        while True:
            await _obey(terminal, socket, await socket.receive_text())
    except ValueError:
        await socket.close(_MALFORMED, "That is nothing that a page says.")


async def _obey(terminal: Terminal, socket: WebSocket, said: str) -> None:
    """Does what a page says.

    Raises:
        ValueError: when a page says no such thing.
    """
    what, *rest = msgspec.json.decode(said, type=list[msgspec.Raw])
    match msgspec.json.decode(what, type=Literal["stdin", "resize", "ping", "focus", "blur"]), rest:
        case "stdin", [text]:
            await terminal.type(msgspec.json.decode(text, type=str))
        case "resize", [size]:
            asked = msgspec.json.decode(size, type=_Size)
            terminal.resize(asked.width, asked.height)
        case "ping", [sent]:
            await socket.send_text(msgspec.json.encode(["pong", sent]).decode())
        case (("focus" | "blur"), []):
            pass  # xterm.js tells the program by itself, where it wants to know
        case _:
            raise ValueError(said)


async def _until_one_ends(*works: Awaitable[None]) -> None:
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for found in ended:
        # The page was closed, or the program ended while something was typed: that is how it ends.
        if isinstance(found, Exception) and not isinstance(found, WebSocketDisconnect | ConnectionError):
            raise found


def _cells(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 6 else default
