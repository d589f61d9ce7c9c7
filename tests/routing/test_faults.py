"""10,000 faults, seeded: no token doubled, none lost, no hang, nothing left running."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

from app.backends.raw import RawRequest
from app.errors import (
    CredentialError,
    PlaygroundError,
    RemoteBusyError,
    RemoteError,
    RemoteRefusedError,
    RemoteTimeoutError,
    RemoteUnreachableError,
    StreamBrokenError,
)
from app.messages import Finished, Rerouted, Started, TextDelta, Waiting

from .scripted import World, ask, endpoint
from .virtual import run_virtual

FAULTS = 10_000
SHORT = {"total_s": 60.0, "cooldown_s": 2.0}
TOML = (
    endpoint("a", **SHORT)
    + endpoint("b", **SHORT, retries=0)
    + endpoint("c", **SHORT, retries=4)
    + """
[remote.large]
replicas = [{ endpoint = "a" }, { endpoint = "b", weight = 2 }]
fallback = ["middle"]
[remote.middle]
endpoint = "c"
fallback = ["small"]
[remote.shared]
replicas = [{ endpoint = "a", weight = 3 }, { endpoint = "c" }]
choose = "weighted"
[remote.lonely]
endpoint = "c"
"""
)
ASKED = ("large", "middle", "shared", "lonely")


class Faults:
    """What each try meets. An answer is the tokens ``try:0`` to ``try:n``, so every token tells where it is from."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.count: Counter[str] = Counter()
        self.lengths: dict[int, int] = {}
        self.tries = 0

    def plan(self, number: int, request: object) -> list[object]:
        self.tries += 1
        length = self.lengths[self.tries] = self.random.randrange(1, 12)
        tokens: list[object] = [f"{self.tries}:{place} " for place in range(length)]
        for place in range(length, 0, -1):
            if self.random.random() < 0.3:
                tokens.insert(self.random.randrange(1, place + 1), self.random.choice([0.001, 0.3, 4.0]))
        if self.random.random() < 0.2:
            tokens[:0] = [Waiting("connecting"), Started("wire", "wire"), 0.5]
        if self.random.random() < 0.25:
            return [*tokens, Finished("stop")]
        fault = self._fault()
        kind = type(fault).__name__ if isinstance(fault, PlaygroundError) else "hangs"
        cut = self.random.choice([0, 0, 0, self.random.randrange(len(tokens))])
        self.count[f"{kind} {'at once' if cut == 0 else 'midway'}"] += 1
        return [*tokens[:cut], fault]

    def _fault(self) -> object:
        draw = self.random.random
        return self.random.choice(
            [
                lambda: RemoteUnreachableError("refused"),
                lambda: RemoteBusyError("busy", status=429),
                lambda: RemoteBusyError("busy", status=429, retry_after=draw() * 90),
                lambda: RemoteError("broken", status=500),
                lambda: RemoteError("broken", status=503),
                lambda: RemoteTimeoutError("late"),
                lambda: StreamBrokenError("cut"),
                lambda: RemoteRefusedError("key", status=401),
                lambda: RemoteRefusedError("wrong", status=400),
                lambda: CredentialError("no key"),
                lambda: 1e9,
            ]
        )()


