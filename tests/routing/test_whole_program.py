"""The program as it is wired, over true connections: rules at work, answers given again, notes without secrets."""

from __future__ import annotations

import asyncio
import logging

import pytest

from app.backends.endpoint import EndpointKind
from app.errors import RemoteRefusedError
from app.messages import Finished, Started, TextDelta, Usage
from app.playground import Playground
from app.settings import Folders
from tests.backends.provider import Answer, provider

from .kept import answer
from .scripted import ask

KEY = "planted-key-0123456789"
TEAM = "planted-team-secret"
KINDS: tuple[EndpointKind, ...] = ("openai", "anthropic", "ollama")

CATALOGUE = """
[endpoints.far]
kind = "{kind}"
url = "{url}"
key = "env:FAR_KEY"
retries = 0
{more}

[endpoints.far.headers]
force = {{ x-team = "${{FAR_TEAM}}" }}

[[endpoints.far.transforms]]
replace = '(?i)blue (\\w+)'
by = 'red \\1'

[[endpoints.far.transforms]]
add = "$.metadata.team"
value = "lighthouse"

[[endpoints.far.transforms]]
on = "response"
replace = 'lamp-\\d+(house)'
by = 'light\\1'

[remote.cloud]
endpoint = "far"
model = "m1"
aliases = ["c"]
price = {{ input = 1.0, output = 10.0, cached = 0.5 }}
"""


def opened(environ, there, kind, more="", **chosen):
    environ = {
        **environ,
        "FAR_KEY": KEY,
        "FAR_TEAM": TEAM,
        "PLAYGROUND_ROUTING__CACHE": "true",
        "PLAYGROUND_ROUTING__AUDIT_BODIES": "true",
        **chosen,
    }
    folders = Folders.find(environ)
    folders.make()
    (folders.config / "models.toml").write_text(CATALOGUE.format(kind=kind, url=there.url(kind), more=more))
    return Playground.open(environ, face="tui")


def text(deltas):
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


@pytest.mark.parametrize("kind", KINDS)
async def test_rules_cache_and_notes_of_one_answer(environ, kind):
    told = Answer(text=("The lam", "p-", "12", "hou", "se stood. lamp", "-x"), usage=Usage(1000, 200, 0), write=7)
    async with provider(told, key=KEY) as there:
        playground = opened(environ, there, kind)
        await playground.vault.open()
        first = await answer(playground.router, ask("c", "A Blue door, my e-mail is anna@example.org."))
        assert text(first) == "The lighthouse stood. lamp-x"
        (sent,) = there.chats
        assert b"red door" in sent.raw and b"anna@" not in sent.raw and sent.headers["x-team"] == TEAM
        assert sent.body["metadata"] == {"team": "lighthouse"}
        for _ in range(100):
            if (await playground.vault.answers.size())[0]:
                break
            await asyncio.sleep(0.01)
        again = await answer(playground.router, ask("cloud", "A Blue door, my e-mail is anna@example.org."))
        assert text(again) == text(first) and len(there.chats) == 1
        assert [delta.from_cache for delta in again if isinstance(delta, Started)] == [True]
        assert isinstance(again[-1], Finished)
        await playground.router.aclose()
        cached, asked = await playground.vault.audit.notes()
        assert (asked.face, asked.asked, asked.model, asked.backend) == ("tui", "c", "cloud", "far")
        assert asked.cost == pytest.approx((1000 * 1.0 + 200 * 10.0) / 1e6) and asked.completion_tokens == 200
        assert (cached.from_cache, cached.cost, cached.asked) == (True, 0.0, "cloud")
        row, given_again = await playground.vault.usage.rows()
        assert (row.model, row.backend, row.cost, row.from_cache) == ("cloud", "far", asked.cost, False)
        assert (given_again.model, given_again.cost, given_again.from_cache) == ("cloud", 0.0, True)
        await playground.aclose()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_key_that_a_provider_repeats_is_told_to_nobody(environ, kind, caplog):
    async with provider(key="another") as there:
        playground = opened(environ, there, kind)
        await playground.vault.open()
        with caplog.at_level(logging.DEBUG), pytest.raises(RemoteRefusedError) as refused:
            await answer(playground.router, ask("cloud", f"my key is {KEY}, the team's {TEAM}"))
        await playground.router.aclose()
        rows = await playground.vault.database.read(lambda c: str(c.execute("SELECT * FROM audit").fetchall()))
        everything = f"{refused.value} {refused.value!r} {refused.value.__cause__!r} {caplog.text} {rows}"
        assert there.chats and KEY not in everything and TEAM not in everything
        await playground.aclose()


async def test_before_the_vault_is_open_nothing_is_read_and_nothing_is_lost(environ):
    async with provider(Answer(text=("Hello",)), key=KEY) as there:
        playground = opened(environ, there, "openai")
        assert text(await answer(playground.router, ask("cloud"))) == "Hello"
        assert playground.opened_vault is None
        await playground.vault.open()
        await playground.router.aclose()
        assert await playground.vault.audit.count() == 1
        await playground.aclose()
