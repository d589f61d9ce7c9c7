"""Downloads that go on after any interruption, and know the digest of what came.

The part that is there is hashed again and asked to be continued with ``If-Range`` (RFC 9110, 13.1.5), so that a file
which has changed on the server begins anew instead of becoming a mixture.
"""

from __future__ import annotations

import asyncio
import errno
import functools
import hashlib
import json
import random
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from app.engine.progress import Stage
from app.errors import DiskFullError, DownloadError, OfflineError, PlaygroundError
from app.privacy.connections import is_loopback

if TYPE_CHECKING:
    import httpx

Report = Callable[[Stage, int, int | None], None]
"""Called with the stage, bytes done and bytes in all (``None`` when unknown)."""

Guard = Callable[[str], None]
"""Called with each address before it is asked, those that a server redirects to as well; raises to forbid it."""

_TRIES = 6
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 8.0
_LONGEST_ASKED_PAUSE_S = 60.0
_BATCH_BYTES, _BATCH_S = 1024 * 1024, 0.1
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_HINTS = {401: "It needs a token.", 403: "It needs a token, or its licence accepted.", 404: "It is not there."}


async def download(
    url: str,
    part: Path,
    report: Report,
    *,
    guard: Guard | None = None,
    headers: Mapping[str, str] | None = None,
    first_pause_s: float = _FIRST_PAUSE_S,
) -> str:
    """Fetches ``url`` into ``part``, going on where it ends, and gives the sha256 of the whole as hexadecimal digits.

    Connections that break are tried again, at most six times without a further byte. What came stays in ``part``
    when this fails or is cancelled. Redirects are followed, but never to an unencrypted address of another machine.

    Raises:
        OfflineError: when the server cannot be reached.
        DownloadError: when it answers with an error, or keeps breaking off.
        DiskFullError: when there is no room.
    """
    import httpx

    fetch = _Fetch(url, part, report, dict(headers or {}))
    failures, furthest = 0, 0
    async with await _client(guard) as client:
        while True:
            try:
                await fetch.once(client)
            except httpx.InvalidURL as error:
                raise DownloadError(f"{url} is not an address: {error}.", "Correct the model's source.") from error
            except httpx.HTTPError as error:
                failures = 1 if fetch.done > furthest else failures + 1
                furthest = max(furthest, fetch.done)
                if failures >= _TRIES:
                    raise _unreachable(url, error) from error
                pause = min(_LONGEST_PAUSE_S, first_pause_s * 2 ** (failures - 1))
                pause *= 0.5 + random.random() / 2  # noqa: S311 - jitter, not a secret
                await asyncio.sleep(max(pause, fetch.asked_pause_s))
            else:
                return fetch.digest


