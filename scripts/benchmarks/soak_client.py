"""The clients of the soak: good ones, some that leave, some that read slowly, and some that send rubbish.

Every answer that is asked for must hold its own marker, which a schema forces upon the model. So an answer, or the
beginning of one, that belongs to somebody else is always seen.
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import socket
import struct
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

CHAT = "/v1/chat/completions"
OLLAMA = "/api/chat"
ANTHROPIC = "/v1/messages"
_PATIENCE_S = 300.0
_MOST_FAULTS = 20


@dataclass
class Found:
    """What the clients saw.

    Attributes:
        counts: of each kind of request, how many came to the end that was wanted.
        faults: what should not have been seen, in words.
        more_faults: how many others.
    """

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    more_faults: int = 0

    def fault(self, words: str) -> None:
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(words)
        else:
            self.more_faults += 1


class Clients:
    """Clients of one server.

    Args:
        port: of the server.
        key: that opens it.
        model: that answers.
    """

    def __init__(self, port: int, key: str, model: str) -> None:
        self._port, self._key, self._model = port, key, model
        self.found = Found()

    async def one(self, number: int, until: float) -> None:
        """A client that asks one thing after another until the event loop's clock says ``until``."""
        chance = random.Random(number)
        loop = asyncio.get_running_loop()
        while loop.time() < until:
            # Short: each token of it is one that the grammar must force, at the price of a walk through the vocabulary.
            marker = f"{number:03}{secrets.token_hex(2)}"
            kind = chance.choices(
                ("leaves", "plain", "streamed", "slow", "ollama", "anthropic", "rubbish"), (33, 15, 18, 8, 8, 6, 12)
            )[0]
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    await self._ask(kind, marker, chance)
            except TimeoutError:
                self.found.fault(f"{kind} {marker}: no answer within {_PATIENCE_S:g} s")
            except (OSError, asyncio.IncompleteReadError, ValueError, KeyError, IndexError) as error:
                self.found.fault(f"{kind} {marker}: {error!r}")
            else:
                self.found.counts[kind] += 1
            # Whoever sends rubbish, or is gone at once, would else do nothing but that.
            await asyncio.sleep(chance.uniform(0.0, 0.4))

    async def good(self, marker: str) -> None:
        """One streamed answer to its end.

        Raises:
            OSError, ValueError: when it does not come.
        """
        await self._ask("streamed", marker, random.Random(0))

    async def _ask(self, kind: str, marker: str, chance: random.Random) -> None:
        match kind:
            case "plain":
                answer = await self._whole(CHAT, self._body(marker))
                self._check(kind, marker, answer["choices"][0]["message"]["content"])
            case "ollama":
                body = {
                    "model": self._model,
                    "messages": _messages(marker),
                    "format": _schema(marker),
                    "stream": False,
                    "options": {"num_predict": 100},
                }
                self._check(kind, marker, (await self._whole(OLLAMA, body))["message"]["content"])
            case "anthropic":
                tool = {"name": "mark", "description": "Notes a marker.", "input_schema": _schema(marker)}
                body = {
                    "model": self._model,
                    "messages": _messages(marker),
                    "max_tokens": 100,
                    "tools": [tool],
                    "tool_choice": {"type": "tool", "name": "mark"},
                }
                content = (await self._whole(ANTHROPIC, body))["content"]
                called = next(part["input"] for part in content if part["type"] == "tool_use")
                self._check(kind, marker, json.dumps(called))
            case "streamed":
                text = "".join([piece async for piece in self._stream(self._body(marker, stream=True))])
                self._check(kind, marker, text)
            case "slow":
                body = self._body(marker, stream=True, story=True) | {"logprobs": True, "top_logprobs": 20}
                text = "".join([piece async for piece in self._stream(body, slowly=True)])
                self._check(kind, marker, text, begun=True)
            case "leaves":
                await self._leave(marker, chance)
            case _:
                await self._rubbish(chance)

    def _check(self, kind: str, marker: str, text: str, *, begun: bool = False) -> None:
        """Whether an answer is the one that was asked for; with ``begun`` its beginning, as far as it goes."""
        if begun:
            wanted = f'{{"m":"{marker}"'
            said = "".join(text.split())
            sound = said.startswith(wanted) or wanted.startswith(said)
        else:
            sound = json.loads(text) == {"m": marker}
        if not sound:
            self.found.fault(f"{kind} {marker}: the answer is {text[:200]!r}")

    def _body(self, marker: str, *, stream: bool = False, story: bool = False) -> dict[str, Any]:
        return {
            "model": self._model,
            "messages": _messages(marker),
            "max_tokens": 100,
            "stream": stream,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "marked", "schema": _schema(marker, story=story), "strict": True},
            },
        }

    async def _leave(self, marker: str, chance: random.Random) -> None:
        """Goes in the middle of an answer, before it, or while all of it is waited for; politely or not."""
        way = chance.random()
        if way < 0.2:  # before anything came
            async with self._connection() as (reader, writer):
                writer.write(self._request(CHAT, self._body(marker, stream=chance.random() < 0.5, story=True)))
                try:
                    async with asyncio.timeout(chance.uniform(0.0, 2.0)):
                        await reader.read(1)
                except TimeoutError:
                    return
            return
        text, pieces = "", chance.randint(1, 25)
        events = self._stream(self._body(marker, stream=True, story=True), rudely=way < 0.6)
        async for piece in events:
            text += piece
            pieces -= 1
            if not pieces:
                break
        await events.aclose()
        self._check("leaves", marker, text, begun=True)

    async def _rubbish(self, chance: random.Random) -> None:
        sound = json.dumps(self._body("c"))
        name, raw, wanted = chance.choice(
            (
                ("no JSON", self._request(CHAT, b"{not json"), (400,)),
                ("wrong types", self._request(CHAT, {"model": self._model, "messages": "hello"}), (400,)),
                ("nothing asked", self._request(CHAT, {"model": self._model}), (400,)),
                ("no such model", self._request(CHAT, {"model": "none", "messages": _messages("c")}), (404,)),
                ("a wrong key", self._request(CHAT, sound.encode(), key="pg-wrong"), (401,)),
                ("no such path", self._request("/v1/nothing", sound.encode()), (403, 404)),
                ("nesting", self._request(CHAT, b"[" * 5000), (400,)),
                ("not HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + secrets.token_bytes(64), (400,)),
                ("a body cut off", self._request(CHAT, sound.encode())[:-40], ()),
                ("a head cut off", b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half", ()),
            )
        )
        async with self._connection() as (reader, writer):
            writer.write(raw)
            await writer.drain()
            if not wanted:
                return
            status = (await reader.readline()).split()[1:2]
            if status not in [[str(code).encode()] for code in wanted]:
                self.found.fault(f"rubbish ({name}): {status} instead of {wanted}")

    # HTTP

    async def _whole(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self._connection() as (reader, writer):
            writer.write(self._request(path, body))
            status, length = await _head(reader)
            said = await reader.readexactly(length)
            if status != 200:
                raise ValueError(f"status {status}: {said[:300]!r}")
            found: dict[str, Any] = json.loads(said)
            return found

    async def _stream(
        self, body: dict[str, Any], *, slowly: bool = False, rudely: bool = False
    ) -> AsyncGenerator[str, None]:
        """The texts of a stream. One that ends without ``[DONE]`` is an error, unless this is closed before."""
        async with self._connection(small=slowly, rudely=rudely) as (reader, writer):
            writer.write(self._request(CHAT, body))
            status, length = await _head(reader)
            if status != 200:
                raise ValueError(f"status {status}: {(await reader.read(length or 300))!r}")
            done = False
            async for line in _lines(reader, slowly=slowly):
                if line == b"data: [DONE]":
                    done = True
                elif line.startswith(b"data: "):
                    event = json.loads(line[6:])
                    if "error" in event:
                        raise ValueError(f"an error in the stream: {event}")
                    for choice in event["choices"]:
                        if piece := choice["delta"].get("content"):
                            yield piece
            if not done:
                raise ValueError("the stream ended without its last word")

    @asynccontextmanager
    async def _connection(
        self, *, small: bool = False, rudely: bool = True
    ) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter], None]:
        made = socket.socket()
        made.setblocking(False)
        if small:  # what is not read soon holds up the server's own buffers
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        if rudely:  # a reset in place of a farewell
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        try:
            await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", self._port))
            reader, writer = await asyncio.open_connection(sock=made, limit=4096 if small else 1 << 20)
        except BaseException:
            made.close()
            raise
        try:
            yield reader, writer
        finally:
            writer.close()

    def _request(self, path: str, body: dict[str, Any] | bytes, *, key: str | None = None) -> bytes:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nAuthorization: Bearer {key or self._key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        return head.encode() + data


def _messages(marker: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"Your marker is {marker}. Say it, then tell a story of the sea."}]


def _schema(marker: str, *, story: bool = False) -> dict[str, Any]:
    properties: dict[str, Any] = {"m": {"const": marker}}
    if story:
        properties["story"] = {"type": "string", "minLength": 60, "maxLength": 160}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


async def _head(reader: asyncio.StreamReader) -> tuple[int, int]:
    """The status, and the length of the body where it is said."""
    status = int((await reader.readline()).split()[1])
    length = 0
    while (line := await reader.readline()) not in (b"\r\n", b""):
        name, _, value = line.lower().partition(b":")
        if name == b"content-length":
            length = int(value)
    return status, length


async def _lines(reader: asyncio.StreamReader, *, slowly: bool) -> AsyncGenerator[bytes, None]:
    """The lines of a chunked body."""
    held = b""
    while size := int(await reader.readline(), 16):
        left = size
        while left:
            piece = await reader.read(min(left, 1024 if slowly else left))
            if not piece:
                raise ValueError("the stream was cut")
            left -= len(piece)
            held += piece
            if slowly:
                await asyncio.sleep(0.02)
        await reader.readexactly(2)
        *lines, held = held.split(b"\n")
        for line in lines:
            yield line
