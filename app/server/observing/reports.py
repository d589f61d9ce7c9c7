"""Reports of unexpected errors to a Sentry-compatible address, when the user set one, never in local-only mode.

A report says which class of error was raised at which lines of the program, on which route: no message (it may quote
what was asked), no body, no header, no variable, no address, no name of a machine or a person. The envelope format:
https://develop.sentry.dev/sdk/data-model/envelopes/
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import time
import traceback
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from app import __version__
from app.errors import PlaygroundError, SettingsError
from app.privacy.connections import ConnectionPolicy

if TYPE_CHECKING:
    import httpx

_log = logging.getLogger(__name__)

_CLIENT = f"playground/{__version__}"
_MOST_WAITING = 32
_MOST_A_MINUTE = 10
_SEND_S = 5.0
_LAST_S = 2.0
_MOST_FRAMES = 60


@dataclass(frozen=True)
class Dsn:
    """Where reports go.

    Attributes:
        url: of the project's envelopes.
        public_key: names the project; it lets in reports and nothing else.
    """

    url: str
    public_key: str

    @classmethod
    def parse(cls, text: str) -> Dsn:
        """Reads ``https://KEY@HOST/PROJECT``.

        Raises:
            SettingsError: when it is not one; it is not repeated.
        """
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError:
            parts, host, port = urlsplit(""), None, None
        folder, _, project = parts.path.rstrip("/").rpartition("/")
        sound = (
            text.isascii()
            and text.isprintable()  # the library leaves out line ends by itself
            and parts.scheme in ("http", "https")
            and host
            and re.fullmatch(r"[A-Za-z0-9]+", parts.username or "")
            and re.fullmatch(r"[0-9]+", project)
            and not (parts.query or parts.fragment)
        )
        if not sound:
            raise SettingsError(
                "observability.sentry_dsn is not a DSN.",
                "Copy it from the project's settings: https://KEY@HOST/NUMBER.",
            )
        place = f"[{host}]" if host and ":" in host else host
        where = f"{place}:{port}" if port else place
        return cls(f"{parts.scheme}://{where}{folder}/api/{project}/envelope/", str(parts.username))


class ErrorReports:
    """Sends reports one after the other, in the background; a receiver that is away costs nobody anything.

    Args:
        dsn: where to.
        policy: whether anything may leave this machine. While nothing may, nothing is reported, not even to this
            machine; and what waited is forgotten.
        clock: seconds since 1970.
    """

    def __init__(self, dsn: Dsn, policy: ConnectionPolicy, clock: Callable[[], float] = time.time) -> None:
        self._dsn, self._policy, self._clock = dsn, policy, clock
        self._waiting: deque[bytes] = deque(maxlen=_MOST_WAITING)
        self._recent: deque[float] = deque(maxlen=_MOST_A_MINUTE)
        self._silent_until = 0.0
        self._sender: asyncio.Task[None] | None = None

    @classmethod
    def chosen(cls, text: str, policy: ConnectionPolicy) -> ErrorReports | None:
        """As the settings say; none without an address.

        Raises:
            SettingsError: when the address is not one.
        """
        if not text:
            return None
        dsn = Dsn.parse(text)
        if policy.local_only:
            _log.warning("Errors are not reported while local-only mode is on.")
        return cls(dsn, policy)

    def report(self, error: BaseException, tags: Mapping[str, str]) -> None:
        """Takes a report to be sent; more than ten a minute are dropped.

        Args:
            error: what was raised.
            tags: what is told beside it: the route's template, the status and the like.
        """
        if self._policy.local_only:
            return
        now = self._clock()
        full = len(self._recent) == _MOST_A_MINUTE and now - self._recent[0] < 60
        if full or now < self._silent_until:
            return
        self._recent.append(now)
        self._waiting.append(envelope(error, tags, now))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.get_running_loop().create_task(self._send_all())

    async def aclose(self) -> None:
        """Gives what waits two seconds, then ends."""
        if self._sender is not None:
            await asyncio.wait({self._sender}, timeout=_LAST_S)
            self._sender.cancel()
            await asyncio.gather(self._sender, return_exceptions=True)

    async def _send_all(self) -> None:
        import httpx  # only where something is reported: it takes a tenth of a second

        async with httpx.AsyncClient(timeout=_SEND_S, follow_redirects=False) as client:
            while self._waiting:
                if self._policy.local_only:
                    self._waiting.clear()
                    return
                body = self._waiting.popleft()
                try:
                    await self._send(client, body)
                except httpx.HTTPError as error:
                    _log.warning("An error was not reported: %s.", type(error).__name__)

    async def _send(self, client: httpx.AsyncClient, body: bytes) -> None:
        answer = await client.post(
            self._dsn.url,
            content=body,
            headers={
                "content-type": "application/x-sentry-envelope",
                "user-agent": _CLIENT,
                "x-sentry-auth": f"Sentry sentry_version=7, sentry_client={_CLIENT}, sentry_key={self._dsn.public_key}",
            },
        )
        if answer.status_code == 429:
            wait = answer.headers.get("retry-after", "")
            self._silent_until = self._clock() + min(int(wait) if wait.isdecimal() else 60, 3600)
            self._waiting.clear()
        elif not answer.is_success:
            _log.warning("An error was not reported: the receiver answered %d.", answer.status_code)


def envelope(error: BaseException, tags: Mapping[str, str], at: float) -> bytes:
    """A report as it is sent."""
    event_id = uuid.uuid4().hex
    event = {
        "event_id": event_id,
        "timestamp": at,
        "platform": "python",
        "level": "error",
        "release": _CLIENT.replace("/", "@"),
        "tags": dict(tags),
        "contexts": {"runtime": {"name": "CPython", "version": sys.version.split()[0]}},
        "exception": {"values": [_exception(cause) for cause in _chain(error)]},
    }
    body = msgspec.json.encode(event)
    head = msgspec.json.encode({"event_id": event_id, "sdk": {"name": "playground", "version": __version__}})
    item = msgspec.json.encode({"type": "event", "content_type": "application/json", "length": len(body)})
    return b"\n".join((head, item, body, b""))


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what led to it, the first cause first."""
    found: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in found and len(found) < 10:
        found.append(at)
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    return found[::-1]


def _exception(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
    told: dict[str, Any] = {"type": type(error).__qualname__, "module": type(error).__module__}
    if isinstance(error, PlaygroundError):
        told["value"] = error.code
    told["stacktrace"] = {
        "frames": [
            {
                "filename": place,
                "function": frame.name,
                "lineno": frame.lineno,
                "in_app": place.startswith("app/"),
            }
            for frame in frames
            for place in (source_place(frame.filename),)
        ]
    }
    return told


def source_place(path: str) -> str:
    """A source file without the folders that the program or the user's account lies in."""
    parts = path.replace("\\", "/").split("/")
    for root, kept in (("site-packages", 1), ("app", 0)):
        if root in parts:
            at = len(parts) - 1 - parts[::-1].index(root)
            return "/".join(parts[at + kept :])
    return parts[-1]
