"""What the head of a request comes to by itself: found once for a client that sends the same head again."""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.types import Scope

from app.server.auth.claims import Claim, presented
from app.server.auth.needs import Need, metrics_need, needed

from .heads import Head, Headers
from .hosts import Hosts, Origins
from .refusals import HeadTooLargeError, MalformedRequestError

_MOST_HEADERS = 100
_UNSOUND_PATH = re.compile(r"[\x00-\x1f\x7f\\]|(?:^|/)\.{1,2}(?:/|$)")


class Judged:
    """A head that was found to be sound.

    Attributes:
        origin: of the web page that asks and may; None for a program.
        need: what the request needs.
        encodings: of the body, as they are said.
        is_json: whether the body is said to be JSON.
    """

    __slots__ = ("_asked", "_claim", "_head", "_headers", "encodings", "is_json", "need", "origin")

    def __init__(self, asked: tuple[str, str, bytes], headers: Headers, head: Head) -> None:
        self._asked, self._headers, self._head = asked, headers, head
        self._claim: Claim | None = None
        self.origin: str | None = None
        self.need = Need()
        self.encodings = head.all(b"content-encoding")
        self.is_json = b"json" in (head.get(b"content-type") or b"").lower()

    def is_of(self, asked: tuple[str, str, bytes], headers: Headers) -> bool:
        """Whether this is what such a head comes to."""
        return headers == self._headers and asked == self._asked

    def claim(self) -> Claim | None:
        """What it presents to be let in; looked for once.

        Raises:
            KeyRefusedError: when it is not written as it can be.
        """
        if self._claim is None:
            self._claim = presented(self._head)
        return self._claim


@dataclass(frozen=True)
class Judge:
    """Judges heads by what does not change while a server runs.

    Attributes:
        head_bytes: the largest head.
        metrics: who may read the metrics.
    """

    hosts: Hosts
    origins: Origins
    head_bytes: int
    metrics: str

    def judge(self, scope: Scope, method: str, address: str, before: Judged | None) -> Judged:
        """What the head comes to.

        Args:
            scope: of the request.
            method: its method.
            address: who asks.
            before: what the last head on the same connection came to.

        Raises:
            RefusalError: when it is not sound, or from where nobody may ask.
        """
        path: str = scope["path"]
        asked = (method, path, scope["query_string"])
        # A body's length is the body's own, and is looked at with it.
        headers = [pair for pair in scope["headers"] if pair[0] != b"content-length"]
        if before is not None and before.is_of(asked, headers):
            return before
        head = Head(scope["headers"])
        self._require_sound(head, scope)
        judged = Judged(asked, headers, head)
        judged.origin = self.origins.check(head, self.hosts.check(head, scope.get("server")))
        reads_metrics = path == "/metrics" and method in ("GET", "HEAD")
        judged.need = metrics_need(self.metrics, address) if reads_metrics else needed(method, path)
        return judged

    def _require_sound(self, head: Head, scope: Scope) -> None:
        size = head.size + len(scope.get("raw_path") or b"") + len(scope["query_string"])
        if head.count > _MOST_HEADERS or size > self.head_bytes:
            raise HeadTooLargeError(
                f"The head of the request is too large: {_MOST_HEADERS} headers and {self.head_bytes} bytes are"
                " allowed."
            )
        if _UNSOUND_PATH.search(scope["path"]):
            raise MalformedRequestError("The path has control characters, backslashes, or parts that are dots alone.")
