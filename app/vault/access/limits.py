"""How much a key or a user may ask for."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Limit = Annotated[int, Meta(ge=0, le=1_000_000_000_000)]


class AccessLimits(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Limits of one key or user; 0 is none.

    Attributes:
        requests_per_minute: how often it may ask.
        tokens_per_minute: prompt and completion together.
        tokens_per_month: the same, in one calendar month of UTC.
    """

    requests_per_minute: Limit = 0
    tokens_per_minute: Limit = 0
    tokens_per_month: Limit = 0


NO_ACCESS_LIMITS = AccessLimits()
