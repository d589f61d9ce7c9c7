"""A try to get out of a process that has no network, from within it, past Python: for ``doctor --privacy``."""

from __future__ import annotations

import ctypes
import ipaddress
import os
import socket
import struct

from .kernel import Confinement

_SECONDS = 2


def reach(confinement: Confinement, host: str, port: int) -> str:
    """What keeps this process from the network, and what came of a connection made by the C library itself.

    Gives ``BY RESULT``: ``seccomp``, ``namespace`` or ``nothing``, then ``reached`` or the words for the error number.
    """
    return f"{confinement.by or 'nothing'} {native_connect(host, port)}"


def native_connect(host: str, port: int) -> str:
    """Connects by the C library: no event of Python's tells of it once the library's functions are found.

    Gives ``reached``, or the system's words for why not.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    connect = libc.connect
    made = libc.socket(int(socket.AF_INET), int(socket.SOCK_STREAM), 0)
    if made < 0:
        return os.strerror(ctypes.get_errno())
    try:
        # struct sockaddr_in, and a timeout so that silence does not hang.
        libc.setsockopt(made, socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _SECONDS, 0), 16)
        address = struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + ipaddress.IPv4Address(host).packed
        return "reached" if connect(made, address + bytes(8), 16) == 0 else os.strerror(ctypes.get_errno())
    finally:
        os.close(made)
