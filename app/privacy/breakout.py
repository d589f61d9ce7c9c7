"""Tries to get out of this machine in every way that a program of ours could, and tells what stopped each try."""

from __future__ import annotations

import asyncio
import errno
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from app.errors import LocalOnlyError

from .connections import ConnectionPolicy
from .reaching import native_connect
from .sealed import is_sealed

Stopper = Literal["router", "guard", "kernel", "library", "no network", "nothing"]

_SECONDS = 2.0
_REFUSED = {errno.EACCES, errno.EPERM}
_NO_WAY = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
_NAME = "playground-privacy-check.invalid"
"""Belongs to nobody and never will (RFC 6761)."""

_NOBODY6 = "2001:db8::1"
_CHILD = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)"


@dataclass(frozen=True)
class Target:
    """Where it is tried to get. The one that is tried unless told otherwise belongs to nobody (RFC 5737)."""

    host: str = "203.0.113.1"
    port: int = 443


@dataclass(frozen=True)
class Attempt:
    """One try.

    Attributes:
        what: how, in a few words.
        by: what stopped it; ``nothing`` when it went out, ``no network`` when it would have, had there been one.
        found: what happened, in words.
        expected: whether something should have stopped it in this mode.
    """

    what: str
    by: Stopper
    found: str
    expected: bool

    @property
    def holds(self) -> bool:
        """Whether it was stopped by a layer of ours, or need not have been."""
        return not self.expected or self.by not in ("nothing", "no network")


async def break_out(policy: ConnectionPolicy, worker: Sequence[str], target: Target) -> list[Attempt]:
    """Every try, side by side, in the order in which they are told.

    Args:
        policy: the process's own, which its guard asks.
        worker: the command of a worker process.
        target: where to.
    """
    local_only, sealed = policy.local_only, is_sealed()
    ways = dict(_ways(policy, target))
    tried = await asyncio.gather(*(asyncio.to_thread(_tried, run, sealed=sealed) for run in ways.values()))
    attempts = [Attempt(what, by, found, local_only) for what, (by, found) in zip(ways, tried, strict=True)]
    attempts[0] = _as_router(attempts[0])
    # The kernel keeps other programs in only where the whole of ours is sealed, and workers always.
    by, found = await asyncio.to_thread(_tried, partial(_program, target), sealed=sealed)
    attempts.append(Attempt("another program, started from here", by, found, sealed))
    attempts.append(await asyncio.to_thread(_from_worker, worker, target))
    return attempts


def _ways(policy: ConnectionPolicy, target: Target) -> Iterator[tuple[str, Callable[[], None]]]:
    there = f"{target.host}:{target.port}"
    yield "a download or a remote model", lambda: policy.require(f"https://{target.host}", "fetch a model")
    yield f"TCP to {there}", partial(_tcp, target)
    yield f"TCP over IPv6 to {_NOBODY6}", _tcp6
    yield f"UDP to {there}", partial(_udp, target)
    yield f"looking up {_NAME}", _look_up
    yield "HTTP by httpx", partial(_httpx, target)
    yield "HTTP by aiohttp", partial(_aiohttp, target)
    yield "the model hub's library", partial(_hub, target)
    yield "the C library, by ctypes", partial(_native, target)


def _tcp(target: Target) -> None:
    socket.create_connection((target.host, target.port), _SECONDS).close()


def _tcp6() -> None:
    with socket.socket(socket.AF_INET6) as made:
        made.settimeout(_SECONDS)
        made.connect((_NOBODY6, 443))


def _udp(target: Target) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.sendto(b"\0", (target.host, target.port))


def _look_up() -> None:
    socket.getaddrinfo(_NAME, 443)


def _httpx(target: Target) -> None:
    import httpx

    httpx.get(f"http://{target.host}:{target.port}/", timeout=_SECONDS, trust_env=False)


def _aiohttp(target: Target) -> None:
    async def ask() -> None:
        import aiohttp

        address = f"http://{target.host}:{target.port}/"
        async with aiohttp.ClientSession(trust_env=False) as session, session.get(address):
            pass

    asyncio.run(asyncio.wait_for(ask(), _SECONDS))


def _hub(target: Target) -> None:
    from huggingface_hub import get_hf_file_metadata

    get_hf_file_metadata(f"http://{target.host}:{target.port}/owner/model/resolve/main/file", timeout=_SECONDS)


def _native(target: Target) -> None:
    said = native_connect(target.host, target.port)
    if said != "reached":
        raise _named(said)


def _program(target: Target) -> None:
    command = [sys.executable, "-I", "-c", _CHILD, target.host, str(target.port)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS * 5, check=False)
    if ended.returncode != 0:
        last = ended.stderr.strip().splitlines()[-1:] or [f"status {ended.returncode}"]
        raise _named(last[0].rpartition("] ")[2].rpartition(": ")[2])


def _from_worker(worker: Sequence[str], target: Target) -> Attempt:
    """A worker gives the network up before anything else; it says by what, and what its own try came to."""
    what = "a worker process, by the C library"
    try:
        ended = subprocess.run(
            [*worker, "--reach", target.host, str(target.port)],
            capture_output=True,
            text=True,
            timeout=_SECONDS * 10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Attempt(what, "nothing", f"it could not be tried: {error}", expected=True)
    by, _, said = ended.stdout.strip().partition(" ")
    if by in ("seccomp", "namespace") and said != "reached":
        return Attempt(what, "kernel", f"{by}: {said}", expected=True)
    if not said:
        return Attempt(what, "nothing", "it could not be tried: the worker said nothing", expected=True)
    # Where the kernel offers neither, the guard is all that a worker has; it is no layer that should have held.
    return Attempt(what, "nothing", f"no layer of the kernel is to be had here: {said}", expected=bool(by != "nothing"))


def _tried(run: Callable[[], None], *, sealed: bool) -> tuple[Stopper, str]:
    try:
        run()
    except BaseException as error:  # noqa: BLE001 - every library has its own; what it was is what is reported
        return _judged(error, sealed=sealed)
    return "nothing", "it went out"


def _judged(error: BaseException, *, sealed: bool) -> tuple[Stopper, str]:
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, LocalOnlyError):
            return "guard", cause.message
        if type(cause).__name__ == "OfflineModeIsEnabled":
            return "library", "it was told to stay offline before it was imported"
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return (
                ("kernel", "nobody can be asked") if sealed else ("no network", f"it was asked for: {cause.strerror}")
            )
        if isinstance(cause, OSError) and cause.errno in _REFUSED:
            return "kernel", str(cause.strerror)
        if isinstance(cause, OSError) and cause.errno in _NO_WAY:
            return ("kernel" if sealed else "no network"), str(cause.strerror)
    return "nothing", f"it went out, and came to: {type(error).__name__}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    pending, seen = [error], set[int]()
    while pending:
        found = pending.pop(0)
        if id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        pending += [cause for cause in (found.__cause__, found.__context__) if cause is not None]
        pending += found.exceptions if isinstance(found, BaseExceptionGroup) else ()


def _as_router(attempt: Attempt) -> Attempt:
    by: Stopper = "router" if attempt.by == "guard" else attempt.by
    found = attempt.found if by == "router" else "it would be allowed"
    return Attempt(attempt.what, by, found, attempt.expected)


def _named(said: str) -> OSError:
    import os

    known = {os.strerror(number): number for number in (*_REFUSED, *_NO_WAY, errno.ECONNREFUSED)}
    return OSError(known.get(said, 0), said)
