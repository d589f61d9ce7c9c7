"""Work with files that may never end, as on a network drive whose server is gone: nobody waits for it longer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def aside(work: Callable[[], T], seconds: float) -> T:
    """What ``work`` gives, done in a thread of its own. One that hangs is left behind; it does not keep us from ending.

    Args:
        work: may block; what it raises is raised here.
        seconds: that it is waited for.

    Raises:
        TimeoutError: when it takes longer.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(result: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # nobody waits any more: the loop is closed
            loop.call_soon_threadsafe(lambda: None if done.done() else result())

    def run() -> None:
        try:
            found = work()
        except BaseException as error:  # noqa: BLE001 (raised again where it is waited for)
            failure = error
            tell(lambda: done.set_exception(failure))
        else:
            tell(lambda: done.set_result(found))

    threading.Thread(target=run, name="aside", daemon=True).start()
    async with asyncio.timeout(seconds):
        return await done
