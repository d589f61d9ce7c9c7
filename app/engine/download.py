"""Downloads that go on after any interruption, and know the digest of what came.

The part that is there is hashed again and asked to be continued with ``If-Range`` (RFC 9110, 13.1.5), so that a file
which has changed on the server begins anew instead of becoming a mixture.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from app.errors import DiskFullError, DownloadError, OfflineError

from .progress import Stage

if TYPE_CHECKING:
    import httpx

Report = Callable[[Stage, int, int | None], None]
"""Called with the stage, bytes done and bytes in all (``None`` when unknown)."""

_TRIES = 6
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 8.0
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_PASSING = {408, 425, 429, 500, 502, 503, 504}


async def download(
    url: str,
    part: Path,
    report: Report,
    *,
    headers: Mapping[str, str] | None = None,
    first_pause_s: float = _FIRST_PAUSE_S,
) -> str:
    """Fetches ``url`` into ``part``, going on where it ends, and gives the sha256 of the whole as hexadecimal digits.

    Connections that break are tried again, at most six times without a byte in between. What came stays in ``part``
    when this fails or is cancelled.

    Raises:
        OfflineError: when the server cannot be reached.
        DownloadError: when it answers with an error, or keeps breaking off.
        DiskFullError: when there is no room.
    """
    import httpx

    fetch = _Fetch(url, part, report, dict(headers or {}))
    failures = 0
    timeout = httpx.Timeout(30.0, connect=15.0)
    async with httpx.AsyncClient(follow_redirects=True, timeout=timeout) as client:
        while True:
            before = fetch.done
            try:
                await fetch.once(client)
            except httpx.HTTPError as error:
                failures = 1 if fetch.done > before else failures + 1
                if failures >= _TRIES:
                    raise _unreachable(url, error) from error
                pause = min(_LONGEST_PAUSE_S, first_pause_s * 2 ** (failures - 1))
                await asyncio.sleep(pause * (0.5 + random.random() / 2))  # noqa: S311 - jitter, not a secret
            else:
                return fetch.digest


class _Fetch:
    """One file on its way, over as many connections as it takes."""

    def __init__(self, url: str, part: Path, report: Report, headers: dict[str, str]) -> None:
        self._url, self._part, self._report, self._headers = url, part, report, headers
        self._facts = part.with_name(part.name + ".json")
        self._hash = hashlib.sha256()
        self.done = 0
        self._hashed = False

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    async def once(self, client: httpx.AsyncClient) -> None:
        """Asks for what is missing and writes what comes.

        Raises:
            httpx.HTTPError: when trying again may help.
        """
        if not self._hashed:
            await asyncio.to_thread(self._hash_part)
        validator = self._validator()
        if self.done and validator is None:
            self._start_over()
        asked = {**self._headers, "Accept-Encoding": "identity"}
        if self.done and validator:
            asked |= {"Range": f"bytes={self.done}-", "If-Range": validator}
        async with client.stream("GET", self._url, headers=asked) as response:
            total = self._prepare(response)
            if total is not None and total == self.done:
                return
            self._remember(response)
            with self._open() as file:
                async for chunk in response.aiter_raw():
                    self._write(file, chunk)
                    self._report("downloading", self.done, total)
            if total is not None and self.done < total:
                import httpx

                raise httpx.RemoteProtocolError(f"the connection ended after {self.done} of {total} bytes")

    def _prepare(self, response: httpx.Response) -> int | None:
        """Checks what the answer is; gives the size of the whole file."""
        import httpx

        if response.status_code == 206:
            start, total = _content_range(response.headers.get("content-range", ""))
            if start != self.done:
                self._start_over()
                raise httpx.RemoteProtocolError("the server continued at another place than was asked")
            return total
        if response.status_code == 416:
            _start, total = _content_range(response.headers.get("content-range", ""))
            if total == self.done and total:
                return total
            self._start_over()
            raise httpx.RemoteProtocolError("the server has a shorter file than was begun")
        if response.status_code in _PASSING:
            raise httpx.RemoteProtocolError(f"the server answered {response.status_code}")
        if response.status_code != 200:
            hint = {
                401: "It needs a token.",
                403: "It needs a token, or its licence accepted.",
                404: "It is not there.",
            }
            raise DownloadError(
                f"{self._url} answered {response.status_code} {response.reason_phrase}.",
                hint.get(response.status_code, "Try again later."),
            )
        self._start_over()
        length = response.headers.get("content-length", "")
        return int(length) if length.isdigit() else None

    def _hash_part(self) -> None:
        if self._part.exists():
            with self._part.open("rb") as file:
                while chunk := file.read(1024 * 1024):
                    self._hash.update(chunk)
                    self.done += len(chunk)
        self._hashed = True

    def _start_over(self) -> None:
        self._hash, self.done = hashlib.sha256(), 0
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
        self._facts.write_text(json.dumps({"url": self._url, "validator": validator}))

    def _open(self) -> BinaryIO:
        try:
            return self._part.open("ab", buffering=0)
        except OSError as error:
            raise disk_error(error, self._part) from error

    def _write(self, file: BinaryIO, chunk: bytes) -> None:
        left = memoryview(chunk)
        while left:
            try:
                count = file.write(left)
            except OSError as error:
                raise disk_error(error, self._part) from error
            self._hash.update(left[:count])
            self.done += count
            left = left[count:]


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


def _unreachable(url: str, error: httpx.HTTPError) -> DownloadError | OfflineError:
    import httpx

    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
        host = httpx.URL(url).host
        return OfflineError(f"{host} cannot be reached: {error}.", "Check the network and try again.")
    return DownloadError(
        f"{url} keeps breaking off: {error}.", "Try again; what has come is kept, and the download goes on from there."
    )
