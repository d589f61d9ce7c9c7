"""Local-only mode at the connection itself: whatever library asks, nothing but loopback is reached.

Two things stand in the way, both asking the one ``ConnectionPolicy``. Names are dealt with in front of the functions of
the socket module: Python resolves a name within ``connect`` before it tells anybody, and a look-up is a packet too. All
else is an audit hook, which sees the sockets of every Python library, and the addresses that names have become.

What it does not see: native code that makes sockets without Python, and programs that are no Python of ours. Those
need the kernel: worker processes never have sockets (``app.privacy.kernel``), ``playground --sealed`` leaves the whole
program without a network (``app.privacy.sealed``).
"""

from __future__ import annotations

import os
import socket
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any

from app.errors import LocalOnlyError

from .audit import WATCHED, Denied, denied
from .connections import ConnectionPolicy, is_loopback_address

_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "PIP_NO_INDEX": "1",
}
_SILENT = {"HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
_LOCAL_NAMES = frozenset(("localhost", "localhost.localdomain", "localhost6", "ip6-localhost", "ip6-loopback"))
_INTERNET = (socket.AF_INET, socket.AF_INET6)


class LocalOnlyGuard:
    """Denies every connect, send, bind and name look-up that is not loopback while its policy says local-only.

    Args:
        policy: is asked each time, so that the mode may change while the program runs.
    """

    def __init__(self, policy: ConnectionPolicy) -> None:
        self.policy = policy
        self._installed = False
        self._before: dict[str, str | None] = {}

    def install(self) -> None:
        """Puts it in place for the rest of the process's life; an audit hook cannot be taken out.

        Call it before anything is imported that may connect.
        """
        if self._installed:
            return
        self._installed = True
        for name, value in _SILENT.items():
            os.environ.setdefault(name, value)
        sys.addaudithook(self._audit)
        self._stand_before_names()
        self.policy.watch(self._switched)
        self._switched(self.policy.local_only)

    def on(self) -> None:
        """From now on nothing leaves; connections that are open to elsewhere are cut."""
        self.policy.local_only = True

    def off(self) -> None:
        """Connections out are allowed again."""
        self.policy.local_only = False

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        # Called for every import and every file that is opened too: a few hundred nanoseconds each.
        if event in WATCHED and self.policy.local_only:
            found = denied(event, args)
            if found is not None:
                raise _error(found)

    def _switched(self, on: bool) -> None:
        self._tell_libraries(on)
        if on:
            cut_outward()

    def _tell_libraries(self, on: bool) -> None:
        """Says it in the variables that libraries read, some of them once when they are imported."""
        if on:
            for name, value in _OFFLINE.items():
                self._before.setdefault(name, os.environ.get(name))
                os.environ[name] = value
        else:
            for name, before in self._before.items():
                if before is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = before
            self._before.clear()
        hub = sys.modules.get("huggingface_hub.constants")
        if hub is not None:
            hub.HF_HUB_OFFLINE = on or _is_set("HF_HUB_OFFLINE")  # type: ignore[attr-defined]

    def _stand_before_names(self) -> None:
        policy = self.policy

        def at_address(name: str, place: int) -> None:
            original: Callable[..., Any] = getattr(socket.socket, name)

            @wraps(original)
            def guarded(self: socket.socket, *args: Any) -> Any:
                # sendto takes flags before the address.
                at = len(args) - 1 if place < 0 else place
                if policy.local_only and self.family in _INTERNET and len(args) > at:
                    address = _numeric(args[at], self.family, name)
                    args = (*args[:at], address, *args[at + 1 :])
                return original(self, *args)

            setattr(socket.socket, name, guarded)

        for name, place in (("connect", 0), ("connect_ex", 0), ("bind", 0), ("sendto", -1), ("sendmsg", 3)):
            if hasattr(socket.socket, name):
                at_address(name, place)
        for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
            _stand_before(policy, name)


def _stand_before(policy: ConnectionPolicy, name: str) -> None:
    original: Callable[..., Any] = getattr(socket, name)

    @wraps(original)
    def guarded(host: Any, *args: Any, **options: Any) -> Any:
        if not policy.local_only or not _is_name(host):
            return original(host, *args, **options)
        if _text(host).lower().rstrip(".") not in _LOCAL_NAMES:
            raise _error(Denied("look up", _text(host)))
        # This machine's own name needs no look-up, and whatever one says of it is not believed.
        if name != "getaddrinfo":
            return original("127.0.0.1", *args, **options)
        found: list[Any] = []
        for address in ("127.0.0.1", "::1"):
            with suppress(socket.gaierror):
                found += original(address, *args, **options)
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "localhost has no address of this family")
        return found

    setattr(socket, name, guarded)


def _numeric(address: Any, family: int, deed: str) -> Any:
    """The address with a number for its name: of this machine's own name alone, others are denied unresolved."""
    if not isinstance(address, tuple) or not address or not _is_name(address[0]):
        return address
    name = _text(address[0])
    if name.lower().rstrip(".") not in _LOCAL_NAMES:
        raise _error(Denied("listen on" if deed == "bind" else "connect to", name))
    return ("::1" if family == socket.AF_INET6 else "127.0.0.1", *address[1:])


def _is_name(host: Any) -> bool:
    if not isinstance(host, str | bytes | bytearray) or not host:
        return False
    try:
        is_loopback_address(_text(host))
    except ValueError:
        return True
    return False


def _text(host: str | bytes | bytearray) -> str:
    return host if isinstance(host, str) else bytes(host).decode("ascii", "backslashreplace")


def _error(found: Denied) -> LocalOnlyError:
    return LocalOnlyError(
        f"Local-only mode is on, so Playground did not {found.deed} {found.target}.",
        "Switch local-only mode off to allow it.",
    )


def _is_set(name: str) -> bool:
    return os.environ.get(name, "").upper() in ("1", "ON", "YES", "TRUE")


def cut_outward() -> int:
    """Shuts every connection of this process whose other end is not this machine; gives how many.

    What is being answered over one ends there, as if the network had gone. Sockets that listen are left: whoever
    opened them closes them.
    """
    folder = Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")
    cut = 0
    for number in [int(entry.name) for entry in folder.iterdir()] if folder.is_dir() else ():
        with suppress(OSError):
            if not stat.S_ISSOCK(os.fstat(number).st_mode):
                continue
            with socket.socket(fileno=os.dup(number)) as connection:
                if connection.family in _INTERNET and not is_loopback_address(connection.getpeername()[0]):
                    connection.shutdown(socket.SHUT_RDWR)
                    cut += 1
    return cut
