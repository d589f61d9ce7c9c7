"""How often each may ask, counted in memory and in a real Redis."""

from __future__ import annotations

import asyncio
import socket
import time

import anthropic
import openai
import pytest

from app.errors import LocalOnlyError, SettingsError
from app.privacy.connections import ConnectionPolicy
from app.server.auth.principal import Principal
from app.server.gate.gate import GateParts
from app.server.gate.limits import LimitsUnavailableError, RateLimits
from app.server.gate.refusals import TooManyRequestsError
from app.settings.access import AccessSettings
from app.vault.access.limits import AccessLimits
from tests.redis_server import redis_server
from tests.server.gated import gated, new_vault, settings

OPEN = ConnectionPolicy(local_only=False)
CHAT = "/v1/chat/completions"


@pytest.fixture
async def vault(tmp_path):
    made = await new_vault(tmp_path / "data")
    yield made
    await made.close()


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory):
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(params=["memory", "redis"])
def kept_in(request):
    """Settings that choose where the limits are kept."""
    return {} if request.param == "memory" else {"redis_url": request.getfixturevalue("redis_url")}


async def statuses(server, count, key=None, path=CHAT, **body):
    return [(await server.ask("POST", path, key, json=body)).status_code for _ in range(count)]


async def test_a_keys_own_limit_of_requests(vault, kept_in):
    _, narrow = await vault.api_keys.create("narrow", limits=AccessLimits(requests_per_minute=3))
    _, wide = await vault.api_keys.create("wide")
    async with gated(vault, settings(**kept_in)) as server:
        first = await server.ask("POST", CHAT, narrow, json={})
        assert first.headers["x-ratelimit-limit-requests"] == "3"
        assert first.headers["x-ratelimit-remaining-requests"] == "2"
        assert first.headers["x-ratelimit-reset-requests"].endswith("s")
        assert await statuses(server, 4, narrow) == [200, 200, 429, 429]
        refused = await server.ask("POST", CHAT, narrow, json={})
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert refused.json()["error"]["code"] == "rate_limit_exceeded"
        assert await statuses(server, 4, wide) == [200] * 4


async def test_limits_of_everybody_and_of_one_address(vault, kept_in):
    keys = [(await vault.api_keys.create(name))[1] for name in ("a", "b")]
    async with gated(vault, settings(requests_per_minute=4, **kept_in)) as server:
        assert await statuses(server, 3, keys[0]) == [200] * 3
        assert await statuses(server, 2, keys[1]) == [200, 429]
        assert (await server.ask("GET", "/health")).status_code == 200
    async with gated(vault, settings(requests_per_minute_per_address=2, **kept_in)) as server:
        assert await statuses(server, 1, keys[0]) + await statuses(server, 2, keys[1]) == [200, 200, 429]


async def test_the_limit_that_keys_have_without_one_of_their_own(vault, kept_in):
    _, own = await vault.api_keys.create("own", limits=AccessLimits(requests_per_minute=3))
    _, none = await vault.api_keys.create("none")
    async with gated(vault, settings(requests_per_minute_per_key=1, **kept_in)) as server:
        assert await statuses(server, 2, none) == [200, 429]
        assert await statuses(server, 4, own) == [200, 200, 200, 429]


async def test_tokens_a_minute_are_counted_after_each_answer(vault, kept_in):
    _, key = await vault.api_keys.create("key", limits=AccessLimits(tokens_per_minute=100))
    async with gated(vault, settings(**kept_in)) as server:
        assert await statuses(server, 1, key, tokens=60) == [200]
        await asyncio.sleep(0.1)
        second = await server.ask("POST", CHAT, key, json={"tokens": 60})
        assert (second.status_code, second.headers["x-ratelimit-remaining-tokens"]) == (200, "40")
        await asyncio.sleep(0.1)
        third = await server.ask("POST", CHAT, key, json={})
        assert (third.status_code, "tokens a minute" in third.text) == (429, True)


async def test_two_servers_share_their_limits_in_redis(tmp_path, redis_url):
    vault = await new_vault(tmp_path / "data")
    _, key = await vault.api_keys.create("shared", limits=AccessLimits(requests_per_minute=4))
    async with gated(vault, settings(redis_url=redis_url)) as one, gated(vault, settings(redis_url=redis_url)) as two:
        assert await statuses(one, 3, key) + await statuses(two, 2, key) == [200] * 4 + [429]
    await vault.close()


async def test_a_redis_that_does_not_answer_is_said_without_its_password(vault):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"redis://:s3kr1t@127.0.0.1:{port}/0"
    limits = RateLimits.open(AccessSettings(redis_url=url, requests_per_minute=5), OPEN)
    with pytest.raises(LimitsUnavailableError) as caught:
        await limits.ask(Principal("key", "a", "a", "user", ("chat",)), "127.0.0.1")
    assert "s3kr1t" not in str(caught.value) and caught.value.__cause__ is None
    async with gated(vault, settings(redis_url=url, requests_per_minute=5), no_auth=True) as server:
        answer = await server.ask("POST", CHAT, json={})
        assert (answer.status_code, "s3kr1t" in answer.text) == (503, False)


