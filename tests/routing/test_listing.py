"""What the picker is told of each model, and the checks behind it."""

from __future__ import annotations

import asyncio

from app.errors import CredentialError, RemoteRefusedError, RemoteUnreachableError
from app.routing.catalogue.remote_models import Price
from app.routing.listing import LocalFacts, local_line

from .scripted import World, ask, endpoint, read, text_of
from .virtual import run_virtual

DOWN = RemoteUnreachableError("cloud cannot be reached.")
TOML = (
    endpoint("cloud")
    + endpoint("near", url="http://127.0.0.1:11434", kind="ollama")
    + endpoint("lan", url="http://10.0.0.5:8000", verify=False, redact=False)
    + """
[remote."org/gpt"]
endpoint = "cloud"
aliases = ["gpt"]
context = 4000
price = { input = 1, output = 2 }
fallback = ["llama", "small"]
description = "Large."
vision = true
[remote.llama]
endpoint = "near"
[remote.both]
replicas = [{ endpoint = "cloud" }, { endpoint = "lan" }]
"""
)


async def lines(world: World, *, check: bool = False):
    return {line.name: line for line in await world.router.listing(check=check)}


def test_everything_that_is_known_without_asking():
    async def scene():
        world = World(TOML)
        found = await lines(world)
        assert list(found) == ["small", "org/gpt", "llama", "both"]
        assert found["small"].reachable == "here" and not found["small"].remote and found["small"].leaves == ""
        gpt = found["org/gpt"]
        assert gpt.remote and gpt.backend == "cloud" and gpt.aliases == ("gpt",) and gpt.context == 4000
        assert gpt.price == Price(input=1, output=2) and gpt.vision and gpt.description == "Large."
        assert gpt.fallback == ("llama", "small")
        assert gpt.reachable == "unknown"
        assert gpt.leaves == "the conversation, to cloud.example, personal data replaced"
        assert found["llama"].leaves == ""
        assert found["both"].leaves == (
            "the conversation, to cloud.example, personal data replaced;"
            " the conversation, to 10.0.0.5:8000, readable on the way"
        )
        assert world.connected == []

    run_virtual(scene())


def test_what_requests_and_checks_find_out_is_shown():
    async def scene():
        world = World(TOML, cloud=lambda number, request: [DOWN])
        await read(world.router.stream(ask("llama")))
        await read(world.router.stream(ask("gpt")))
        found = await lines(world)
        assert found["llama"].reachable == "yes"
        assert found["org/gpt"].reachable == "no"
        assert found["org/gpt"].reason == "cloud cannot be reached. It is asked again in 15 s."
        assert found["both"].reachable == "unknown", "the other replica may be there"

        world = World(TOML)
        world.ends["lan"].checks = [DOWN]
        found = await lines(world, check=True)
        assert [found[name].reachable for name in ("org/gpt", "llama", "both")] == ["yes", "yes", "yes"]
        assert world.ends["cloud"].checked == 1

        world = World(TOML, cloud=lambda number, request: [RemoteRefusedError("The key is refused.", status=401)])
        await read(world.router.stream(ask("gpt")))
        assert (await lines(world))["org/gpt"].reason == "The key is refused."
        world = World(TOML, cloud=lambda number, request: [CredentialError("OPENAI_API_KEY is not set.")])
        await read(world.router.stream(ask("gpt")))
        line = (await lines(world))["org/gpt"]
        assert (line.reachable, line.reason) == ("unknown", "OPENAI_API_KEY is not set.")

    run_virtual(scene())


def test_a_model_that_is_here_too_needs_to_leave_nothing_in_local_only_mode():
    async def scene():
        toml = TOML + '[remote.around]\nreplicas = [{ endpoint = "cloud" }, { endpoint = "near" }]\n'
        world = World(toml, local_only=True)
        found = await lines(world, check=True)
        around = found["around"]
        assert (around.reachable, around.stays) == ("yes", True)
        assert around.leaves == "the conversation, to cloud.example, personal data replaced"
        assert around.while_local_only().leaves == ""
        gone = found["org/gpt"]
        assert not gone.stays and gone.while_local_only() == gone
        assert world.connected == ["near"]

    run_virtual(scene())


def test_local_only_asks_nobody_elsewhere():
    async def scene():
        world = World(TOML, local_only=True)
        found = await lines(world, check=True)
        assert (found["org/gpt"].reachable, found["org/gpt"].reason) == ("no", "Local-only mode is on.")
        assert found["llama"].reachable == "yes"
        assert world.connected == ["near"]

    run_virtual(scene())


def test_a_check_that_hangs_ends():
    async def scene():
        world = World(TOML)

        async def hangs():
            await asyncio.sleep(1e9)

        world.ends["cloud"].check = hangs
        found = await lines(world, check=True)
        assert found["org/gpt"].reachable == "no" and "said nothing for 15 s" in found["org/gpt"].reason

    run_virtual(scene())


def test_local_models_that_are_not_here_yet():
    line = local_line("m", "local", LocalFacts(installed=False, context=8, description="D"))
    assert (line.reachable, line.reason, line.context) == ("no", "Its file is not on this machine yet.", 8)


def test_an_endpoint_in_use_is_watched_and_left_alone_before_a_request_finds_out():
    async def scene():
        toml = endpoint("cloud", health_every_s=30.0) + '[remote.gpt]\nendpoint = "cloud"\nfallback = ["small"]\n'
        world = World(toml)
        end = world.ends["cloud"]
        await asyncio.sleep(100)
        assert end.checked == 0, "it is not in use"
        await read(world.router.stream(ask("gpt")))
        end.checks = [None, DOWN]
        await asyncio.sleep(61)
        assert end.checked == 2
        assert text_of((await read(world.router.stream(ask("gpt"))))[0]) == "I am here."
        assert len(end.asked) == 1
        await asyncio.sleep(31)
        assert text_of((await read(world.router.stream(ask("gpt"))))[0]) == "Hello there."
        await asyncio.sleep(2000)
        checked = end.checked
        await asyncio.sleep(2000)
        assert end.checked == checked, "nobody used it for ten minutes"
        await read(world.router.stream(ask("gpt")))
        await world.router.aclose()
        await asyncio.sleep(100)
        assert end.checked == checked
        assert len(asyncio.all_tasks()) == 1

    run_virtual(scene())
