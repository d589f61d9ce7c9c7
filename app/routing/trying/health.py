"""Endpoints that are asked how they are, for as long as they are in use."""

from __future__ import annotations

import asyncio

from app.errors import PlaygroundError, RemoteError, RemoteTimeoutError
from app.privacy.connections import ConnectionPolicy

from .replicas import Connected
from .retrying import is_retried

IN_USE_S = 600.0
"""An endpoint counts as in use for so long after a request; longer where its checks are rarer than that."""
_LONGEST_CHECK_S = 10.0


class HealthChecks:
    """Asks every ``health_every_s`` seconds. One that is not well is left alone before a request has to find out; one
    that is well again is used when its cooldown is over.
    """

    def __init__(self, policy: ConnectionPolicy) -> None:
        self._policy = policy
        self._used: dict[str, float] = {}
        self._watches: dict[str, asyncio.Task[None]] = {}

    def used(self, place: Connected) -> None:
        """A request goes there now: from here on it is watched for a while, if that is wished."""
        every = place.endpoint.health_every_s
        if not every:
            return
        name = place.endpoint.name
        self._used[name] = asyncio.get_running_loop().time()
        watch = self._watches.get(name)
        if watch is None or watch.done():
            self._watches[name] = asyncio.create_task(self._watch(place), name=f"health of {name}")

    async def check(self, place: Connected) -> None:
        """Asks once, and notes what it said. In local-only mode nothing is asked that is not on this machine."""
        if self._policy.local_only and not place.local:
            return
        endpoint = place.endpoint
        allowed = endpoint.connect_s + min(endpoint.read_s, _LONGEST_CHECK_S)
        clock = asyncio.get_running_loop().time
        try:
            async with asyncio.timeout(allowed):
                await place.backend.check()
        except PlaygroundError as error:
            if is_retried(error):
                place.unwell(clock(), error, gone=True)
            elif isinstance(error, RemoteError):
                place.refuses(error)
            else:
                place.trouble = error.message
        except TimeoutError:
            late = RemoteTimeoutError(f"{endpoint.name} said nothing for {allowed:g} s when asked how it is.")
            place.unwell(clock(), late, gone=True)
        else:
            place.well()

    async def aclose(self) -> None:
        """Stops watching."""
        watches = list(self._watches.values())
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)
        self._watches.clear()

    async def _watch(self, place: Connected) -> None:
        every = place.endpoint.health_every_s
        clock = asyncio.get_running_loop().time
        while clock() - self._used[place.endpoint.name] < max(IN_USE_S, 2 * every):
            await asyncio.sleep(every)
            await self.check(place)
