"""Whoever leaves is missed at once, however much was sent before, and no task waits for it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from app.server.connection import Connection
from app.server.serving import Serving, listen
from app.server.streaming import ClientGoneError, unless_gone


class Patient:
    """An application that reads a whole body and then takes its time."""

    def __init__(self):
        self.works, self.left = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope, receive, send):
        more = True
        while more:
            message = await receive()
            more = message.get("more_body", False)
        try:
            await unless_gone(scope, receive, self._work())
        except ClientGoneError:
            self.left.set()

    async def _work(self):
        self.works.set()
        await asyncio.sleep(30)


@asynccontextmanager
async def served():
    app = Patient()
    async with Serving(app, listen("127.0.0.1", 0), shutdown_s=0.1).running() as address:
        host, port = address.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            async with asyncio.timeout(10):
                yield app, reader, writer
        finally:
            writer.close()


@pytest.mark.parametrize("size", [2, 60_000, 70_000, 1_000_000])
@pytest.mark.parametrize("piece", [1 << 20, 65_000, 7_000])
@pytest.mark.parametrize("how", ["closed", "half", "reset"])
async def test_a_client_that_leaves_is_missed_at_once(size, piece, how):
    async with served() as (app, _, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % size)
        for begin in range(0, size, piece):
            writer.write(bytes(min(piece, size - begin)))
            await writer.drain()
            await asyncio.sleep(0)
        await app.works.wait()
        if how == "half":
            writer.write_eof()
        elif how == "reset":
            writer.transport.abort()
        else:
            writer.close()
        await app.left.wait()


async def test_a_chunked_body_that_ends_by_itself():
    async with served() as (app, _, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(20):
            writer.write(b"2710\r\n" + bytes(10_000) + b"\r\n")
            await asyncio.sleep(0.001)
        writer.write(b"0\r\n\r\n")
        await app.works.wait()
        writer.close()
        await app.left.wait()


async def test_who_has_left_before_is_not_worked_for():
    connection, done = Connection(), []
    connection.lost()

    async def work():
        done.append(1)

    with pytest.raises(ClientGoneError):
        await unless_gone({"state": {"connection": connection}}, None, work())
    assert done == []


async def test_a_cancel_from_elsewhere_is_no_departure():
    connection = Connection()
    task = asyncio.create_task(unless_gone({"state": {"connection": connection}}, None, asyncio.sleep(30)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    connection.lost()  # nobody is told any more
