"""Models that say what a test wrote down."""

import asyncio
from contextlib import suppress

from app.errors import PlaygroundError
from app.messages import Finished, Started, TextDelta, Timings, Usage, Waiting


class Models:
    """A router. ``says`` gives the steps of each model: text, seconds to wait, an error to raise."""

    def __init__(self, says, remote=()):
        self._says, self._remote = says, remote
        self.requests, self.running, self.most_running, self.ended = [], set(), 0, []

    def is_remote(self, name):
        return name in self._remote

    async def stream(self, request):
        steps = self._says[request.model]
        self.requests.append(request)
        self.running.add(request.model)
        self.most_running = max(self.most_running, len(self.running))
        try:
            yield Waiting("loading", 0, 100)
            yield Started(request.model, "scripted")
            for step in steps(request) if callable(steps) else steps:
                match step:
                    case str():
                        yield TextDelta(step)
                        await asyncio.sleep(0)
                    case PlaygroundError():
                        raise step
                    case _:
                        await asyncio.sleep(step)
            yield Finished("stop", Usage(5, 11), Timings(decode=0.5))
        finally:
            with suppress(KeyError):
                self.running.remove(request.model)
            self.ended.append(request.model)
