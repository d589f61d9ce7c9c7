"""A process that gave up the network has none, nor do its children; a sealed program has nothing but loopback."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from app.engine.process.worker_process import WORKER_COMMAND

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="of Linux")


def said(program: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program, *args], capture_output=True, text=True, timeout=60)


def test_no_socket_is_made_by_python_by_native_code_or_by_a_child():
    ended = said(
        """
import ctypes, socket, subprocess, sys
from app.privacy.kernel import deny_network
from app.privacy.reaching import native_connect
print(deny_network().by)
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK):
    try:
        socket.socket(family, socket.SOCK_DGRAM)
        print("made", family)
    except PermissionError:
        pass
print(native_connect("127.0.0.1", 9))
print(subprocess.run([sys.executable, "-c", "import socket; socket.socket()"], capture_output=True).returncode)
libc = ctypes.CDLL(None, use_errno=True)
for number in (41, 425, 438, 101, 41 | 0x40000000):
    libc.syscall(ctypes.c_long(number), 2, 1, 0, 0)
    print(ctypes.get_errno())
left, right = socket.socketpair()
left.send(b"x")
print(right.recv(1))
"""
    )
    assert ended.returncode == 0, ended.stderr
    by, native, child, *numbers, pair = ended.stdout.splitlines()
    assert (by, native, child, pair) == ("seccomp", "Permission denied", "1", "b'x'")
    if os.uname().machine == "x86_64":
        assert numbers == ["13"] * 5


def test_where_a_driver_needs_one_a_unix_socket_is_made_and_no_other_and_never_connected(tmp_path):
    ended = said(
        """
import socket, sys
from app.privacy.kernel import deny_network
there = socket.socket(socket.AF_UNIX)
there.bind(sys.argv[1])
there.listen()
print(deny_network(local_sockets=True).by)
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK):
    try:
        socket.socket(family, socket.SOCK_DGRAM)
        print("made", family)
    except PermissionError:
        pass
made = socket.socket(socket.AF_UNIX)
try:
    made.connect(sys.argv[1])
except PermissionError:
    print("not connected")
made.bind(sys.argv[1] + "2")
""",
        str(tmp_path / "there"),
    )
    assert ended.stdout.split("\n") == ["seccomp", "not connected", ""], ended.stderr


def test_a_worker_reaches_nothing(outside):
    ended = subprocess.run(
        [*WORKER_COMMAND, "--reach", outside.host, str(outside.port)], capture_output=True, text=True, timeout=60
    )
    assert ended.stdout.strip() == "seccomp Permission denied", ended.stderr
    assert outside.came == []


def test_the_same_try_is_seen_where_nothing_keeps_it(outside):
    ended = said(
        "import sys; from app.privacy.reaching import native_connect as to; print(to(sys.argv[1], int(sys.argv[2])))",
        outside.host,
        str(outside.port),
    )
    assert ended.stdout.strip() == "reached", ended.stderr


def test_a_sealed_process_has_its_own_loopback_and_nothing_else(outside):
    ended = said(
        """
import os, socket, subprocess, sys
from app.errors import NotSupportedError
from app.privacy.reaching import native_connect
from app.privacy.sealed import is_sealed, seal
print(is_sealed(), os.getuid())
try:
    seal()
except NotSupportedError as error:
    sys.exit(str(error))
print(is_sealed(), os.getuid())
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname(), 2).close()
print(native_connect(sys.argv[1], int(sys.argv[2])))
child = [sys.executable, "-c", "import socket, sys; socket.create_connection((sys.argv[1], 9), 2)", sys.argv[1]]
print(subprocess.run(child, capture_output=True).stderr.decode().splitlines()[-1])
""",
        outside.host,
        str(outside.port),
    )
    if "cannot be sealed" in ended.stderr:
        pytest.skip(ended.stderr.strip())
    assert ended.returncode == 0, ended.stderr
    user = os.getuid()
    assert ended.stdout.splitlines() == [
        f"False {user}",
        f"True {user}",
        "Network is unreachable",
        "OSError: [Errno 101] Network is unreachable",
    ]
    assert outside.came == []


def test_a_sealed_process_says_why_it_cannot_be(outside):
    ended = said(
        """
import threading, time
threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
from app.privacy.sealed import seal
seal()
"""
    )
    assert "cannot be sealed here: Invalid argument; this process has several threads already" in ended.stderr


def test_sealed_refuses_to_serve_in_one_line(environ):
    ended = subprocess.run(
        [sys.executable, "-m", "app", "--sealed", "serve"], capture_output=True, text=True, timeout=60, env=environ
    )
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "Nobody could reach a sealed `serve`" in ended.stderr
