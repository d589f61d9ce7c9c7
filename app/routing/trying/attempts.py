"""The tries of one request at one model: at which replica, how often, and how long between them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from app.errors import CredentialError, PlaygroundError, RemoteBusyError, RemoteError, RemoteUnreachableError

from .replicas import Lease, Replica, Replicas
from .retrying import PATIENCE_S, Backoff, is_failed_over, is_retried, is_the_places_fault


class Attempts:
    """Says what comes next; whoever asks does it. All time is the running loop's own.

    Another replica is asked at once, and each at least once; the same one is tried again as often as its endpoint says.

    Args:
        model: as the router calls it.
        replicas: where it is served.
        usable: which of those can be asked.
        alone: no other model can answer in its place, so that it is worth waiting for, and worth a probe.
        random: a number of [0, 1), for the waits.

    Attributes:
        made: tries so far.
        most: tries in all.
        deadline: when the last one must be over.
    """

    def __init__(
        self,
        model: str,
        replicas: Replicas,
        *,
        usable: list[Replica],
        alone: bool,
        random: Callable[[], float],
    ) -> None:
        self._model, self._replicas, self._alone = model, replicas, alone
        self._usable = usable
        self._clock = asyncio.get_running_loop().time
        self._backoff = Backoff(random)
        self._waited = 0.0
        self._last: tuple[Replica, PlaygroundError] | None = None
        self._retries = 0
        self.made = 0
        self.most = 1
        self.deadline = 0.0

    def next(self) -> Replica:
        """The replica for the next try.

        Raises:
            PlaygroundError: when none may be asked: what the last one said, or until when they are left alone.
        """
        now = self._clock()
        avoid = self._last[0] if self._last else None
        chosen = self._replicas.pick(now, self._usable, avoid=avoid, last_resort=self._alone)
        if chosen is None:
            raise self._last[1] if self._last else self._left_alone(now)
        if not self.made:
            self._retries = chosen.place.endpoint.retries
            self.most = max(1 + self._retries, len(self._usable))
            self.deadline = now + chosen.place.endpoint.total_s
        self.made += 1
        return chosen

    def failed(self, replica: Replica, lease: Lease, error: PlaygroundError) -> float:
        """A try failed before anything came of it. Gives the seconds until the next one.

        Raises:
            PlaygroundError: ``error``, when there is no next one.
        """
        if not is_retried(error):
            _judge(replica, lease, error)
            if not is_failed_over(error) or not self._others(self._clock(), replica):
                raise error
            # What this one refuses for good, another may answer.
            self._usable.remove(replica)
            self._last = replica, error
            return 0.0
        now = self._clock()
        retry_after = error.retry_after if isinstance(error, RemoteError) else None
        wait = self._wait(now, replica, lease, retry_after)
        if wait is None or self._others(now, replica):
            lease.failed(
                now,
                error,
                certain=is_the_places_fault(error),
                gone=isinstance(error, RemoteUnreachableError),
                retry_after=retry_after,
            )
        if wait is None:
            raise error
        self._last = replica, error
        self._waited += wait
        return wait

    def _wait(self, now: float, replica: Replica, lease: Lease, retry_after: float | None) -> float | None:
        if self.made >= self.most or now >= self.deadline:
            return None
        if self._others(now, replica):
            return 0.0
        if lease.probe or self.made > self._retries:
            return None
        wait = self._backoff.next(retry_after)
        if wait is None or now + wait >= self.deadline:
            return None
        return wait if self._alone or self._waited + wait <= PATIENCE_S else None

    def _others(self, now: float, replica: Replica) -> bool:
        """Whether there is another replica to go to."""
        return any(one is not replica and one.circuit.may_pass(now) for one in self._usable)

    def _left_alone(self, now: float) -> RemoteBusyError:
        first = min(self._usable, key=lambda one: one.circuit.remaining(now))
        seconds = first.circuit.remaining(now)
        until = f"for {seconds:.0f} s more" if seconds >= 1 else "while one request tries it"
        return RemoteBusyError(
            f"{self._model} failed a moment ago and is left alone {until}: {first.circuit.reason}",
            "Ask again then, or ask another model.",
            retry_after=max(1.0, seconds),
        )


def _judge(replica: Replica, lease: Lease, error: PlaygroundError) -> None:
    """What a refusal says of the place: it is there, whatever it refuses; a key that is missing says nothing."""
    if isinstance(error, RemoteError):
        lease.succeeded()
    if isinstance(error, CredentialError) or (isinstance(error, RemoteError) and is_failed_over(error)):
        replica.place.trouble = error.message
