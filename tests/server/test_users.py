"""People sign in, renew, sign out; what each role may do; administrators look after users and keys."""

from __future__ import annotations

import asyncio

import pytest

from app.vault.access.passwords import hashed
from tests.server.gated import gated, new_vault, settings

PASSWORD = "correct horse battery"


@pytest.fixture
async def vault(tmp_path):
    made = await new_vault(tmp_path / "data")
    kept = hashed(PASSWORD)
    for name, role in (("anna", "admin"), ("ben", "user"), ("cleo", "read-only")):
        await made.users.add(name, kept, role)
    yield made
    await made.close()


async def login(server, name, password=PASSWORD):
    return await server.ask("POST", "/auth/login", json={"name": name, "password": password})


async def token(server, name):
    return (await login(server, name)).json()["access_token"]


async def test_a_sign_in_gives_a_token_that_opens_and_one_that_renews(vault):
    async with gated(vault) as server:
        answer = await login(server, "ben")
        signed = answer.json()
        assert (signed["token_type"], signed["expires_in"], signed["role"]) == ("bearer", 900, "user")
        assert answer.headers["cache-control"] == "no-store"
        me = (await server.ask("GET", "/auth/me", signed["access_token"])).json()
        assert (me["kind"], me["name"], me["scopes"]) == ("user", "ben", ["chat", "embed"])
        renewed = await server.ask("POST", "/auth/refresh", json={"refresh_token": signed["refresh_token"]})
        again = renewed.json()
        assert again["refresh_token"] != signed["refresh_token"]
        assert (await server.ask("GET", "/auth/me", again["access_token"])).status_code == 200


async def test_a_refresh_token_that_is_used_twice_ends_the_whole_sign_in(vault):
    async with gated(vault) as server:
        first = (await login(server, "ben")).json()
        other = (await login(server, "ben")).json()
        body = {"refresh_token": first["refresh_token"]}
        second = (await server.ask("POST", "/auth/refresh", json=body)).json()
        assert (await server.ask("POST", "/auth/refresh", json=body)).status_code == 401
        body = {"refresh_token": second["refresh_token"]}
        assert (await server.ask("POST", "/auth/refresh", json=body)).status_code == 401
        for one in (first, second):
            assert (await server.ask("GET", "/auth/me", one["access_token"])).status_code == 401
        assert (await server.ask("GET", "/auth/me", other["access_token"])).status_code == 200


async def test_signing_out_ends_the_token_at_once(vault):
    async with gated(vault) as server:
        signed = (await login(server, "ben")).json()
        assert (await server.ask("GET", "/auth/me", signed["access_token"])).status_code == 200
        assert (await server.ask("POST", "/auth/logout", signed["access_token"])).status_code == 204
        assert (await server.ask("GET", "/auth/me", signed["access_token"])).status_code == 401
        body = {"refresh_token": signed["refresh_token"]}
        assert (await server.ask("POST", "/auth/refresh", json=body)).status_code == 401


async def test_a_token_ends_when_its_time_is_over(vault):
    now = [1_800_000_000.0]
    async with gated(vault, settings(token_s=60), clock=lambda: now[0]) as server:
        text = await token(server, "ben")
        assert (await server.ask("GET", "/auth/me", text)).status_code == 200
        now[0] += 61
        late = await server.ask("GET", "/auth/me", text)
        assert (late.status_code, "expired" in late.text) == (401, True)


@pytest.mark.parametrize(
    ("method", "path", "statuses"),
    [
        ("POST", "/v1/chat/completions", (200, 200, 403)),
        ("POST", "/v1/embeddings", (200, 200, 403)),
        ("GET", "/v1/models", (200, 200, 200)),
        ("GET", "/usage", (200, 200, 200)),
        ("GET", "/users", (200, 403, 403)),
        ("GET", "/keys", (200, 403, 403)),
        ("POST", "/v1/models/a/load", (200, 403, 403)),
        ("DELETE", "/sessions/a", (200, 403, 403)),
    ],
)
async def test_what_each_role_may_do(vault, method, path, statuses):
    async with gated(vault) as server:
        found = [
            (await server.ask(method, path, await token(server, name))).status_code for name in ("anna", "ben", "cleo")
        ]
        assert tuple(found) == statuses


async def test_an_administrator_looks_after_users(vault):
    async with gated(vault) as server:
        anna = await token(server, "anna")
        body = {"name": "dora", "password": "short"}
        short = await server.ask("POST", "/users", anna, json=body)
        assert short.status_code == 400 and "short" not in short.json()["error"]["message"]
        made = await server.ask("POST", "/users", anna, json={**body, "password": "long enough"})
        assert (made.status_code, made.json()["role"]) == (201, "user")
        assert (await server.ask("POST", "/users", anna, json={**body, "password": "long enough"})).status_code == 400
        dora = (await login(server, "dora", "long enough")).json()["access_token"]
        assert (await server.ask("POST", "/users/dora/disable", anna)).json()["disabled_at"]
        assert (await server.ask("GET", "/auth/me", dora)).status_code == 401
        assert (await login(server, "dora", "long enough")).status_code == 401
        await server.ask("POST", "/users/dora/enable", anna)
        await server.ask("POST", "/users/dora/password", anna, json={"password": "another one"})
        assert (await login(server, "dora", "long enough")).status_code == 401
        assert (await login(server, "dora", "another one")).status_code == 200
        assert (await server.ask("POST", "/users/nobody/disable", anna)).status_code == 404
        listed = (await server.ask("GET", "/users", anna)).text
        assert "argon2" not in listed and "dora" in listed


async def test_an_administrator_makes_and_ends_keys(vault):
    async with gated(vault) as server:
        anna = await token(server, "anna")
        made = (await server.ask("POST", "/keys", anna, json={"name": "editor", "scopes": ["chat"]})).json()
        assert (await server.ask("POST", "/v1/chat/completions", made["key"], json={})).status_code == 200
        assert made["key"] not in (await server.ask("GET", "/keys", anna)).text
        assert (await server.ask("DELETE", f"/keys/{made['id']}", anna)).status_code == 204
        assert (await server.ask("POST", "/v1/chat/completions", made["key"], json={})).status_code == 401
        wrong = await server.ask("POST", "/keys", anna, json={"name": "x", "scopes": ["everything"]})
        assert wrong.status_code == 400


async def test_what_is_not_a_login_is_refused(vault):
    async with gated(vault) as server:
        for body in ({}, {"name": "anna"}, {"name": 1, "password": 2}, {"name": "a", "password": "b", "more": 1}, []):
            assert (await server.ask("POST", "/auth/login", json=body)).status_code == 400
        assert (await login(server, "anna", "x" * 100_000)).status_code == 401
        assert (await login(server, "a\x00b'; DROP TABLE users")).status_code == 401
        assert (await server.ask("GET", "/auth/login")).status_code == 401


async def test_many_sign_ins_at_once_take_turns(vault):
    async with gated(vault) as server:
        names = ["anna", "ben", "cleo"] * 4
        answers = await asyncio.gather(*(login(server, name) for name in names))
        assert {answer.status_code for answer in answers} <= {200, 429}
