"""When an answer must be whole, whatever it waits for: a key, a connection, its own bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.errors import RemoteTimeoutError

from .endpoint import Endpoint


def unfinished(endpoint: Endpoint, who: str = "") -> RemoteTimeoutError:
    """An answer was not whole when it had to be.

    Args:
        endpoint: whose time it was.
        who: should have answered; the endpoint, where nobody is named.
    """
    return RemoteTimeoutError(
        f"{who or endpoint.name} had not answered in full after {endpoint.total_s:g} s, its retries included.",
        f"`total_s` of [endpoints.{endpoint.name}] allows longer.",
    )


@asynccontextmanager
async def until(deadline: float, endpoint: Endpoint) -> AsyncIterator[None]:
    """Lets what is done in the block take no longer.

    Args:
        deadline: by the running loop's clock.
        endpoint: that is asked.

    Raises:
        RemoteTimeoutError: it was not over by then.
    """
    try:
        async with asyncio.timeout_at(deadline) as limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise
        raise unfinished(endpoint) from None
