"""Whether a place that failed is left alone: closed, open for a while, then half open for one probe."""

from __future__ import annotations

from typing import Literal

State = Literal["closed", "open", "half-open"]

FAILURES = 3
"""So many requests in a row that failed in ways which may be their own fault open it too."""
LONGEST_S = 300.0
"""Whatever a provider asks for, it is tried again after so long."""


class Circuit:
    """The circuit breaker of one replica. It reads no clock: every moment is given, in seconds of any steady clock.

    Closed, everybody may pass. Open, nobody may, until its cooldown is over. Then it is half open: one request goes as
    a probe, and how that ends closes it or opens it again. A probe that is cancelled leaves its place to the next
    request.

    Args:
        cooldown_s: how long it stays open.
    """

    def __init__(self, cooldown_s: float) -> None:
        self._cooldown = cooldown_s
        self._failures = 0
        self._until: float | None = None
        self._told_to_wait = False
        self._probing = False
        self.reason = ""

    def state(self, now: float) -> State:
        """What holds at this moment."""
        if self._until is None:
            return "closed"
        return "open" if now < self._until else "half-open"

    def remaining(self, now: float) -> float:
        """Seconds until a probe may go; 0 when that is now."""
        return max(0.0, self._until - now) if self._until is not None else 0.0

    def may_pass(self, now: float, *, last_resort: bool = False) -> bool:
        """Whether a request may be sent now.

        Args:
            now: the moment.
            last_resort: nobody else can answer: then a probe may go before its time, unless the provider itself asked
                for the wait. It is still one at a time, so that a place in trouble is not pressed.
        """
        if self._until is None:
            return True
        if self._probing:
            return False
        return now >= self._until or (last_resort and not self._told_to_wait)

    def begin(self) -> bool:
        """Notes that a request is sent; gives whether it is a probe. Each probe ends with one of the methods below."""
        if self._until is None:
            return False
        self._probing = True
        return True

    def succeeded(self) -> None:
        """An answer came: closed."""
        self._failures, self._until, self._told_to_wait, self._probing, self.reason = 0, None, False, False, ""

    def failed(self, now: float, reason: str, *, certain: bool, retry_after: float | None = None) -> None:
        """A request failed, for good.

        Args:
            now: the moment.
            reason: a sentence for those who are turned away.
            certain: the place itself is the cause, not the request: opens at once.
            retry_after: seconds that it asked for.
        """
        self._failures += 1
        self._probing = False
        self.reason = reason
        if certain or self._until is not None or self._failures >= FAILURES:
            self._told_to_wait = retry_after is not None
            self._until = now + min(LONGEST_S, max(self._cooldown, retry_after or 0.0))

    def abandoned(self) -> None:
        """A probe ended without telling anything."""
        self._probing = False
