"""The router over real connections: providers that fail in every way, an outage and its end, whoever answers named."""

from __future__ import annotations

import asyncio
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from app.backends.endpoint import EndpointKind
from app.backends.raw import RawRequest
from app.engine.catalogues.catalogue import Catalogue
from app.engine.catalogues.files import CatalogueFile
from app.errors import (
    CatalogueError,
    CredentialError,
    LocalOnlyError,
    PlaygroundError,
    RemoteError,
    RemoteRefusedError,
    RemoteUnreachableError,
    SettingsError,
    StreamBrokenError,
)
from app.messages import Finished, Rerouted, Started, TextDelta, Waiting
from app.privacy.connections import ConnectionPolicy
from app.routing.connecting import connected
from app.routing.router import Router
from app.settings.schema import PrivacySettings
from tests.backends.faulty import SHORT, FaultyPlan
from tests.backends.provider import Answer, Provider, provider

from .scripted import Scripted, ask, endpoint, read, text_of

KINDS: tuple[EndpointKind, ...] = ("openai", "anthropic", "ollama", "openai-compatible")
KEY = "planted-key-0123456789"


class Routed:
    """A router as the program wires it, beside a scripted model of this machine called ``small``."""

    def __init__(self, toml: str, *, local_only: bool = False, privacy: PrivacySettings | None = None, **environ: str):
        self.local = Scripted("local", ("I am here.",), models=("small",))
        self.policy = ConnectionPolicy(local_only=local_only)
        local = Catalogue.of([CatalogueFile(Path("here"), {"models": {"small": {"source": "path:/nowhere.gguf"}}})])
        self.remotes = connected(
            [CatalogueFile(Path("models.toml"), tomllib.loads(toml))],
            local,
            self.local,
            self.policy,
            privacy or PrivacySettings(),
            {"KEY": KEY, **environ},
            vault=lambda: None,
        )
        self.router = Router([self.local], self.remotes)

    async def __aenter__(self) -> Routed:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.router.aclose()


def place(name: str, there: Provider, kind: EndpointKind = "openai", **fields: object) -> str:
    return endpoint(name, kind=kind, url=there.url(kind), key="env:KEY", **fields)


def model(name: str, at: str, more: str = "") -> str:
    return f'[remote."{name}"]\nendpoint = "{at}"\n{more}\n'


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_answers_under_our_name(kind):
    async with provider(key=KEY) as there:
        toml = place("cloud", there, kind) + model("org/m:1", "cloud", 'model = "m1"\ncontext = 77')
        async with Routed(toml) as routed:
            found, error = await read(routed.router.stream(ask("org/m:1")))
            assert error is None
            assert text_of(found) == "Hello there!"
            started = next(delta for delta in found if isinstance(delta, Started))
            assert (started.model, started.backend, started.context) == ("org/m:1", "cloud", 77)
            assert there.chats[0].body["model"] == "m1"
            assert not any(routed.remotes.in_flight().values())
            line = (await routed.router.listing(check=True))[-1]
            assert line.reachable == "yes"


async def test_the_outage_drill():
    toml_of = lambda port: (  # noqa: E731
        endpoint("cloud", url=f"http://127.0.0.1:{port}/v1", key="env:KEY", cooldown_s=0.4)
        + model("gpt", "cloud", 'fallback = ["small"]')
    )
    clock = asyncio.get_running_loop().time
    async with provider(key=KEY) as there:
        port = int(there.base.rpartition(":")[2])
        routed = Routed(toml_of(port))
        assert text_of((await read(routed.router.stream(ask("gpt"))))[0]) == "Hello there!"
    async with routed:
        began = clock()
        found, error = await read(routed.router.stream(ask("gpt")))
        assert error is None and text_of(found) == "I am here."
        assert clock() - began < 1.0
        assert [(delta.model, delta.next_model) for delta in found if isinstance(delta, Rerouted)] == [("gpt", "small")]
        assert (await routed.router.listing())[-1].reachable == "no"
        async with provider(key=KEY, port=port):
            assert text_of((await read(routed.router.stream(ask("gpt"))))[0]) == "I am here."
            await asyncio.sleep(0.45)
            found, error = await read(routed.router.stream(ask("gpt")))
            assert text_of(found) == "Hello there!" and error is None
            assert (await routed.router.listing())[-1].reachable == "yes"


async def test_keys_that_are_missing_or_refused_are_told_and_not_shown():
    async with provider(key="another") as there:
        toml = place("cloud", there) + model("gpt", "cloud") + model("both", "cloud", 'fallback = ["small"]')
        async with Routed(toml) as routed:
            _, error = await read(routed.router.stream(ask("gpt")))
            assert isinstance(error, RemoteRefusedError) and KEY not in str(error)
            assert len(there.chats) == 1
            found, error = await read(routed.router.stream(ask("both")))
            assert text_of(found) == "I am here." and KEY not in repr(found)
        async with Routed(toml, KEY="") as routed:
            _, error = await read(routed.router.stream(ask("gpt")))
            assert isinstance(error, CredentialError) and "env:KEY" in error.message


