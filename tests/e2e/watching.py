"""A network in which everything is seen: every packet that a device sends, and every system call for the network.

The device is one end of a pair in a network namespace of its own, with a default route over it: what is sent to any
address but loopback is counted there. The calls are told by strace. Where one of the two cannot be had, the other sees.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

NEIGHBOUR = "203.0.113.1"
"""The router of that network: packets to it go out, and nobody answers (RFC 5737)."""

_SET_UP = f"""
ip link set lo up
ip link add out0 type veth peer name in0
echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6
echo 0 > /proc/sys/net/ipv4/ip_forward
ip addr add 203.0.113.2/24 dev out0
ip link set out0 up arp off
ip link set in0 up arp off
ip route add default via {NEIGHBOUR}
echo ready
exec sleep 600
"""
_SENDS = re.compile(r"\b(connect|sendto|sendmsg|sendmmsg|bind)\(")
_ADDRESS = re.compile(r'inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"')
_SOCKET = re.compile(r"\bsocket\((AF_INET6?|AF_PACKET|AF_VSOCK)\b.*= \d")


@dataclass(frozen=True)
class Network:
    """Where programs are run to be watched.

    Attributes:
        holder: the process whose network it is; ``None`` where this machine allows none.
        folder: takes what strace tells, a file a process.
        traced: whether strace is here.
    """

    holder: int | None
    folder: Path
    traced: bool

    def watching(self, *command: str) -> list[str]:
        """The command that runs ``command`` in here."""
        inside = ["nsenter", "-t", str(self.holder), "-U", "-n", "--preserve-credentials"] if self.holder else []
        trace = ["strace", "-ff", "-qq", "--seccomp-bpf", "-e", "trace=network", "-o", str(self.folder / "calls")]
        return [*inside, *(trace if self.traced else []), *command]

    @property
    def packets(self) -> int:
        """How many were sent by the device so far."""
        if self.holder is None:
            return 0
        lines = Path(f"/proc/{self.holder}/net/dev").read_text().splitlines()
        (told,) = [line.partition(":")[2].split() for line in lines if line.strip().startswith("out0:")]
        return int(told[9])

    @property
    def outward(self) -> list[str]:
        """The calls that name an address that is not loopback."""
        return [line for line in self._calls if _SENDS.search(line) and any(map(_leaves, _ADDRESS.findall(line)))]

    @property
    def sockets(self) -> list[str]:
        """The calls that made a socket that could reach another machine."""
        return [line for line in self._calls if _SOCKET.search(line)]

    @property
    def _calls(self) -> list[str]:
        return [line for file in sorted(self.folder.iterdir()) for line in file.read_text().splitlines()]


def _leaves(found: tuple[str, str]) -> bool:
    return not ipaddress.ip_address(found[0] or found[1]).is_loopback


@contextlib.contextmanager
def network(folder: Path) -> Iterator[Network]:
    """A fresh one; skips the test where nothing can be watched."""
    folder.mkdir()
    traced = sys.platform == "linux" and shutil.which("strace") is not None
    with contextlib.ExitStack() as opened:
        holder = None
        if all(map(shutil.which, ("unshare", "nsenter", "ip"))):
            process = subprocess.Popen(
                ["unshare", "-rn", "sh", "-ec", _SET_UP],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                stdin=subprocess.DEVNULL,
                text=True,
            )
            opened.callback(process.wait)
            opened.callback(process.kill)
            assert process.stdout is not None
            opened.callback(process.stdout.close)
            holder = process.pid if process.stdout.readline() == "ready\n" else None
        if holder is None and not traced:
            pytest.skip("neither a network namespace nor strace is to be had here")
        yield Network(holder, folder, traced)
