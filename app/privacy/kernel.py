"""No network, said to the kernel: it holds for native code and for children too, and cannot be taken back.

On Linux by seccomp (seccomp(2), a classic BPF program on the numbers of system calls): sockets cannot be made or
connected, and nothing can be borrowed from another process. seccomp sees no addresses, so this is all or nothing;
it suits processes that need no network at all. Where seccomp is not to be had, an empty network namespace is tried.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import socket
import struct
import sys
from dataclasses import dataclass
from typing import Literal

_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER_MODE = 38, 22, 2
_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_LOAD, _EQUAL, _AT_LEAST, _GIVE = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EACCES
_NUMBER_AT, _MACHINE_AT = 0, 4
_X32 = 0x40000000

_FIRST_ARGUMENT_AT = 16
_MACHINES: dict[str, tuple[int, int, tuple[int, ...]]] = {
    "x86_64": (0xC000003E, 41, (42, 101, 310, 311, 425, 438)),
    "aarch64": (0xC00000B7, 198, (203, 117, 270, 271, 425, 438)),
}
"""By machine its audit architecture, the number of socket, and those of connect, ptrace, process_vm_readv and
process_vm_writev, io_uring_setup (which makes and uses sockets unseen) and pidfd_getfd (which takes them from others).
"""


@dataclass(frozen=True)
class Confinement:
    """What keeps this process from the network; ``why_not`` says why nothing of the kernel does."""

    by: Literal["seccomp", "namespace", ""]
    why_not: str = ""


def deny_network(*, local_sockets: bool = False) -> Confinement:
    """Takes the network from this process and all that it starts, for good. Call it while there is one thread.

    It is tried out before it is believed.

    Args:
        local_sockets: lets Unix sockets be made, though never connected: drivers of graphics cards listen on one.
    """
    refused = _by_seccomp(local_sockets=local_sockets)
    if not refused:
        return Confinement("seccomp")
    try:
        unshare_network()
    except OSError as error:
        return Confinement("", f"{refused}; no namespace: {error.strerror}")
    return Confinement("namespace")


def _by_seccomp(*, local_sockets: bool) -> str:
    """Why it cannot be; empty when it holds."""
    if sys.platform != "linux":
        return f"{sys.platform} has no seccomp"
    machine = _MACHINES.get(platform.machine())
    if machine is None or sys.maxsize < 2**32:
        return f"no numbers of system calls are known for {platform.machine()}"
    program = _program(*machine, local_sockets=local_sockets)
    code = ctypes.create_string_buffer(program)
    header = ctypes.create_string_buffer(struct.pack("HP", len(program) // 8, ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0 or libc.prctl(_SECCOMP, _FILTER_MODE, header, 0, 0) != 0:
        return f"seccomp: {os.strerror(ctypes.get_errno())}"
    try:
        socket.socket(socket.AF_INET).close()
    except PermissionError:
        return ""
    return "seccomp: a socket could be made nevertheless"


def _program(machine: int, make: int, others: tuple[int, ...], *, local_sockets: bool) -> bytes:
    """Refuses other machines' system calls, the x32 ones, ``others`` and ``make``; allows all else."""
    refused = others if local_sockets else (*others, make)
    unix_only = (
        (_EQUAL, 0, 2, make),
        (_LOAD, 0, 0, _FIRST_ARGUMENT_AT),
        (_EQUAL, 0, 1, int(socket.AF_UNIX)),
    )
    last = 4 + len(refused) + (len(unix_only) if local_sockets else 0) + 1  # the refusal; jumps count from the next
    steps = [
        (_LOAD, 0, 0, _MACHINE_AT),
        (_EQUAL, 0, last - 2, machine),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_AT_LEAST, last - 4, 0, _X32),
        *((_EQUAL, last - 5 - place, 0, number) for place, number in enumerate(refused)),
        *(unix_only if local_sockets else ()),
        (_GIVE, 0, 0, _ALLOW),
        (_GIVE, 0, 0, _REFUSE),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def unshare_network() -> None:
    """Moves this process, of one thread, into a network of its own with nothing in it, whoever it belongs to.

    Raises:
        OSError: when the kernel, or a rule of this system, forbids it.
    """
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, f"{sys.platform} has no network namespaces")
    user, group = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_USER | _NEW_NET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    # The same user and group inside as outside, so that files stay ours (user_namespaces(7)).
    for name, line in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123 - one write, unbuffered names
            file.write(line)
