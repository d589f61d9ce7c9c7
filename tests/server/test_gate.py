"""What the gate lets pass, and how it says no."""

from __future__ import annotations

import pytest

from app.errors import SettingsError
from app.privacy.connections import ConnectionPolicy
from app.server.auth.needs import ADMIN, ANY_KEY, CHAT, EMBED, PUBLIC, needed
from app.server.gate.gate import GateParts
from tests.server.gated import gated, new_vault, settings

OPEN = ConnectionPolicy(local_only=False)
FIXED = "a-fixed-key-for-containers"


@pytest.fixture
async def vault(tmp_path):
    made = await new_vault(tmp_path / "data")
    yield made
    await made.close()


async def test_a_key_opens_by_either_header_and_the_application_knows_who_asks(vault):
    key, text = await vault.api_keys.create("editor")
    async with gated(vault) as server:
        assert (await server.ask("POST", "/v1/chat/completions", text, json={})).json()["id"] == key.id
        by_header = await server.ask("POST", "/v1/messages", headers={"x-api-key": text}, json={})
        assert by_header.json()["id"] == key.id
        both = await server.ask("GET", "/v1/models", text, headers={"x-api-key": text})
        assert both.status_code == 200
        two = await server.ask("GET", "/v1/models", text, headers={"x-api-key": "pg-another"})
        assert two.status_code == 401


async def test_fixed_keys_of_the_environment_open_too_even_while_the_vault_is_locked(vault):
    async with gated(vault, environ={"PLAYGROUND_API_KEYS": f" {FIXED} , another-key-of-sixteen"}) as server:
        await vault.lock()
        answer = await server.ask("POST", "/v1/chat/completions", FIXED, json={})
        assert (answer.status_code, answer.json()["id"]) == (200, "fixed:1")
        assert (await server.ask("GET", "/v1/models", "another-key-of-sixteen")).json()["id"] == "fixed:2"
        assert (await server.ask("GET", "/keys", FIXED)).status_code == 403
        locked = await server.ask("GET", "/v1/models", "pg-" + "a" * 43)
        assert (locked.status_code, locked.json()["error"]["code"]) == (503, "vault_locked")
        await vault.open()


def test_a_short_fixed_key_is_refused_with_a_sentence_that_does_not_repeat_it(tmp_path):
    with pytest.raises(SettingsError, match="key 2 has 5 characters") as caught:
        GateParts.of(None, settings(), {"PLAYGROUND_API_KEYS": f"{FIXED},s3kr1"}, policy=OPEN)  # type: ignore[arg-type]
    assert "s3kr1" not in str(caught.value) and "16" in str(caught.value)
    with pytest.raises(SettingsError, match="no header can carry"):
        GateParts.of(None, settings(), {"PLAYGROUND_API_KEYS": "größer-als-sechzehn-zeichen"}, policy=OPEN)  # type: ignore[arg-type]


async def test_no_key_is_needed_with_no_auth_which_only_loopback_may_have(vault):
    async with gated(vault, no_auth=True) as server:
        answer = await server.ask("POST", "/v1/chat/completions", json={})
        assert (answer.status_code, answer.json()["id"]) == (200, "nobody")
        assert (await server.ask("GET", "/v1/models", "whatever a program has baked in")).status_code == 200
        for host in ("127.0.0.1", "::1", "localhost"):
            await server.parts.require_safe(host)
        with pytest.raises(SettingsError, match="without asking for keys"):
            await server.parts.require_safe("0.0.0.0")


async def test_other_interfaces_are_refused_until_there_is_a_valid_key(vault):
    async with gated(vault) as server:
        with pytest.raises(SettingsError, match="there is no key yet"):
            await server.parts.require_safe("0.0.0.0")
        key, _ = await vault.api_keys.create("one")
        await server.parts.require_safe("::")
        await vault.api_keys.revoke(key.id)
        with pytest.raises(SettingsError):
            await server.parts.require_safe("192.168.1.20")
    async with gated(vault, environ={"PLAYGROUND_API_KEYS": FIXED}) as server:
        await server.parts.require_safe("0.0.0.0")


