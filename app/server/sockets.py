"""``/v1/chat/ws``: a chat over a WebSocket, in groups of words.

The client sends ``chat``, ``cancel`` and ``ping``; the server sends ``started``, ``thinking``, ``words``, ``finished``,
``cancelled``, ``error``, ``pong`` and, while nothing else is to be said, ``heartbeat``. Each is one JSON object in a
text frame, told apart by ``type``. One answer at a time; what belongs to it carries the ``id`` that its ``chat`` had.
``started`` tells what headers tell elsewhere: the ``model`` and ``backend`` that answer, ``fallback`` and ``cache``
where there is something to tell of them, and ``request``, the connection's number in the log.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter
from msgspec import Meta, Struct
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.chat.pacing import Pacing
from app.errors import BusyError, InvalidRequestError, PlaygroundError
from app.messages import ChatRequest, Delta, Finished, Message, Sampling, Started, Text, TextDelta, ThinkingDelta

from .error_shapes import status_of
from .metering.answers import Metered
from .metering.meter import meter_of
from .models import resolve
from .observing.exchange import note_error
from .services import Services

HEARTBEAT_S = 20.0
"""Seconds of silence after which the server says that it is there."""

_FEWEST, _MOST = 2, 5
_WORD = re.compile(r"\s*+\S++\s++")
_LONGEST = 200
"""Letters without a space that are waited for; then they are given as they are."""

Name = Annotated[str, Meta(min_length=1, max_length=256)]


class Turn(Struct, frozen=True, forbid_unknown_fields=True):
    """One message of the conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Chat(Struct, frozen=True, kw_only=True, tag_field="type", tag="chat", forbid_unknown_fields=True):
    """Asks. ``pacing`` gives the answer at the speed of reading, with pauses, instead of as fast as it comes."""

    messages: Annotated[tuple[Turn, ...], Meta(min_length=1)]
    id: Annotated[str, Meta(max_length=128)] = ""
    model: Name | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    max_tokens: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    seed: Annotated[int, Meta(ge=0, le=2**32 - 1)] | None = None
    stop: Annotated[tuple[Name, ...], Meta(max_length=16)] = ()
    pacing: bool = False


class Cancel(Struct, frozen=True, tag_field="type", tag="cancel", forbid_unknown_fields=True):
    """Stops the answer that is being given."""

    id: str | None = None


class Ping(Struct, frozen=True, tag_field="type", tag="ping", forbid_unknown_fields=True):
    """Asks whether the server is there."""


_decode = msgspec.json.Decoder(Chat | Cancel | Ping).decode


def routes(services: Services, *, heartbeat_s: float = HEARTBEAT_S) -> APIRouter:
    """The route, answering from ``services``."""
    router = APIRouter()

    @router.websocket("/v1/chat/ws")
    async def chat(websocket: WebSocket) -> None:
        await websocket.accept()
        await _Conversation(services, websocket, heartbeat_s).run()

    return router


