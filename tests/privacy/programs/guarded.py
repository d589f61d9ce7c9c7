"""A process of its own with the guard installed: tries a list of deeds and prints what came of each, as JSON.

    guarded.py HOST4 PORT [HOST6]

First with local-only mode on, then off, then on again while a connection is open.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import socket
import sys
from collections.abc import Callable

from app.errors import LocalOnlyError
from app.privacy.connections import ConnectionPolicy
from app.privacy.guard import LocalOnlyGuard

HOST, PORT = sys.argv[1], int(sys.argv[2])
HOST6 = sys.argv[3] if len(sys.argv) > 3 else "2001:db8::1"


def tcp() -> None:
    socket.create_connection((HOST, PORT), 2).close()


def tcp_name() -> None:
    socket.socket().connect(("somewhere.invalid", PORT))


def tcp6() -> None:
    with socket.socket(socket.AF_INET6) as there:
        there.settimeout(2)
        there.connect((HOST6, PORT))


def connect_ex() -> None:
    with socket.socket() as there:
        there.settimeout(2)
        there.connect_ex((HOST, PORT))


def udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.sendto(b"x", (HOST, PORT))


def udp_flags() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.sendto(b"x", 0, ("somewhere.invalid", PORT))


def udp_message() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.sendmsg([b"x"], [], 0, (HOST, PORT))


def raw() -> None:
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()


def packet() -> None:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()


def wildcard() -> None:
    with socket.socket() as here:
        here.bind(("", 0))


def look_up() -> None:
    socket.getaddrinfo("somewhere.invalid", 80)


def old_look_up() -> None:
    socket.gethostbyname("somewhere.invalid")


def reverse() -> None:
    socket.gethostbyaddr("somewhere.invalid")


def underneath() -> None:
    import _socket

    _socket.socket().connect((HOST, PORT))


def loop() -> None:
    async def there() -> None:
        _, writer = await asyncio.open_connection(HOST, PORT)
        writer.close()

    asyncio.run(asyncio.wait_for(there(), 2))


def loop_name() -> None:
    asyncio.run(asyncio.open_connection("somewhere.invalid", PORT))


def with_httpx() -> None:
    import httpx

    httpx.get(f"http://{HOST}:{PORT}/", timeout=2)


def with_aiohttp() -> None:
    import aiohttp

    async def there() -> None:
        async with aiohttp.ClientSession() as session, session.get(f"http://{HOST}:{PORT}/"):
            pass

    asyncio.run(asyncio.wait_for(there(), 2))


def with_aiohttp_name() -> None:
    import aiohttp

    async def there() -> None:
        async with aiohttp.ClientSession() as session, session.get(f"http://somewhere.invalid:{PORT}/"):
            pass

    asyncio.run(there())


def native() -> None:
    ctypes.CDLL(None).connect(-1, b"", 0)


def hub() -> None:
    import huggingface_hub

    huggingface_hub.HfApi(endpoint=f"http://{HOST}:{PORT}").model_info("someone/something", timeout=2)


DEEDS: list[Callable[[], None]] = [
    tcp, tcp_name, tcp6, connect_ex, udp, udp_flags, udp_message, raw, packet, wildcard, look_up, old_look_up, reverse,
    underneath, loop, loop_name, with_httpx, with_aiohttp, with_aiohttp_name, native, hub,
]  # fmt: skip


def outcome(deed: Callable[[], None]) -> str:
    try:
        deed()
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is what is reported
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, LocalOnlyError):
                return "denied"
            cause = cause.__cause__ or cause.__context__
        return type(error).__name__
    return "done"


def local() -> list[str]:
    """What stays allowed: loopback by number and by name, and sockets of this machine."""

    async def there() -> str:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        for host in ("127.0.0.1", "localhost"):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
        socket.create_connection(("localhost", port), 2).close()
        server.close()
        left, right = socket.socketpair()
        left.close()
        right.close()
        return "done"

    return [asyncio.run(there()), socket.gethostbyname("localhost")]


policy = ConnectionPolicy(local_only=True)
guard = LocalOnlyGuard(policy)
guard.install()
told = {"on": {deed.__name__: outcome(deed) for deed in DEEDS}, "local": local()}
told["variables on"] = os.environ.get("HF_HUB_OFFLINE")
guard.off()
told["variables off"] = os.environ.get("HF_HUB_OFFLINE")
told["off"] = {deed.__name__: outcome(deed) for deed in (tcp, udp, with_httpx, with_aiohttp, hub)}
here = socket.socket()
here.bind((HOST, 0))
here.listen()
open_one = socket.create_connection(here.getsockname(), 2)
guard.on()
told["cut"] = open_one.recv(1) == b""
told["on again"] = outcome(tcp)
print(json.dumps(told))
