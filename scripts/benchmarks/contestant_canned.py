"""Our server with a backend that has its answers ready: everything but inference. Ends when its stdin does.

The gate is on, with keys of a real vault, and so are metering and the limits that are set.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import sys
from collections.abc import AsyncGenerator

from app.messages import ChatRequest, Delta, Finished, Started, TextDelta, Timings, Usage
from app.playground import Playground
from app.routing.router import Router
from app.server.app import build
from app.server.gate.gate import GateParts
from app.server.services import Services
from app.server.serving import Serving, listen

MODEL = "canned"
PIECES = 16


class Canned:
    """Answers at once, in as many pieces as a short answer has."""

    name = "canned"

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        yield Started(request.model, self.name, 9)
        for number in range(PIECES):
            yield TextDelta(f" word{number}")
        yield Finished("stop", Usage(9, PIECES, 0), Timings(0.0, 0.0, 0.0))

    async def models(self) -> tuple[str, ...]:
        return (MODEL,)

    async def aclose(self) -> None:
        pass


async def main() -> None:
    playground = Playground.open(os.environ)
    await playground.vault.open()
    _kept, key = await playground.vault.api_keys.create("bench", scopes=("chat",))
    gate = GateParts.of(playground.vault, playground.settings, {}, policy=playground.policy)
    services = dataclasses.replace(Services.of(playground), router=Router([Canned()]))
    serving = Serving(build(services, gate=gate.around), listen("127.0.0.1", 0))
    async with serving.running() as address:
        print(json.dumps({"port": int(address.rpartition(":")[2]), "key": key}), flush=True)
        await asyncio.to_thread(sys.stdin.read)
    await gate.aclose()
    await playground.aclose()


if __name__ == "__main__":
    asyncio.run(main())
