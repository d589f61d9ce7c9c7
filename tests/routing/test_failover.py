"""Tries again, other replicas, other models: before the first piece of an answer, and never after it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from app.errors import (
    CredentialError,
    InvalidRequestError,
    LocalOnlyError,
    ModelNotInstalledError,
    RemoteBusyError,
    RemoteError,
    RemoteRefusedError,
    RemoteTimeoutError,
    RemoteUnreachableError,
    StreamBrokenError,
    TranslationError,
)
from app.messages import Finished, Rerouted, Started, TextDelta, ThinkingDelta, ToolCallDelta, Waiting

from .scripted import World, ask, endpoint, read, text_of
from .virtual import run_virtual

DOWN = RemoteUnreachableError("cloud cannot be reached.")
BUSY = RemoteBusyError("cloud is busy.", status=429)
ONE = (
    endpoint("cloud") + '[remote."org/gpt:4"]\nendpoint = "cloud"\nmodel = "gpt-4"\naliases = ["gpt"]\ncontext = 4096\n'
)
WITH_LOCAL = ONE + 'fallback = ["small"]\n'
CHAIN = (
    endpoint("cloud")
    + endpoint("other")
    + '[remote.gpt]\nendpoint = "cloud"\nfallback = ["claude"]\n'
    + '[remote.claude]\nendpoint = "other"\nfallback = ["small"]\n'
)
TWO_PLACES = (
    endpoint("a") + endpoint("b") + '[remote.gpt]\nreplicas = [{ endpoint = "a" }, { endpoint = "b", model = "x" }]\n'
)


def failing(times: int, error: BaseException, *then: str):
    """Fails so many times, then answers."""
    return lambda number, request: [error] if number <= times else list(then or ("Hello",))


async def timed(deltas):
    clock = asyncio.get_running_loop().time
    began = clock()
    found, error = await read(deltas)
    return found, error, clock() - began


def test_started_says_who_really_answers_and_the_endpoint_is_asked_by_its_own_name():
    async def scene():
        world = World(ONE)
        for name in ("org/gpt:4", "gpt"):
            found, error = await read(world.router.stream(ask(name)))
            assert error is None
            assert found[0] == Started("org/gpt:4", "cloud", context=4096)
            assert text_of(found) == "Hello there."
            assert found[-1] == Finished("stop")
        assert world.ends["cloud"].asked == ["gpt-4", "gpt-4"]
        assert world.connected == ["cloud"]

    run_virtual(scene())


@pytest.mark.parametrize(
    "error",
    [
        DOWN,
        BUSY,
        RemoteTimeoutError("It took too long."),
        RemoteError("Broken inside.", status=500),
        RemoteError("Conflict.", status=409),
        RemoteError("Timeout.", status=408),
        StreamBrokenError("It ended before it began."),
    ],
)
def test_what_passes_by_itself_is_tried_again_with_growing_waits(error):
    async def scene():
        world = World(ONE, cloud=failing(2, error))
        found, failed, took = await timed(world.router.stream(ask("gpt")))
        assert failed is None and text_of(found) == "Hello"
        assert [delta for delta in found if isinstance(delta, Waiting)] == [
            Waiting("retrying", 1, 3),
            Waiting("retrying", 2, 3),
        ]
        # Half of 0.5 s and half of 1 s: the chance is 0.5.
        assert took == pytest.approx(0.75)
        assert world.idle()

    run_virtual(scene())


@pytest.mark.parametrize(
    "error",
    [
        RemoteRefusedError("No.", status=400),
        RemoteRefusedError("No.", status=422),
        RemoteRefusedError("No.", status=401),
        InvalidRequestError("No."),
        TranslationError("No."),
        CredentialError("No key."),
    ],
)
def test_what_is_refused_is_not_tried_again(error):
    async def scene():
        world = World(ONE, cloud=failing(1, error))
        _, failed = await read(world.router.stream(ask("gpt")))
        assert failed is error
        assert world.ends["cloud"].asked == ["gpt-4"]
        assert (await read(world.router.stream(ask("gpt"))))[1] is None

    run_virtual(scene())


@pytest.mark.parametrize(
    ("error", "rerouted"),
    [
        (DOWN, True),
        (BUSY, True),
        (RemoteRefusedError("The key is refused.", status=401), True),
        (RemoteRefusedError("No such model.", status=404), True),
        (CredentialError("The key is missing."), True),
        (RemoteRefusedError("A wrong request.", status=400), False),
        (TranslationError("No words for it."), False),
    ],
)
def test_the_next_model_is_asked_when_another_may_answer_and_not_when_the_request_is_wrong(error, rerouted):
    async def scene():
        world = World(WITH_LOCAL, cloud=lambda number, request: [error])
        found, failed = await read(world.router.stream(ask("gpt")))
        if rerouted:
            assert failed is None
            assert Rerouted("org/gpt:4", "small", error.message) in found
            assert [delta for delta in found if isinstance(delta, Started)] == [Started("small", "wire")]
            assert text_of(found) == "I am here."
        else:
            assert failed is error
            assert world.local.asked == []

    run_virtual(scene())


def test_the_outage_drill():
    """Down: the local model answers within 1 s. Back: it is used again after its cooldown, found out by one probe."""

    async def scene():
        down = True
        world = World(WITH_LOCAL, cloud=lambda number, request: [DOWN] if down else ["Back."])
        found, error, took = await timed(world.router.stream(ask("gpt")))
        assert error is None and text_of(found) == "I am here." and took < 1.0

        asked = len(world.ends["cloud"].asked)
        found, error, took = await timed(world.router.stream(ask("gpt")))
        assert text_of(found) == "I am here." and took == 0, "it is left alone for its cooldown"
        assert len(world.ends["cloud"].asked) == asked

        down = False
        await asyncio.sleep(15.1)
        found, error, took = await timed(world.router.stream(ask("gpt")))
        assert text_of(found) == "Back." and took == 0
        assert text_of((await read(world.router.stream(ask("gpt"))))[0]) == "Back."

    run_virtual(scene())


def test_a_probe_that_fails_costs_one_request_one_try():
    async def scene():
        world = World(WITH_LOCAL, cloud=lambda number, request: [1.0, DOWN])
        await read(world.router.stream(ask("gpt")))
        await asyncio.sleep(20)
        before = len(world.ends["cloud"].asked)
        many = await asyncio.gather(*(timed(world.router.stream(ask("gpt"))) for _ in range(20)))
        assert len(world.ends["cloud"].asked) == before + 1
        assert all(text_of(found) == "I am here." for found, _, _ in many)
        assert sorted(took for _, _, took in many) == [0.0] * 19 + [1.0]

    run_virtual(scene())


def test_a_cancelled_probe_leaves_its_place_to_the_next():
    async def scene():
        down = True
        world = World(WITH_LOCAL, cloud=lambda number, request: [DOWN] if down else [30.0, "Back."])
        await read(world.router.stream(ask("gpt")))
        await asyncio.sleep(20)
        down = False
        probe = asyncio.create_task(read(world.router.stream(ask("gpt"))))
        await asyncio.sleep(1)
        assert world.ends["cloud"].running == 1
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)
        assert world.idle()
        assert text_of((await read(world.router.stream(ask("gpt"))))[0]) == "Back."

    run_virtual(scene())


def test_alone_it_is_probed_before_its_time_by_one_request_at_a_time():
    async def scene():
        down = True
        world = World(ONE, cloud=lambda number, request: [1.0, DOWN] if down else ["Back."])
        assert (await read(world.router.stream(ask("gpt"))))[1] is DOWN
        results = await asyncio.gather(*(read(world.router.stream(ask("gpt"))) for _ in range(5)))
        assert sum(error is DOWN for _, error in results) == 1
        turned_away = [error for _, error in results if error is not DOWN]
        assert all(isinstance(error, RemoteBusyError) and error.retry_after for error in turned_away)
        assert "org/gpt:4 failed a moment ago and is left alone" in turned_away[0].message
        down = False
        assert text_of((await read(world.router.stream(ask("gpt"))))[0]) == "Back."

    run_virtual(scene())


def test_retry_after_is_waited_for_when_it_is_alone_and_short():
    async def scene():
        told = RemoteBusyError("Slow down.", status=429, retry_after=7.0)
        world = World(ONE, cloud=failing(1, told))
        _, error, took = await timed(world.router.stream(ask("gpt")))
        assert error is None and took == pytest.approx(7.25)

        long = RemoteBusyError("Slow down.", status=429, retry_after=100.0)
        world = World(ONE, cloud=lambda number, request: [long])
        _, error, took = await timed(world.router.stream(ask("gpt")))
        assert error is long and took == 0
        _, error = await read(world.router.stream(ask("gpt")))
        assert isinstance(error, RemoteBusyError) and error.retry_after == pytest.approx(100)
        assert len(world.ends["cloud"].asked) == 1, "it asked for the wait, so it is not probed before"
        await asyncio.sleep(100)
        await read(world.router.stream(ask("gpt")))
        assert len(world.ends["cloud"].asked) == 2

    run_virtual(scene())


def test_where_another_can_answer_a_rate_limit_is_not_waited_for():
    async def scene():
        told = RemoteBusyError("Slow down.", status=429, retry_after=7.0)
        world = World(WITH_LOCAL, cloud=failing(1, told))
        found, _, took = await timed(world.router.stream(ask("gpt")))
        assert text_of(found) == "I am here." and took == 0

    run_virtual(scene())


def test_the_deadline_holds_over_all_tries():
    async def scene():
        toml = endpoint("cloud", total_s=10.0, retries=10) + '[remote.gpt]\nendpoint = "cloud"\n'
        world = World(toml, cloud=lambda number, request: [1.5, DOWN])
        _, error, took = await timed(world.router.stream(ask("gpt")))
        assert isinstance(error, RemoteError) and took <= 10
        assert len(world.ends["cloud"].asked) > 3

        world = World(toml, cloud=[1e9])
        _, error, took = await timed(world.router.stream(ask("gpt")))
        assert isinstance(error, RemoteTimeoutError) and took == pytest.approx(10)
        assert "gpt had not answered in full after 10 s" in error.message and "[endpoints.cloud]" in error.remedy
        assert world.idle()

        world = World(toml, cloud=["a", 4.0, "b", 1e9])
        found, error, took = await timed(world.router.stream(ask("gpt")))
        assert isinstance(error, StreamBrokenError) and text_of(found) == "ab" and took == pytest.approx(10)
        assert world.idle()

    run_virtual(scene())


@pytest.mark.parametrize(
    "first",
    ["text", ThinkingDelta("hm"), ToolCallDelta(0, "", "c1", "look"), TextDelta("x")],
    ids=lambda d: str(d)[:12],
)
@pytest.mark.parametrize("error", [DOWN, BUSY, RemoteTimeoutError("Late."), StreamBrokenError("Cut.")])
def test_an_answer_that_breaks_off_is_never_begun_again_by_anyone(first, error):
    async def scene():
        world = World(CHAIN, cloud=[first, error])
        found, failed = await read(world.router.stream(ask("gpt")))
        assert isinstance(failed, StreamBrokenError) and failed.message == error.message
        assert len(found) == 2 and isinstance(found[0], Started)
        assert world.ends["other"].asked == world.local.asked == []
        assert world.router.next_after("gpt") == "claude"
        assert world.router.next_after("claude") == "small"
        assert world.router.next_after("claude", "gpt") == "small"
        assert world.router.next_after("small") is None
        assert world.idle()

    run_virtual(scene())


def test_an_answer_without_an_end_is_broken_and_one_without_a_beginning_is_tried_again():
    async def scene():
        world = World(ONE)

        async def half(request):
            yield Started("x", "wire")
            yield TextDelta("Half")

        async def nothing(request):
            yield Started("x", "wire")
            yield TextDelta("")

        world.ends["cloud"].stream = half
        found, error = await read(world.router.stream(ask("gpt")))
        assert isinstance(error, StreamBrokenError) and text_of(found) == "Half"
        world.ends["cloud"].stream = nothing
        found, error = await read(world.router.stream(ask("gpt")))
        assert isinstance(error, StreamBrokenError)
        assert found == [Waiting("retrying", 1, 3), Waiting("retrying", 2, 3)]

    run_virtual(scene())


def test_a_chain_is_followed_to_its_end_and_the_first_error_tells_of_all():
    async def scene():
        gone = ModelNotInstalledError("small is not here.")
        world = World(
            CHAIN,
            cloud=lambda number, request: [DOWN],
            other=lambda number, request: [RemoteRefusedError("The key is refused.", status=403)],
            local=[gone],
        )
        found, error = await read(world.router.stream(ask("gpt")))
        assert [(delta.model, delta.next_model) for delta in found if isinstance(delta, Rerouted)] == [
            ("gpt", "claude"),
            ("claude", "small"),
        ]
        assert isinstance(error, RemoteUnreachableError) and error.message == DOWN.message
        assert error.remedy == "Asked in its place, in vain: claude: The key is refused; small: small is not here."
        assert DOWN.remedy == ""

    run_virtual(scene())


def test_another_replica_is_asked_at_once():
    async def scene():
        world = World(TWO_PLACES, a=lambda number, request: [DOWN], b=["From b."])
        for _ in range(4):
            found, error, took = await timed(world.router.stream(ask("gpt")))
            assert error is None and took == 0
            assert Started("gpt", "b") in found
        assert len(world.ends["a"].asked) == 1
        assert set(world.ends["b"].asked) == {"x"}

    run_virtual(scene())


def test_each_replica_is_asked_once_however_few_retries_there_are():
    async def scene():
        toml = (
            "".join(endpoint(name, retries=0) for name in "abc")
            + "[remote.gpt]\nreplicas = ["
            + ", ".join(f'{{ endpoint = "{name}" }}' for name in "abc")
            + "]\n"
        )
        world = World(toml, a=lambda number, request: [DOWN], b=lambda number, request: [DOWN], c=["From c."])
        found, error, took = await timed(world.router.stream(ask("gpt")))
        assert error is None and text_of(found) == "From c." and took == 0
        world = World(toml, **dict.fromkeys("abc", lambda number, request: [DOWN]))
        _, error, took = await timed(world.router.stream(ask("gpt")))
        assert error is DOWN and took == 0
        assert [len(end.asked) for end in world.ends.values()] == [1, 1, 1]

    run_virtual(scene())


@pytest.mark.parametrize(
    ("error", "answered"),
    [
        (RemoteRefusedError("The key is refused.", status=401), True),
        (CredentialError("No key."), True),
        (RemoteRefusedError("A wrong request.", status=400), False),
    ],
)
def test_what_one_replica_refuses_for_good_another_may_answer(error, answered):
    async def scene():
        world = World(TWO_PLACES, a=lambda number, request: [error], b=["From b."])
        found, failed, took = await timed(world.router.stream(ask("gpt")))
        assert took == 0 and (failed is None) == answered and ("From b." in text_of(found)) == answered
        assert len(world.ends["a"].asked) == 1
        world = World(TWO_PLACES, **dict.fromkeys("ab", lambda number, request: [error]))
        _, failed = await read(world.router.stream(ask("gpt")))
        assert failed is error and max(len(end.asked) for end in world.ends.values()) == 1
        assert world.idle()

    run_virtual(scene())


def test_the_least_loaded_replica_is_asked():
    async def scene():
        world = World(TWO_PLACES, a=[5.0, "A"], b=[5.0, "B"])
        many = [asyncio.create_task(read(world.router.stream(ask("gpt")))) for _ in range(10)]
        await asyncio.sleep(1)
        assert world.remotes.in_flight() == {"a": 5, "b": 5}
        await asyncio.gather(*many)
        assert world.idle()

    run_virtual(scene())


def test_local_only_refuses_what_is_elsewhere_before_anything_is_connected():
    async def scene():
        world = World(ONE, local_only=True)
        _, error = await read(world.router.stream(ask("gpt")))
        assert isinstance(error, LocalOnlyError)
        assert "org/gpt:4 was not asked: it is at cloud.example" in error.message
        assert world.connected == []

        world = World(WITH_LOCAL, local_only=True)
        found, error = await read(world.router.stream(ask("gpt")))
        assert error is None and world.connected == []
        rerouted = next(delta for delta in found if isinstance(delta, Rerouted))
        assert rerouted.next_model == "small" and rerouted.reason.startswith("Local-only mode is on")

        here = endpoint("cloud", url="http://127.0.0.1:11434") + '[remote.gpt]\nendpoint = "cloud"\n'
        world = World(here, local_only=True)
        assert (await read(world.router.stream(ask("gpt"))))[1] is None

        world = World(ONE)
        assert (await read(world.router.stream(ask("gpt"))))[1] is None
        world.policy.local_only = True
        assert isinstance((await read(world.router.stream(ask("gpt"))))[1], LocalOnlyError), "switched while it runs"

    run_virtual(scene())


def test_local_only_asks_the_replica_on_this_machine_alone():
    async def scene():
        toml = (
            endpoint("far")
            + endpoint("here", url="http://[::1]:8000/v1")
            + '[remote.gpt]\nreplicas = [{ endpoint = "far", weight = 100 }, { endpoint = "here" }]\n'
        )
        world = World(toml, local_only=True, here=lambda number, request: [DOWN])
        _, error = await read(world.router.stream(ask("gpt")))
        assert error is DOWN
        assert world.connected == ["here"]

    run_virtual(scene())


@pytest.mark.parametrize("moment", [0, 0.5, 1.1, 2.0, 4.0])
def test_leaving_at_any_moment_leaves_nothing_behind(moment):
    async def scene():
        world = World(CHAIN, cloud=lambda number, request: [1.0, DOWN], other=[0.2, "a", 1.0, "b", 1.0, "c"])
        task = asyncio.create_task(read(world.router.stream(ask("gpt"))))
        await asyncio.sleep(moment)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert world.idle()

        async with aclosing(world.router.stream(ask("gpt"))) as deltas:
            async for _ in deltas:
                break
        assert world.idle()
        _ = world.router.stream(ask("gpt"))
        assert world.idle()

    run_virtual(scene())


def test_closing_closes_only_what_was_connected():
    async def scene():
        world = World(CHAIN)
        await read(world.router.stream(ask("gpt")))
        await world.router.aclose()
        assert (world.ends["cloud"].closed, world.ends["other"].closed, world.local.closed) == (1, 0, 1)

    run_virtual(scene())


def test_names_and_what_is_known():
    async def scene():
        world = World(WITH_LOCAL)
        assert await world.router.models() == ("small", "org/gpt:4", "gpt")
        assert [await world.router.knows(name) for name in ("gpt", "org/gpt:4", "small", "gpt-4")] == [True] * 3 + [
            False
        ]
        assert world.router.is_remote("gpt") and not world.router.is_remote("small")
        assert await world.router.preview(ask("gpt")) == "cloud would be sent gpt-4"
        assert await world.router.preview(ask("small")) is None
        world.policy.local_only = True
        assert await world.router.preview(ask("gpt")) is None, "the local model answers: nothing would leave"
        alone = World(ONE, local_only=True)
        with pytest.raises(LocalOnlyError):
            await alone.router.preview(ask("gpt"))

    run_virtual(scene())