def test_ten_thousand_faults():
    faults = Faults(20261121)
    outcomes: Counter[str] = Counter()

    async def scene():
        world = World(TOML, **dict.fromkeys(("a", "b", "c"), faults.plan), local=lambda number, request: ["local"])
        dice = faults.random

        async def one() -> None:
            await asyncio.sleep(dice.random() * 20)
            model = dice.choice(ASKED)
            found = []
            deltas = world.router.stream(ask(model))
            outcome = "left"
            leaves = dice.randrange(1, 8) if dice.random() < 0.1 else None
            try:
                async for delta in deltas:
                    found.append(delta)
                    if len(found) == leaves:
                        break
                else:
                    outcome = "whole"
            except PlaygroundError as error:
                outcome = "broken" if isinstance(error, StreamBrokenError) else "failed"
            except asyncio.CancelledError:
                outcome = "cancelled"
            await deltas.aclose()
            outcomes[outcome] += 1
            check(model, found, outcome)

        def check(model, found, outcome):
            kinds = [type(delta) for delta in found]
            starts = kinds.count(Started)
            assert starts <= 1
            if starts:
                begun = kinds.index(Started)
                assert set(kinds[:begun]) <= {Waiting, Rerouted}
                assert set(kinds[begun + 1 :]) <= {TextDelta, Finished}
                answered = found[begun].model
                assert answered == next((d.next_model for d in reversed(found) if isinstance(d, Rerouted)), model)
            else:
                assert set(kinds) <= {Waiting, Rerouted} and outcome != "whole"
            text = "".join(delta.text for delta in found if isinstance(delta, TextDelta))
            if text and text != "local":
                tokens = [tuple(map(int, token.split(":"))) for token in text.split()]
                source = tokens[0][0]
                # One try alone is heard, from its beginning, each token once and in order.
                assert tokens == [(source, place) for place in range(len(tokens))]
                if outcome == "whole":
                    assert len(tokens) == faults.lengths[source]
            if outcome == "failed":
                assert not text
            if outcome == "whole":
                assert kinds[-1] is Finished and kinds.count(Finished) == 1

        while sum(faults.count.values()) < FAULTS:
            tasks = [asyncio.create_task(one()) for _ in range(200)]
            await asyncio.sleep(dice.random() * 30)
            for task in tasks:
                if dice.random() < 0.05:
                    task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                assert result is None or isinstance(result, asyncio.CancelledError), result
            assert world.idle()

        # Nothing is left of it: with the faults gone, every model answers when the longest cooldown is over.
        for end in world.ends.values():
            end.plan = ("fine",)
        await asyncio.sleep(400)
        for model in ASKED:
            found = [delta async for delta in world.router.stream(ask(model))]
            assert found[0].model == model and found[1] == TextDelta("fine")
        assert world.idle()
        await world.router.aclose()
        assert len(asyncio.all_tasks()) == 1

    run_virtual(scene())
    assert sum(faults.count.values()) >= FAULTS
    assert len(faults.count) >= 15 and min(outcomes[kind] for kind in ("whole", "broken", "failed", "left")) > 200


def test_faults_of_requests_that_pass_through():
    """The same for pieces of bytes: read, left or cancelled at any moment, and never begun to be read."""
    faults = Faults(7)
    outcomes: Counter[str] = Counter()

    def plan(number: int, request: object) -> list[object]:
        return [step for step in faults.plan(number, request) if not isinstance(step, Waiting | Started | Finished)]

    async def scene():
        world = World(TOML, **dict.fromkeys(("a", "b", "c"), plan))
        dice = faults.random

        async def one() -> None:
            await asyncio.sleep(dice.random() * 20)
            pieces, outcome = [], "left"
            leaves = dice.randrange(6) if dice.random() < 0.2 else None
            request = RawRequest(protocol="openai-chat", model=dice.choice(ASKED), body={})
            try:
                answer = await world.router.raw(request)
            except PlaygroundError:
                outcomes["failed"] += 1
                return
            if answer is None:
                outcomes["local"] += 1
                return
            try:
                while len(pieces) != leaves:
                    pieces.append(await anext(answer.pieces))
            except StopAsyncIteration:
                outcome = "whole"
            except StreamBrokenError:
                outcome = "broken"
            finally:
                await answer.pieces.aclose()
            tokens = [tuple(map(int, token.split(":"))) for token in b"".join(pieces).decode().split()]
            assert tokens == [(tokens[0][0], place) for place in range(len(tokens))]
            assert outcome != "whole" or len(tokens) == faults.lengths[tokens[0][0]]
            outcomes[outcome] += 1

        while sum(faults.count.values()) < FAULTS // 4:
            tasks = [asyncio.create_task(one()) for _ in range(200)]
            await asyncio.sleep(dice.random() * 30)
            for task in tasks:
                if dice.random() < 0.05:
                    task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                assert result is None or isinstance(result, asyncio.CancelledError), result
            assert world.idle()

    run_virtual(scene())
    assert min(outcomes[kind] for kind in ("whole", "broken", "failed", "left", "local")) > 50