@pytest.mark.parametrize(
    ("path", "find"),
    [
        ("/v1/chat/completions", lambda body: (body["error"]["type"], body["error"]["code"])),
        ("/v1/messages", lambda body: (body["type"], body["error"]["type"])),
        ("/api/chat", lambda body: (type(body["error"]).__name__,)),
        ("/completion", lambda body: (body["error"]["type"], body["error"]["code"])),
        ("/generate", lambda body: (body["error"]["code"],)),
    ],
)
async def test_a_refusal_is_worded_as_the_protocol_words_its_own(vault, path, find):
    expected = {
        "/v1/chat/completions": ("invalid_request_error", "invalid_api_key"),
        "/v1/messages": ("error", "authentication_error"),
        "/api/chat": ("str",),
        "/completion": ("authentication_error", 401),
        "/generate": ("invalid_api_key",),
    }
    async with gated(vault) as server:
        answer = await server.ask("POST", path, json={})
        assert answer.status_code == 401
        assert find(answer.json()) == expected[path]
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert server.seen == []


def test_what_each_route_needs():
    assert needed("POST", "/v1/chat/completions") == CHAT
    assert needed("WEBSOCKET", "/v1/chat/ws") == CHAT
    assert needed("POST", "/v1/embeddings") == EMBED
    assert needed("GET", "/v1/models/org/name") == ANY_KEY
    assert needed("GET", "/health") == PUBLIC
    for method, path in (
        ("POST", "/v1/models/a/load"),
        ("GET", "/sessions"),
        ("POST", "/props"),
        ("GET", "/metrics"),
        ("GET", "/v1/chat/completions/"),
        ("GET", "/V1/MODELS"),
        ("GET", "//health"),
        ("POST", "/health"),
        ("DELETE", "/api/delete"),
        ("GET", "/what/nobody/wrote/down"),
    ):
        assert needed(method, path) == ADMIN, path


async def test_a_named_page_may_ask_and_read_and_a_browsers_question_is_answered(vault):
    page = "https://notes.example"
    _, text = await vault.api_keys.create("page")
    async with gated(vault, settings(server={"cors_origins": (page,)})) as server:
        asked = {"origin": page, "access-control-request-method": "POST", "access-control-request-headers": "x-api-key"}
        question = await server.ask("OPTIONS", "/v1/chat/completions", headers=asked)
        assert question.status_code == 204
        assert question.headers["access-control-allow-headers"] == "x-api-key"
        answer = await server.ask("POST", "/v1/chat/completions", text, json={}, headers={"origin": page})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, page)
        refused = await server.ask("POST", "/v1/chat/completions", json={}, headers={"origin": page})
        assert refused.headers["access-control-allow-origin"] == page  # so that the page can read why
        own = await server.ask("GET", "/v1/models", text, headers={"origin": server.url})
        assert own.status_code == 200 and "access-control-allow-origin" not in own.headers
    with pytest.raises(SettingsError, match="no way to allow all"):
        GateParts.of(vault, settings(server={"cors_origins": ("*",)}), {}, policy=OPEN)


async def test_names_that_are_listed_and_ipv6_are_answered(vault):
    async with gated(vault, settings(hosts=("playground.example", "box:9000", "[fd00::1]:81")), no_auth=True) as server:
        good = ["playground.example", "playground.example:1", "BOX:9000", "[FD00:0::1]:81"]
        good += [f"localhost:{server.port}", f"LOCALHOST.:{server.port}"]
        for host in good:
            assert (await server.ask("GET", "/v1/models", headers={"host": host})).status_code == 200, host
        for host in ("box", "box:9001", "localhost", "localhost:1", "127.0.0.1", f"127.0.0.2:{server.port}"):
            assert (await server.ask("GET", "/v1/models", headers={"host": host})).status_code == 421, host
    with pytest.raises(SettingsError, match=r"access\.hosts"):
        GateParts.of(vault, settings(hosts=("http://x/",)), {}, policy=OPEN)


async def test_a_server_on_ipv6_answers_to_its_own_address(vault):
    async with gated(vault, no_auth=True, host="::1") as server:
        import httpx

        async with httpx.AsyncClient(trust_env=False) as client:
            url = f"http://[::1]:{server.port}/v1/models"
            assert (await client.get(url)).status_code == 200
            assert (await client.get(url, headers={"host": f"[0:0:0:0:0:0:0:1]:{server.port}"})).status_code == 200
            assert (await client.get(url, headers={"host": f"[::2]:{server.port}"})).status_code == 421


async def test_health_is_answered_to_everybody(vault):
    async with gated(vault) as server:
        assert (await server.ask("GET", "/health")).json()["id"] == "nobody"
        assert (await server.ask("HEAD", "/readiness")).status_code in (200, 405)
