"""What the server's gate is set up with. In a file of its own: who may ask is a subject of its own."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Limit = Annotated[int, Meta(ge=0, le=1_000_000_000_000)]
Positive = Annotated[float, Meta(gt=0, le=86_400 * 366)]


class AccessSettings(Struct, frozen=True, kw_only=True):
    """Who may ask the server, how much, and how patiently it listens. A limit of 0 is none.

    Attributes:
        hosts: further names that the server is reached by, such as ``playground.example`` or ``box:9000``.
        requests_per_minute: of everybody together.
        requests_per_minute_per_key: of a key without a limit of its own.
        requests_per_minute_per_user: of a user without one.
        requests_per_minute_per_address: of one network address.
        tokens_per_minute: of a key or user without a limit of its own.
        redis_url: keeps the limits in Redis, for several servers that share them; empty keeps them in memory.
        block_after: refusals of one address within a minute after which it is blocked for a while; 0 never blocks.
        block_s: seconds of the first block; each further one is twice as long.
        block_longest_s: seconds of the longest.
        block_loopback: whether addresses of this machine can be blocked too.
        head_s: seconds in which the head of a request must arrive.
        body_s: seconds in which its body must; large ones have one more for every 16 KiB.
        head_bytes: the largest head.
        nesting: how deep arrays and objects may lie in each other.
        token_s: seconds that a user's token is good for.
        sign_in_s: seconds after which a user must give the password again.
    """

    hosts: tuple[str, ...] = ()
    requests_per_minute: Limit = 0
    requests_per_minute_per_key: Limit = 0
    requests_per_minute_per_user: Limit = 0
    requests_per_minute_per_address: Limit = 0
    tokens_per_minute: Limit = 0
    redis_url: str = ""
    block_after: Annotated[int, Meta(ge=0, le=100_000)] = 30
    block_s: Positive = 30.0
    block_longest_s: Positive = 3600.0
    block_loopback: bool = False
    head_s: Positive = 15.0
    body_s: Positive = 60.0
    head_bytes: Annotated[int, Meta(ge=1024, le=1024 * 1024)] = 64 * 1024
    nesting: Annotated[int, Meta(ge=4, le=500)] = 100
    token_s: Positive = 900.0
    sign_in_s: Positive = 14 * 86_400.0
