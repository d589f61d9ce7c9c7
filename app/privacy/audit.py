"""Which of Python's audit events would leave the machine (sys.addaudithook, PEP 578)."""

from __future__ import annotations

import socket
from typing import Any, NamedTuple

from .connections import is_loopback_address

_ADDRESSED = {
    "socket.connect": "connect to",
    "socket.sendto": "send to",
    "socket.sendmsg": "send to",
    "socket.bind": "listen on",
}
_NAMED = frozenset(("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"))
_NATIVE = frozenset(
    ("connect", "sendto", "sendmsg", "sendmmsg", "getaddrinfo", "gethostbyname", "gethostbyname_r", "syscall")
)
WATCHED = frozenset((*_ADDRESSED, *_NAMED, "socket.getnameinfo", "socket.__new__", "ctypes.dlsym"))
"""The events that ``denied`` has an opinion about."""

_INTERNET = frozenset((socket.AF_INET, socket.AF_INET6))
_HARMLESS = frozenset(
    int(getattr(socket, name)) for name in ("AF_UNIX", "AF_NETLINK", "AF_ALG", "AF_SYSTEM") if hasattr(socket, name)
)
_KIND_BITS = 0xF


class Denied(NamedTuple):
    """What would have been done, as the middle of a sentence, and to what."""

    deed: str
    target: str


def denied(event: str, args: tuple[Any, ...]) -> Denied | None:
    """Why an event must not happen in local-only mode; ``None`` when it may.

    Args:
        event: one of ``WATCHED``.
        args: as the interpreter gives them.
    """
    if event in _ADDRESSED:
        return _address(_ADDRESSED[event], args[0].family, args[1])
    if event in _NAMED:
        return _name(args[0])
    if event == "socket.getnameinfo":
        return _address("look up", socket.AF_INET, args[0])
    if event == "socket.__new__":
        return _kind(args[1], args[2])
    return Denied("call the C library's", args[1]) if args[1] in _NATIVE else None


def _address(deed: str, family: int, address: Any) -> Denied | None:
    if family not in _INTERNET:
        return None if family in _HARMLESS else Denied(deed, repr(address))
    if address is None:  # the one that it is connected to, which was looked at then
        return None
    host = address[0] if isinstance(address, tuple) and address else address
    port = f" port {address[1]}" if isinstance(address, tuple) and len(address) > 1 else ""
    try:
        # By name Python has resolved it already, to who knows what: this machine's is replaced by a number before.
        if isinstance(host, str) and is_loopback_address(host):
            return None
    except ValueError:
        pass
    return Denied(deed, f"{host or 'every address'}{port}")


def _name(host: Any) -> Denied | None:
    if host is None or host in ("", b""):
        return None
    text = host.decode("ascii", "backslashreplace") if isinstance(host, bytes | bytearray) else str(host)
    try:
        is_loopback_address(text)
    except ValueError:
        return Denied("look up", text)
    return None  # a number needs no look-up; connecting to it is another event


def _kind(family: int, kind: int) -> Denied | None:
    if family in _INTERNET:
        return Denied("open", "a raw socket") if kind & _KIND_BITS == getattr(socket, "SOCK_RAW", 3) else None
    # -1 takes over a descriptor that is there already.
    return None if family == -1 or family in _HARMLESS else Denied("open", f"a socket of family {family}")