def test_what_is_no_redis_is_refused_and_local_only_mode_keeps_limits_on_this_machine(tmp_path):
    with pytest.raises(SettingsError) as caught:
        RateLimits.open(AccessSettings(redis_url="http://user:s3kr1t@x"), OPEN)
    assert "s3kr1t" not in str(caught.value)
    chosen = settings(redis_url="redis://:s3kr1t@redis.example:6379")
    with pytest.raises(LocalOnlyError, match=r"redis\.example") as refused:
        GateParts.of(None, chosen, {}, policy=ConnectionPolicy(local_only=True))  # type: ignore[arg-type]
    assert "s3kr1t" not in str(refused.value)


async def test_limits_elsewhere_are_not_asked_once_local_only_mode_is_switched_on():
    policy = ConnectionPolicy(local_only=False)
    elsewhere = AccessSettings(redis_url="redis://:s3kr1t@redis.example:6379", requests_per_minute=5)
    limits = RateLimits.open(elsewhere, policy)
    policy.local_only = True  # as a person does in the interface while the server runs
    with pytest.raises(LimitsUnavailableError, match="local-only") as refused:
        await limits.ask(Principal("key", "a", "a", "user", ("chat",)), "127.0.0.1")
    assert "s3kr1t" not in str(refused.value)


async def test_a_months_quota_is_counted_across_restarts(vault):
    key, text = await vault.api_keys.create("key", limits=AccessLimits(tokens_per_month=100))
    for expected in ([200], [200, 429]):
        async with gated(vault) as server:
            assert await statuses(server, len(expected), text, tokens=60) == expected
            answer = await server.ask("GET", "/v1/models", text)
            assert answer.status_code == 200  # what needs no tokens goes on
    async with gated(vault) as server:
        spent = await server.ask("POST", CHAT, text, json={})
        assert spent.json()["error"]["code"] == "insufficient_quota"
        assert int(spent.headers["retry-after"]) >= 1
    rows = await vault.usage.rows(key=key.id)
    assert [row.prompt_tokens for row in rows] == [60, 60]


async def test_usage_is_exported_as_json_and_csv_to_its_own_key_alone(vault):
    _, first = await vault.api_keys.create("first")
    _, second = await vault.api_keys.create("second")
    _, admin = await vault.api_keys.create("admin", ["admin"])
    async with gated(vault) as server:
        await statuses(server, 2, first, tokens=5)
        await statuses(server, 1, second, tokens=7)
        found = (await server.ask("GET", "/usage?key=everything", first)).json()["usage"]
        assert [row["prompt_tokens"] for row in found] == [5, 5]
        written = (await server.ask("GET", "/usage?format=csv", admin)).text.splitlines()
        assert len(written) == 4 and written[0].startswith("at,model,backend,api_key,")
        assert (await server.ask("GET", "/usage?since=soon", admin)).status_code == 400


async def test_the_official_clients_raise_their_own_errors(vault):
    _, key = await vault.api_keys.create("key", limits=AccessLimits(requests_per_minute=1))
    _, embed = await vault.api_keys.create("embed", ["embed"])
    said = [{"role": "user", "content": "hi"}]
    async with gated(vault) as server:
        await server.ask("GET", "/v1/models", key)

        async def by_openai(text):
            async with openai.AsyncOpenAI(api_key=text, base_url=f"{server.url}/v1", max_retries=0) as client:
                await client.chat.completions.create(model="m", messages=said)

        async def by_anthropic(text):
            async with anthropic.AsyncAnthropic(api_key=text, base_url=server.url, max_retries=0) as client:
                await client.messages.create(model="m", messages=said, max_tokens=5)

        for ask, package in ((by_openai, openai), (by_anthropic, anthropic)):
            with pytest.raises(package.RateLimitError) as limited:
                await ask(key)
            assert limited.value.response.headers["retry-after"]
            with pytest.raises(package.AuthenticationError):
                await ask("pg-wrong")
            with pytest.raises(package.PermissionDeniedError):
                await ask(embed)


async def test_attempts_are_counted_and_forgiven():
    limits = RateLimits.open(AccessSettings(), OPEN)
    for _ in range(3):
        await limits.attempt("a", 3, 60)
    with pytest.raises(TooManyRequestsError) as caught:
        await limits.attempt("a", 3, 60)
    assert caught.value.retry_after_s is not None and 1 <= caught.value.retry_after_s <= 60
    await limits.attempt("b", 3, 60)
    await limits.forgive("a", 3, 60)
    await limits.attempt("a", 3, 60)


async def test_when_a_key_was_used_last_is_noted(vault):
    key, text = await vault.api_keys.create("key")
    before = time.time()
    async with gated(vault) as server:
        await server.ask("GET", "/v1/models", text)
    assert (await vault.api_keys.find(key.id)).last_used_at >= before
