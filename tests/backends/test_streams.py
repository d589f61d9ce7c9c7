"""Streams of HTTP/2 against a peer made of h2 itself, byte by byte where it matters."""

from __future__ import annotations

import asyncio
from typing import Any

import h2.config
import h2.connection
import h2.events
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.backends.http.streams import Stream, StreamConnection

ASKED = [(b":method", b"POST"), (b":authority", b"x"), (b":scheme", b"https"), (b":path", b"/")]


class Writer:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.sent = b""
        self.transport: Any = self
        self.closed = False

    def write(self, data: bytes) -> None:
        self.sent += data

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return 0

    def abort(self) -> None:
        self.closed = True


class Peer:
    """The other end."""

    def __init__(self) -> None:
        self.state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self.state.initiate_connection()
        self.reader = asyncio.StreamReader()
        self.writer = Writer()
        self.connection = StreamConnection(self.reader, self.writer)  # type: ignore[arg-type]

    def heard(self) -> list[h2.events.Event]:
        data, self.writer.sent = self.writer.sent, b""
        return self.state.receive_data(data)

    async def say(self, extra: bytes = b"", size: int = 0) -> None:
        data = self.state.data_to_send() + extra
        for place in range(0, len(data), size or len(data) or 1):
            self.reader.feed_data(data[place : place + (size or len(data))])
            await settle()

    def farewell(self, last: int) -> bytes:
        return b"\0\0\x08\x07\0\0\0\0\0" + last.to_bytes(4) + b"\0\0\0\0"

    def begin(self) -> Stream:
        stream = self.connection.begin(ASKED, with_body=False)
        self.heard()
        self.state.send_headers(stream.number, [(b":status", b"200")])
        return stream


async def settle() -> None:
    for _ in range(4):
        await asyncio.sleep(0)


@pytest.mark.parametrize("size", [0, 1, 5])
async def test_streams_that_run_are_not_ended_by_a_farewell(size: int) -> None:
    peer = Peer()
    kept, refused = peer.begin(), peer.begin()
    await peer.say(size=size)
    assert kept.head == [(b":status", b"200")]
    await peer.say(peer.farewell(kept.number), size=size)
    assert (kept.failed, refused.failed, peer.connection.has_room) == (False, True, False)
    peer.state.send_data(kept.number, b"more", end_stream=True)
    await peer.say(size=size)
    assert (peer.connection.take(kept), kept.ended) == (b"more", True)
    assert not peer.connection.over
    peer.connection.close(kept)
    peer.connection.close(refused)
    assert peer.connection.over
    await peer.connection.aclose()


async def test_allowances_are_given_back_for_ever_and_for_what_nobody_reads() -> None:
    peer = Peer()
    read, left = peer.begin(), peer.begin()
    await peer.say()
    peer.connection.close(left)
    total = 0
    for _ in range(2000):
        peer.state.send_data(read.number, b"x" * 10_000)
        await peer.say()
        total += len(peer.connection.take(read))
        peer.heard()
    assert total == 20_000_000
    await peer.connection.aclose()


async def test_a_reset_a_loss_and_leaving() -> None:
    peer = Peer()
    reset, left, lost = peer.begin(), peer.begin(), peer.begin()
    await peer.say()
    peer.state.reset_stream(reset.number, error_code=7)
    await peer.say()
    assert reset.untouched
    assert (reset.failed, left.failed) == (True, False)
    peer.connection.close(left)
    assert h2.events.StreamReset in [type(event) for event in peer.heard()]
    peer.reader.feed_eof()
    await settle()
    assert lost.failed
    assert peer.connection.over
    assert peer.writer.closed
    await peer.connection.aclose()


@given(st.lists(st.binary(max_size=40), max_size=5), st.integers(0, 30))
@settings(max_examples=60, deadline=None)
def test_garbage_loses_the_connection_and_no_more(noise: list[bytes], size: int) -> None:
    async def run() -> None:
        peer = Peer()
        stream = peer.begin()
        await peer.say(b"".join(noise), size=size)
        peer.reader.feed_eof()
        await settle()
        assert peer.connection.lost
        assert stream.failed or stream.ended
        peer.connection.close(stream)
        await peer.connection.aclose()

    asyncio.run(run())
