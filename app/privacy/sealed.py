"""``playground --sealed``: the whole program in a network of its own that has nothing in it but its own loopback.

What the kernel gives then holds for everything: every library, native code, every program that is started from here.
Pathname Unix sockets are files and still reach services of this machine, such as the keyring; a service that looks up
names for others (over D-Bus or its own socket) is one of those, and the guard is what keeps Python from asking it.
"""

from __future__ import annotations

import errno
import socket
import struct
import sys
from pathlib import Path

from app.errors import NotSupportedError

from .kernel import unshare_network

_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1
_WITHOUT = "Without --sealed, --local-only keeps everything of ours in."


def seal() -> None:
    """Cuts this process off from every network, for good, with all that it starts. Call it before anything is started.

    Raises:
        NotSupportedError: when this system does not allow it; nothing has been changed then.
    """
    if sys.platform != "linux":
        raise NotSupportedError(f"A sealed program needs Linux; this is {sys.platform}.", _WITHOUT)
    try:
        unshare_network()
        _raise_loopback()
    except OSError as error:
        raise NotSupportedError(f"The program cannot be sealed here: {_why(error)}.", _WITHOUT) from error


def is_sealed() -> bool:
    """Whether this process's network has nothing in it but loopback: no other device is up."""
    if sys.platform != "linux":
        return False
    return all(name == "lo" or not _flags(name) & _UP for _, name in socket.if_nameindex())


def _raise_loopback() -> None:
    """A new network's loopback is down, and even 127.0.0.1 cannot be reached in it."""
    import fcntl

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as any_socket:
        wanted = struct.pack("16sH22x", b"lo", _flags("lo") | _UP)
        fcntl.ioctl(any_socket, _SET_FLAGS, wanted)


def _flags(name: str) -> int:
    import fcntl

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as any_socket:
        told = fcntl.ioctl(any_socket, _GET_FLAGS, struct.pack("16sH22x", name.encode(), 0))
    flags: int = struct.unpack("16sH22x", told)[1]
    return flags


def _why(error: OSError) -> str:
    words = error.strerror or str(error)
    if error.errno in (errno.EPERM, errno.EACCES):
        return f"{words}; {_forbidden_by()}"
    if error.errno == errno.EINVAL:
        return f"{words}; this process has several threads already"
    return words


def _forbidden_by() -> str:
    apparmor = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    try:
        if apparmor.read_text().strip() == "1":
            return "AppArmor restricts user namespaces (kernel.apparmor_restrict_unprivileged_userns)"
    except OSError:
        pass  # not a system with that rule
    return "user namespaces are switched off for this user, as they are in most containers"