async def _client(guard: Guard | None) -> httpx.AsyncClient:
    import httpx

    async def look(request: httpx.Request) -> None:
        if request.url.scheme != "https" and not is_loopback(request.url.host):
            raise DownloadError(f"{request.url.host} would send the file unencrypted.", "Correct the model's source.")
        if guard is not None:
            guard(str(request.url))

    return httpx.AsyncClient(
        follow_redirects=True,
        timeout=httpx.Timeout(30.0, connect=15.0),
        verify=await asyncio.to_thread(_certificates),
        event_hooks={"request": [look]},
        # What is on this machine is not asked for through a proxy, which may be another machine.
        mounts={"all://127.0.0.1": None, "all://localhost": None, "all://[::1]": None},
    )


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Whom to believe: the well-known authorities, and those that this machine knows (a company's own)."""
    import certifi

    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context


class _Fetch:
    """One file on its way, over as many connections as it takes."""

    def __init__(self, url: str, part: Path, report: Report, headers: dict[str, str]) -> None:
        self._url, self._part, self._report, self._headers = url, part, report, headers
        self._facts = part.with_name(part.name + ".json")
        self._hash = hashlib.sha256()
        self._hashed = False
        self.done = 0
        self.asked_pause_s = 0.0

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    async def once(self, client: httpx.AsyncClient) -> None:
        """Asks for what is missing and writes what comes.

        Raises:
            httpx.HTTPError: when trying again may help.
        """
        import httpx

        if not self._hashed:
            await asyncio.to_thread(self._hash_part)
        validator = self._validator()
        if self.done and validator is None:
            self._start_over()
        asked = {**self._headers, "Accept-Encoding": "identity"}
        if self.done and validator:
            asked |= {"Range": f"bytes={self.done}-", "If-Range": validator}
        self.asked_pause_s = 0.0
        async with client.stream("GET", self._url, headers=asked) as response:
            total = self._prepare(response, validator)
            if total is not None and total == self.done:
                return
            self._remember(response)
            self._report("downloading", self.done, total)
            await self._receive(response, total)
            if total is not None and self.done < total:
                raise httpx.RemoteProtocolError(f"the connection ended after {self.done} of {total} bytes")

    def _prepare(self, response: httpx.Response, validator: str | None) -> int | None:
        """Checks what the answer is; gives the size of the whole file."""
        import httpx

        status, found = response.status_code, response.headers
        if status in _PASSING:
            self.asked_pause_s = _pause_asked_by(found.get("retry-after", ""))
            raise httpx.RemoteProtocolError(f"the server answered {status}")
        if status == 206:
            start, total = _content_range(found.get("content-range", ""))
            if start != self.done:
                self._start_over()
                raise httpx.RemoteProtocolError("the server continued at another place than was asked")
            if validator and validator.startswith('"') and found.get("etag", validator) != validator:
                self._start_over()
                raise httpx.RemoteProtocolError("the server continued with another file than was begun")
        elif status == 416:
            _start, total = _content_range(found.get("content-range", ""))
            if total != self.done or not total:
                self._start_over()
                raise httpx.RemoteProtocolError("the server has a shorter file than was begun")
        elif status == 200:
            self._start_over()
            length = found.get("content-length", "")
            total = int(length) if length.isdigit() else None
        else:
            reason = f"{status} {response.reason_phrase}".strip()
            raise DownloadError(f"{self._url} answered {reason}.", _HINTS.get(status, "Try again later."))
        if found.get("content-encoding", "identity") != "identity":
            raise DownloadError(f"{self._url} comes packed though that was not asked for.", "Use another source.")
        return total

    async def _receive(self, response: httpx.Response, total: int | None) -> None:
        """Writes what comes, in a thread and not in small pieces; the first of it at once, so that it is seen."""
        pending, written = bytearray(), 0.0
        file = self._open()
        try:
            async for chunk in response.aiter_raw():
                pending += chunk
                if len(pending) >= _BATCH_BYTES or time.monotonic() - written >= _BATCH_S:
                    batch = bytes(pending)
                    pending.clear()
                    await _to_its_end(self._write, file, batch)
                    self._report("downloading", self.done, total)
                    written = time.monotonic()
        except BaseException:
            # Cut off or cancelled: every byte that came is kept, but why this ends is not replaced by a full disk.
            with suppress(PlaygroundError):
                self._write(file, pending)
            raise
        else:
            await _to_its_end(self._write, file, bytes(pending))
            self._report("downloading", self.done, total)
        finally:
            file.close()

    def _hash_part(self) -> None:
        with self._on_disk():
            if self._part.exists():
                with self._part.open("rb") as file:
                    while chunk := file.read(_BATCH_BYTES):
                        self._hash.update(chunk)
                        self.done += len(chunk)
        self._hashed = True

    def _start_over(self) -> None:
        self._hash, self.done = hashlib.sha256(), 0
        with self._on_disk():
            self._part.unlink(missing_ok=True)

    def _validator(self) -> str | None:
        """What tells whether the server still has the file that was begun."""
        try:
            facts: Any = json.loads(self._facts.read_text())
        except (OSError, ValueError):
            return None
        known = isinstance(facts, dict) and facts.get("url") == self._url
        return facts.get("validator") if known and isinstance(facts.get("validator"), str) else None

    def _remember(self, response: httpx.Response) -> None:
        etag = response.headers.get("etag", "")
        validator = etag if etag and not etag.startswith("W/") else response.headers.get("last-modified")
        with self._on_disk():
            self._facts.write_text(json.dumps({"url": self._url, "validator": validator}))

    def _open(self) -> BinaryIO:
        with self._on_disk():
            return self._part.open("ab", buffering=0)

    def _write(self, file: BinaryIO, chunk: bytes | bytearray) -> None:
        left = memoryview(bytes(chunk))
        while left:
            with self._on_disk():
                count = file.write(left)
            self._hash.update(left[:count])
            self.done += count
            left = left[count:]

    @contextmanager
    def _on_disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise disk_error(error, self._part) from error


async def _to_its_end(function: Callable[..., None], *arguments: Any) -> None:
    """Runs in a thread; a cancellation waits until it is done, so that nobody closes a file under it."""
    work = asyncio.ensure_future(asyncio.to_thread(function, *arguments))
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise


def disk_error(error: OSError, path: Path) -> DiskFullError | DownloadError:
    """What a failed write means to a person."""
    if error.errno in _FULL:
        return DiskFullError(
            f"There is no room left for {path.name} in {path.parent}.",
            "Make room and try again; what has come is kept, and the download goes on from there.",
        )
    return DownloadError(f"{path} cannot be written: {error.strerror}.", "Check the folder's permissions.")


def _content_range(value: str) -> tuple[int | None, int | None]:
    """Start and whole length of ``bytes 5-9/10`` or ``bytes */10``."""
    unit, _, rest = value.partition(" ")
    span, _, length = rest.partition("/")
    start = span.partition("-")[0]
    if unit.lower() != "bytes":
        return None, None
    return (int(start) if start.isdigit() else None), (int(length) if length.isdigit() else None)


def _pause_asked_by(retry_after: str) -> float:
    """Seconds of a ``Retry-After``, within reason; dates are not heeded."""
    return min(_LONGEST_ASKED_PAUSE_S, float(retry_after)) if retry_after.isdecimal() else 0.0


def _unreachable(url: str, error: httpx.HTTPError) -> DownloadError | OfflineError:
    import httpx

    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
        host = httpx.URL(url).host
        return OfflineError(f"{host} cannot be reached: {error}.", "Check the network and try again.")
    return DownloadError(
        f"{url} keeps breaking off: {error}.", "Try again; what has come is kept, and the download goes on from there."
    )
