"""Addresses that do nothing but fail are not heard for a while, each time for longer."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

_WINDOW_S = 60.0
_FORGIVEN_AFTER_S = 3600.0
_MOST = 10_000


@dataclass
class _Record:
    failures: int = 0
    since: float = 0.0
    blocks: int = 0
    blocked_until: float = 0.0
    last: float = 0.0


class Blocking:
    """Counts refusals by address.

    Args:
        after: refusals within a minute until an address is blocked; 0 never blocks.
        first_s: seconds of the first block; each further one is twice as long.
        longest_s: seconds of the longest.
        loopback: whether this machine's own addresses can be blocked: they may be a proxy's, behind which is everybody.
        clock: seconds, of any origin.
    """

    def __init__(
        self,
        after: int,
        first_s: float,
        longest_s: float,
        *,
        loopback: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._after, self._first_s, self._longest_s = after, first_s, longest_s
        self._loopback, self._clock = loopback, clock
        self._records: dict[str, _Record] = {}

    def blocked_for(self, address: str) -> float:
        """Seconds that the address is still not heard; 0 when it is."""
        record = self._records.get(network_of(address))
        return max(0.0, record.blocked_until - self._clock()) if record else 0.0

    def failed(self, address: str) -> bool:
        """Notes a refusal; gives whether it was the one too many."""
        if not self._after or (not self._loopback and _is_loopback(address)):
            return False
        now = self._clock()
        record = self._record(network_of(address), now)
        if now - record.since > _WINDOW_S:
            record.failures, record.since = 0, now
        record.failures += 1
        record.last = now
        if record.failures < self._after or now < record.blocked_until:
            return False
        record.blocked_until = now + min(self._longest_s, self._first_s * 2.0 ** min(record.blocks, 30))
        record.blocks += 1
        record.failures = 0
        return True

    def _record(self, network: str, now: float) -> _Record:
        record = self._records.pop(network, None)
        if record is None or now - max(record.last, record.blocked_until) > _FORGIVEN_AFTER_S:
            record = _Record(since=now)
        while len(self._records) >= _MOST:
            del self._records[next(iter(self._records))]
        self._records[network] = record  # the last one to fail is the last one to be forgotten
        return record


@lru_cache(maxsize=1024)
def network_of(address: str) -> str:
    """What counts as one address: an IPv4 address, or the 64 bits of an IPv6 address that one customer has."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.IPv6Address(int(ip) >> 64 << 64))


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
