"""A listener on an address of this machine that is not loopback: what reaches it would have left it."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil
import pytest


@dataclass
class Listener:
    """Counts the connections and datagrams that come to one port of an address."""

    host: str
    port: int
    came: list[str] = field(default_factory=list)


def own_address() -> str | None:
    """An address of this machine that others could reach, if it has one."""
    for addresses in psutil.net_if_addrs().values():
        for address in addresses:
            if address.family == socket.AF_INET and not ipaddress.ip_address(address.address).is_loopback:
                return address.address
    return None


@contextmanager
def listening_outside() -> Iterator[Listener]:
    """Listens while the block lasts; the test is skipped where there is no such address."""
    host = own_address()
    if host is None:
        pytest.skip("this machine has no address but loopback")
    with socket.create_server((host, 0)) as streams, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        listener = Listener(host, streams.getsockname()[1])
        datagrams.bind((host, listener.port))
        for one, kind in ((streams, "tcp"), (datagrams, "udp")):
            one.settimeout(0.1)
            threading.Thread(target=_count, args=(one, kind, listener.came), daemon=True).start()
        yield listener


def _count(one: socket.socket, kind: str, came: list[str]) -> None:
    while True:
        try:
            if kind == "tcp":
                one.accept()[0].close()
            else:
                one.recv(100)
            came.append(kind)
        except TimeoutError:
            continue
        except OSError:
            return
