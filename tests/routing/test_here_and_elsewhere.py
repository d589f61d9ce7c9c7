"""A model with one replica here and one elsewhere, in local-only mode: the one here answers, nobody else knows."""

from __future__ import annotations

import asyncio

import pytest

from app.backends.raw import RawRequest
from app.errors import LocalOnlyError
from app.messages import Started
from tests.backends.provider import Answer, provider
from tests.privacy.outside import listening_outside

from .scripted import ask, endpoint, read, text_of
from .test_over_sockets import KEY, Routed, place


def toml_of(here: str, outside: str) -> str:
    elsewhere = endpoint(
        "elsewhere", url=f"http://{outside}/v1", verify=False, key="env:KEY", retries=0, health_every_s=1
    )
    both = 'replicas = [{ endpoint = "elsewhere", weight = 100 }, { endpoint = "here" }]\nfallback = ["far"]\n'
    return f'{elsewhere}{here}[remote.both]\n{both}[remote.far]\nendpoint = "elsewhere"\n'


@pytest.mark.parametrize("choose", ["least-loaded", "weighted"])
async def test_the_replica_here_answers_and_the_other_never_sees_a_connection(choose):
    with listening_outside() as outside:
        async with provider(Answer(text=("I am here.",)), key=KEY) as there:
            toml = toml_of(place("here", there), f"{outside.host}:{outside.port}")
            toml = toml.replace("[remote.both]\n", f'[remote.both]\nchoose = "{choose}"\n')
            async with Routed(toml, local_only=True) as routed:
                await routed.router.listing(check=True)
                for _ in range(5):
                    found, error = await read(routed.router.stream(ask("both")))
                    assert error is None and text_of(found) == "I am here."
                    assert next(delta for delta in found if isinstance(delta, Started)).backend == "here"
                body = {"model": "both", "messages": [{"role": "user", "content": "?"}]}
                passed = await routed.router.raw(RawRequest(protocol="openai-chat", model="both", body=body))
                assert passed.backend == "here" and b"I am here." in b"".join([piece async for piece in passed.pieces])
                preview = await routed.router.preview(ask("both"))
                assert preview.url.startswith(there.base)
                # What is here fails: neither the other replica nor the fallback that is elsewhere is asked.
                there.plan = Answer(status=500, error="No.")
                _, error = await read(routed.router.stream(ask("both")))
                assert error is not None and not isinstance(error, LocalOnlyError)
                await asyncio.sleep(0.1)
                assert outside.came == []
                # The listener would have seen it: allowed again, the other one is asked.
                routed.policy.local_only = False
                await read(routed.router.stream(ask("far")))
                assert "tcp" in outside.came
