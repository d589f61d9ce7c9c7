"""How requests reach remote models, and what is kept of it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class RoutingSettings(Struct, frozen=True, kw_only=True):
    """Remote models: what is remembered and what is noted.

    Attributes:
        cache: whether an answer that was given before is given again for the very same request.
        cache_ttl_s: seconds that such an answer is good for.
        cache_bytes: the most that all of them take.
        cache_redis_url: keeps them in Redis; empty keeps them in the vault. There they are sealed with a key of this
            vault, so only programs with the same vault share them, unless ``cache_redis_key`` is set.
        cache_redis_key: seals them instead: 32 characters or more that nobody can guess. Programs that have the same
            one share their answers. Best as ``${VARIABLE}``, so that it is in no file.
        audit: whether each request to a model is noted: when, which, how long, how much.
        audit_bodies: whether what was asked and answered is noted too.
        audit_keep_days: after so many days a note is taken out.
    """

    cache: bool = False
    cache_ttl_s: Annotated[float, Meta(gt=0)] = 86_400.0
    cache_bytes: Annotated[int, Meta(ge=0)] = 64 * 1024 * 1024
    cache_redis_url: str = ""
    cache_redis_key: str = ""
    audit: bool = True
    audit_bodies: bool = False
    audit_keep_days: Annotated[int, Meta(ge=1, le=36_500)] = 90