async def test_a_busy_provider_is_asked_again_when_it_says():
    plan = [Answer(status=429, headers={"retry-after": "0.1"}), Answer(status=503), Answer()]
    async with provider(plan, key=KEY) as there, Routed(place("cloud", there) + model("gpt", "cloud")) as routed:
        found, error = await read(routed.router.stream(ask("gpt")))
        assert error is None and text_of(found) == "Hello there!"
        assert [delta for delta in found if delta == Waiting("retrying", 1, 3)]
        assert len(there.chats) == 3


async def test_raw_requests_pass_with_fields_that_nobody_knows():
    async with (
        provider(key=KEY) as there,
        Routed(place("cloud", there) + model("gpt", "cloud", 'model = "m"')) as routed,
    ):
        body = {"model": "gpt", "messages": [{"role": "user", "content": "?"}], "brand_new": {"a": 1}, "stream": True}
        answer = await routed.router.raw(RawRequest(protocol="openai-chat", model="gpt", body=body, stream=True))
        said = b"".join([piece async for piece in answer.pieces])
        assert b"[DONE]" in said and (answer.model, answer.backend) == ("gpt", "cloud")
        assert there.chats[0].body["brand_new"] == {"a": 1} and there.chats[0].body["model"] == "m"
        assert not any(routed.remotes.in_flight().values())
        assert await routed.router.raw(RawRequest(protocol="anthropic", model="gpt", body=body)) is None


async def test_what_leaves_is_redacted_and_the_preview_shows_it():
    async with provider(Answer(text=("Written to ", "you."))) as there:
        toml = place("cloud", there) + model("gpt", "cloud")
        async with Routed(toml) as routed:
            request = ask("gpt", "Write to jane.doe@example.org")
            preview = await routed.router.preview(request)
            await read(routed.router.stream(request))
            assert b"jane.doe" not in preview.body and b"jane.doe" not in there.chats[0].raw
            assert KEY not in repr(preview)
        plain = toml.replace("[remote", "redact = false\n[remote", 1)
        async with Routed(plain) as routed:
            await read(routed.router.stream(request))
            assert b"jane.doe@example.org" in there.chats[-1].raw


def test_rules_and_patterns_that_are_wrong_are_refused_when_they_are_read():
    wrong = endpoint("cloud") + '[[endpoints.cloud.transforms]]\nreplace = "("\n' + model("gpt", "cloud")
    with pytest.raises(CatalogueError, match=r"^models\.toml: \[endpoints\.cloud\]"):
        Routed(wrong)
    with pytest.raises(SettingsError):
        Routed(endpoint("cloud"), privacy=PrivacySettings(redact_patterns={"mine": "("}))


async def test_local_only_never_connects():
    async with provider() as there:
        far = there.base.replace("127.0.0.1", "192.0.2.1")
        toml = endpoint("cloud", url=f"{far}/v1", verify=False) + model("gpt", "cloud")
        async with Routed(toml, local_only=True) as routed:
            _, error = await read(routed.router.stream(ask("gpt")))
            assert isinstance(error, LocalOnlyError) and "gpt" in error.message
            assert (await routed.router.listing(check=True))[-1].reason == "Local-only mode is on."


FAULTS = 400


async def test_faults_on_real_connections():
    """As ``test_faults`` does in memory: each answer's tokens tell which request of the provider they came from."""
    plan = FaultyPlan(seed=7)
    async with provider(plan, key=KEY) as a, provider(plan, key=KEY) as b, provider(plan, key=KEY) as c:
        toml = (
            place("a", a, "openai", **SHORT)
            + place("b", b, "anthropic", **SHORT)
            + place("c", c, "ollama", **SHORT)
            + '[remote.gpt]\nreplicas = [{ endpoint = "a" }, { endpoint = "b", weight = 2 }]\nfallback = ["last"]\n'
            + model("last", "c")
        )
        async with Routed(toml) as routed:
            outcomes: Counter[str] = Counter()

            async def one() -> None:
                found, error = await read(routed.router.stream(ask(plan.dice.choice(("gpt", "last")))))
                text = text_of(found)
                kinds = [type(delta) for delta in found]
                assert kinds.count(Started) <= 1 and kinds.count(Finished) == (error is None)
                tokens = [tuple(map(int, token.split(":"))) for token in text.split()]
                assert tokens == [(tokens[0][0], place) for place in range(len(tokens))]
                if error is None:
                    assert plan.is_whole(tokens)
                elif tokens:
                    assert isinstance(error, StreamBrokenError)
                else:
                    assert TextDelta not in kinds and isinstance(error, PlaygroundError)
                outcomes["whole" if error is None else "broken" if tokens else "failed"] += 1

            async with asyncio.timeout(60):
                while plan.faults < FAULTS:
                    await asyncio.gather(*(one() for _ in range(50)))
            assert not any(routed.remotes.in_flight().values())
        for there in (a, b, c):
            await there.until(lambda one: one.running == 0)
    assert len(plan.count) == 6 and min(outcomes[kind] for kind in ("whole", "broken", "failed")) > 10


async def test_an_unreachable_provider_alone_is_an_error_with_a_reason():
    async with provider() as there:
        gone = place("cloud", there, retries=0) + model("gpt", "cloud")
    async with Routed(gone) as routed:
        _, error = await read(routed.router.stream(ask("gpt")))
        assert isinstance(error, RemoteUnreachableError) and isinstance(error, RemoteError)
        assert "cloud" in error.message