class _Conversation:
    """One connection."""

    def __init__(self, services: Services, websocket: WebSocket, heartbeat_s: float) -> None:
        self._services, self._socket, self._heartbeat_s = services, websocket, heartbeat_s
        self._meter = meter_of(websocket.scope)
        self._router = Metered(services.router, self._meter)
        self._number = self._meter.exchange.number if self._meter.exchange is not None else ""
        self._answering: asyncio.Task[None] | None = None
        self._asked = ""
        self._finished: Finished | None = None
        self._spoke = asyncio.Event()

    async def run(self) -> None:
        """Listens until the client leaves; then nothing of its goes on."""
        beating = asyncio.ensure_future(self._beat())
        try:
            while True:
                message = await self._socket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                await self._heard(message.get("text") or message.get("bytes") or b"")
        except WebSocketDisconnect:
            return
        finally:
            beating.cancel()
            await self._stop()
            await asyncio.gather(beating, return_exceptions=True)

    async def _heard(self, data: str | bytes) -> None:
        try:
            said = _decode(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            await self._error("", InvalidRequestError(f"The message is not understood: {error}."))
            return
        match said:
            case Ping():
                await self._say("pong")
            case Cancel(asked):
                if self._answering is not None and asked in (None, self._asked):
                    await self._stop()
                    await self._say("cancelled", id=self._asked)
            case Chat():
                await self._start(said)

    async def _start(self, asked: Chat) -> None:
        if self._answering is not None and not self._answering.done():
            await self._error(asked.id, BusyError("An answer is being given.", "Wait for its end, or cancel it."))
            return
        self._asked = asked.id
        self._answering = asyncio.ensure_future(self._answer(asked))

    async def _stop(self) -> None:
        answering, self._answering = self._answering, None
        if answering is not None:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)

    async def _answer(self, asked: Chat) -> None:
        self._finished = None
        self._router.answerer.asked()
        try:
            await self._meter.again()
            request = await self._request(asked)
            texts = self._texts(asked.id, self._router.stream(request))
            async with aclosing(texts):
                groups = Pacing(texts).__aiter__() if asked.pacing else grouped(texts)
                async with aclosing(groups):
                    async for group in groups:
                        await self._say("words", id=asked.id, text=group)
            if self._finished is not None:
                usage = self._finished.usage
                await self._say(
                    "finished",
                    id=asked.id,
                    reason=self._finished.reason,
                    usage={"prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.completion_tokens},
                )
        except PlaygroundError as error:
            await self._error(asked.id, error)
        except WebSocketDisconnect:
            return
        finally:
            if self._answering is asyncio.current_task():
                self._answering = None

    async def _request(self, asked: Chat) -> ChatRequest:
        settings = self._services.settings
        most = settings.server.max_output_tokens
        return ChatRequest(
            model=await resolve(self._services, asked.model or settings.models.default),
            messages=tuple(Message(turn.role, (Text(turn.content),)) for turn in asked.messages),
            sampling=Sampling(
                temperature=asked.temperature,
                top_p=asked.top_p,
                seed=asked.seed,
                stop=asked.stop,
                max_tokens=min(asked.max_tokens or most, most) if most else asked.max_tokens,
            ),
        )

    async def _texts(self, asked: str, deltas: AsyncGenerator[Delta, None]) -> AsyncGenerator[str, None]:
        """The words of an answer; what else there is to tell of it is told on the way."""
        async with aclosing(deltas) as stream:
            async for delta in stream:
                match delta:
                    case TextDelta(text):
                        yield text
                    case ThinkingDelta(text):
                        await self._say("thinking", id=asked, text=text)
                    case Started():
                        await self._say("started", id=asked, request=self._number, **self._router.answerer.told())
                    case Finished():
                        self._finished = delta
                    case _:
                        pass

    async def _error(self, asked: str, error: PlaygroundError) -> None:
        note_error(self._socket.scope, error, status_of(error))
        told = {"code": error.code, "message": error.message, "remedy": error.remedy}
        await self._say("error", id=asked, error=told)

    async def _say(self, kind: str, **what: Any) -> None:
        self._spoke.set()
        await self._socket.send_text(msgspec.json.encode({"type": kind, **what}).decode())

    async def _beat(self) -> None:
        try:
            while True:
                self._spoke.clear()
                await asyncio.sleep(self._heartbeat_s)
                if not self._spoke.is_set():
                    await self._say("heartbeat")
        except WebSocketDisconnect:
            return


async def grouped(texts: AsyncIterator[str]) -> AsyncGenerator[str, None]:
    """The same text in groups of two to five words, as soon as they are whole; the last may be shorter."""
    waiting = ""
    async for text in texts:
        waiting += text
        if len(waiting) > _LONGEST and not any(map(str.isspace, waiting)):
            yield waiting
            waiting = ""
        while any(map(str.isspace, text)):
            ends = [word.end() for _place, word in zip(range(_MOST), _WORD.finditer(waiting), strict=False)]
            if len(ends) < _FEWEST:
                break
            yield waiting[: ends[-1]]
            waiting = waiting[ends[-1] :]
    if waiting:
        yield waiting
