"""Connections in HTTP/1.1 that are kept, against a peer that writes the bytes which it is told to write."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from app.backends.endpoint import Endpoint
from app.backends.http.answers import whole
from app.backends.http.first import FirstWire
from app.backends.http.kept import KeptConnection
from app.backends.http.resolving import Resolver
from app.errors import RemoteError, RemoteTimeoutError, RemoteUnreachableError, StreamBrokenError

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
Say = Callable[[int, bytes], Sequence[bytes] | None]


class Peer:
    """Counts connections; answers each request with pieces, and closes after an empty one."""

    def __init__(self, say: Say, pause: float) -> None:
        self.say, self.pause = say, pause
        self.requests: list[tuple[int, bytes]] = []
        self.connections = self.open = 0
        self.url = ""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        number = self.connections
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((int(x[15:]) for x in head.split(b"\r\n") if x.startswith(b"content-length:")), 0)
                request = head + await reader.readexactly(length)
                self.requests.append((number, request))
                pieces = self.say(len(self.requests), request)
                if pieces is None:
                    await reader.read()
                    return
                for piece in pieces:
                    if not piece:
                        return
                    writer.write(piece)
                    await asyncio.sleep(self.pause)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            writer.close()


@asynccontextmanager
async def peer(say: Say, pause: float = 0.0) -> AsyncIterator[Peer]:
    made = Peer(say, pause)
    server = await asyncio.start_server(made.talk, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield made
    finally:
        server.close()


@asynccontextmanager
async def wire_to(there: Peer, **fields: float) -> AsyncIterator[FirstWire]:
    endpoint = Endpoint(name="there", kind="openai", url=there.url, **fields)  # type: ignore[arg-type]
    wire = FirstWire(endpoint, Resolver(lambda address: None, 5.0), None)
    try:
        async with asyncio.timeout(20):
            yield wire
    finally:
        await wire.aclose()


def due(wire: FirstWire) -> float:
    """When an answer must be whole that is asked for now."""
    return asyncio.get_running_loop().time() + wire._endpoint.total_s


async def asked(wire: FirstWire, there: Peer, method: str = "POST", body: bytes | None = b"{}") -> bytes:
    answer = await wire.send(method, there.url + "/chat", {"authorization": "Bearer k"}, body, due(wire))
    try:
        return await whole(answer, 10_000_000)
    finally:
        await answer.close()


@pytest.mark.parametrize(
    "said",
    [
        OK,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nx-late: 1\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: x\r\n\r\n" + OK,
    ],
)
async def test_an_answer_split_at_every_byte_is_the_same_and_its_connection_is_kept(said: bytes) -> None:
    splits = [[said[:place], said[place:]] for place in range(1, len(said))]
    async with peer(lambda number, request: splits[number - 1], 0.0) as there, wire_to(there) as wire:
        for _ in splits:
            assert await asked(wire, there) == b"hello"
        assert there.connections == 1


async def test_what_is_sent() -> None:
    async with peer(lambda number, request: [OK]) as there, wire_to(there) as wire:
        await asked(wire, there)
        await asked(wire, there, "GET", None)
    host = there.url[7:-3].encode()
    first, second = (request for _, request in there.requests)
    assert first == (
        b"POST /v1/chat HTTP/1.1\r\nhost: " + host + b"\r\nauthorization: Bearer k\r\ncontent-length: 2\r\n\r\n{}"
    )
    assert second == b"GET /v1/chat HTTP/1.1\r\nhost: " + host + b"\r\nauthorization: Bearer k\r\n\r\n"


@pytest.mark.parametrize("bad", [{"x": "a\r\nb: c"}, {"x": "a\0"}, {"x y": "a"}, {"": "a"}, {"x:": "a"}, {"x": "a\nb"}])
async def test_no_header_becomes_two(bad: dict[str, str]) -> None:
    async with peer(lambda number, request: [OK]) as there, wire_to(there) as wire:
        for _ in range(2):
            with pytest.raises(RemoteError, match="characters that headers cannot have"):
                await wire.send("POST", there.url, bad, b"", due(wire))
        assert there.requests == []


async def test_an_answer_until_the_end_of_the_connection() -> None:
    async with (
        peer(lambda number, request: [b"HTTP/1.1 200 OK\r\n\r\nhe", b"llo", b""]) as there,
        wire_to(there) as wire,
    ):
        assert [await asked(wire, there) for _ in range(2)] == [b"hello"] * 2
        assert there.connections == 2


@pytest.mark.parametrize(
    "said",
    [
        OK + b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello",
        OK + b"x",
    ],
)
async def test_a_connection_on_which_more_came_than_was_asked_for_is_not_used_again(said: bytes) -> None:
    async with peer(lambda number, request: [said]) as there, wire_to(there) as wire:
        for _ in range(3):
            assert await asked(wire, there) == b"hello"
        assert there.connections == 3


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ([b""], RemoteUnreachableError),
        ([b"HTTP/1.1 200 OK\r\ncontent-le", b""], RemoteUnreachableError),
        ([b"SSH-2.0-x\r\n"], RemoteUnreachableError),
        ([b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"], RemoteError),
        ([b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 40_000 + b"\r\n"], RemoteUnreachableError),
        ([b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000], RemoteUnreachableError),
        ([b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello", b""], StreamBrokenError),
        ([b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", b""], StreamBrokenError),
        ([b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"], StreamBrokenError),
        (
            [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n" + b"a: b\r\n" * 100_000],
            StreamBrokenError,
        ),
        ([b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 6\r\n\r\nhello"], RemoteError),
        ([b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 6\r\n\r\nhello"], StreamBrokenError),
    ],
)
async def test_what_is_not_whole_or_not_http_is_an_error_and_leaves_no_connection(
    said: list[bytes], error: type[RemoteError]
) -> None:
    async with peer(lambda number, request: said) as there, wire_to(there) as wire:
        with pytest.raises(error):
            await asked(wire, there)
        while there.open:
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "raw"])
async def test_packed_though_it_was_not_asked_for(coding: str) -> None:
    text = b"hello " * 100_000
    raw = zlib.compressobj(wbits=-15)
    packed = {"gzip": gzip.compress(text), "deflate": zlib.compress(text), "raw": raw.compress(text) + raw.flush()}
    name = b"gzip" if coding == "gzip" else b"deflate"
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: %b\r\ncontent-length: %d\r\n\r\n" % (name, len(packed[coding]))
    async with peer(lambda number, request: [head, packed[coding]]) as there, wire_to(there) as wire:
        assert [await asked(wire, there) for _ in range(2)] == [text] * 2
        assert there.connections == 1


async def test_silence_has_an_end() -> None:
    async with peer(lambda number, request: None) as there, wire_to(there, read_s=0.1) as wire:
        with pytest.raises(RemoteTimeoutError, match=r"did not begin to answer within 0\.1"):
            await asked(wire, there)
    slow = [b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", b"h"]
    async with peer(lambda number, request: slow) as there, wire_to(there, read_s=0.1) as wire:
        with pytest.raises(RemoteTimeoutError, match=r"said nothing more for 0\.1"):
            await asked(wire, there)
    drip = [b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n", *[b"h"] * 50]
    async with peer(lambda number, request: drip, 0.02) as there, wire_to(there, read_s=0.2, total_s=0.3) as wire:
        with pytest.raises(RemoteTimeoutError, match=r"not answered in full after 0\.3"):
            await asked(wire, there)


async def test_who_reads_slowly_is_waited_for_and_holds_no_more_than_a_little() -> None:
    body = bytes(8_000_000)
    head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body)
    async with peer(lambda number, request: [head, body]) as there, wire_to(there, read_s=0.1) as wire:
        answer = await wire.send("POST", there.url, {}, b"{}", due(wire))
        await asyncio.sleep(0.3)
        assert sum(map(len, answer.pieces)) < 1_000_000  # type: ignore[attr-defined]
        assert await whole(answer, len(body)) == body
        await answer.close()


async def test_connections_have_a_bound_and_are_handed_on() -> None:
    async with peer(lambda number, request: [OK], 0.001) as there, wire_to(there, connections=3) as wire:
        leaving = [asyncio.create_task(asked(wire, there)) for _ in range(60)]
        await asyncio.sleep(0.005)
        for task in leaving[::3]:
            task.cancel()
        ended = await asyncio.gather(*leaving, return_exceptions=True)
        assert all(one == b"hello" or isinstance(one, asyncio.CancelledError) for one in ended)
        assert await asyncio.gather(*(asked(wire, there) for _ in range(30))) == [b"hello"] * 30
        assert there.open <= 3


async def test_a_request_that_takes_a_connection_at_once_is_not_forgotten() -> None:
    """The one before may still be on its way out of its wait."""
    async with peer(lambda number, request: [OK]) as there, wire_to(there, connections=1) as wire:

        async def again(times: int) -> None:
            for _ in range(times):
                assert await asked(wire, there) == b"hello"

        await asyncio.gather(*(again(20) for _ in range(5)))
        assert there.connections == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_kept_connection_that_the_peer_closes_as_it_is_asked(method: str) -> None:
    """What changes nothing is asked again; whether anything else is, the router decides."""
    async with (
        peer(lambda number, request: [b""] if number == 2 else [OK]) as there,
        wire_to(there) as wire,
    ):
        assert await asked(wire, there, method, None) == b"hello"
        if method == "GET":
            assert await asked(wire, there, method, None) == b"hello"
        else:
            with pytest.raises(RemoteUnreachableError):
                await asked(wire, there, method, None)


async def test_an_answer_that_is_left_closes_its_connection() -> None:
    async with (
        peer(lambda number, request: [b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nh"]) as there,
        wire_to(there) as wire,
    ):
        answer = await wire.send("POST", there.url, {}, b"{}", due(wire))
        assert await answer.more() == b"h"
        await answer.close()
        await answer.close()
        while there.open:
            await asyncio.sleep(0.005)


async def test_closing_ends_what_waits() -> None:
    async with peer(lambda number, request: None) as there, wire_to(there, connections=1) as wire:
        waiting = [asyncio.create_task(asked(wire, there)) for _ in range(3)]
        while not there.requests:
            await asyncio.sleep(0.005)
        await wire.aclose()
        ended = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(one, RemoteError) for one in ended)


async def test_a_head_without_end_is_refused_though_it_comes_at_once() -> None:
    async with peer(lambda number, request: None) as there:
        endpoint = Endpoint(name="there", kind="openai", url=there.url)
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: KeptConnection(endpoint, "there", lambda _: None, lambda _: None),
            *there.url.removeprefix("http://").removesuffix("/v1").split(":"),
        )
        asking = asyncio.ensure_future(connection.ask(b"POST / HTTP/1.1\r\n\r\n", loop.time() + 20))
        await asyncio.sleep(0)
        connection.data_received(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 40_000 + b"\r\n")
        with pytest.raises(RemoteUnreachableError):
            await asking
        assert connection.lost
