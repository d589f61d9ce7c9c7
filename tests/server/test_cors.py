"""Pages of named origins may ask, others may not; and the page about the API loads nothing from elsewhere."""

import json
import re

import httpx
import msgspec
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from app.errors import SettingsError
from app.server.gate.hosts import Origins
from app.settings import Settings

from .whole import KEY, MODEL, whole_server

NAMED = "https://notes.example"
FOREIGN = (
    "https://evil.example",
    "http://notes.example",
    "https://notes.example.evil.example",
    "https://notes.example:8443",
    "null",
)
AUTH = {"authorization": f"Bearer {KEY}"}
CHAT = {"model": MODEL, "messages": [{"role": "user", "content": "?"}]}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    server = msgspec.structs.replace(Settings().server, cors_origins=(NAMED,))
    with whole_server(tmp_path_factory.mktemp("cors"), gated=True, server=server) as running:
        yield running


def test_a_named_page_asks_beforehand_and_then(running):
    url = f"{running.address}/v1/chat/completions"
    asked = {
        "origin": NAMED,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    before = httpx.options(url, headers=asked)
    assert before.status_code == 204
    assert before.headers["access-control-allow-origin"] == NAMED
    assert "POST" in before.headers["access-control-allow-methods"]
    assert before.headers["access-control-allow-headers"] == "authorization,content-type"
    assert before.content == b""
    assert "access-control-allow-credentials" not in before.headers
    answer = httpx.post(url, json=CHAT, headers={**AUTH, "origin": NAMED})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == NAMED
    assert "origin" in answer.headers["vary"].lower()
    assert "x-request-id" in answer.headers["access-control-expose-headers"]
    with httpx.stream("POST", url, json={**CHAT, "stream": True}, headers={**AUTH, "origin": NAMED}) as stream:
        assert stream.headers["access-control-allow-origin"] == NAMED
        assert "[DONE]" in stream.read().decode()


def test_a_named_page_can_read_its_refusals_too(running):
    for answer in (
        httpx.get(f"{running.address}/v1/models", headers={"origin": NAMED}),
        httpx.get(f"{running.address}/nowhere", headers={**AUTH, "origin": NAMED}),
        httpx.post(f"{running.address}/v1/chat/completions", json={}, headers={**AUTH, "origin": NAMED}),
    ):
        assert answer.status_code in (400, 401, 403)
        assert answer.headers["access-control-allow-origin"] == NAMED


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("path", ["/v1/models", "/health", "/docs", "/collection.json", "/metrics"])
def test_other_pages_are_refused_whatever_they_ask_for(running, origin, path):
    before = httpx.options(running.address + path, headers={"origin": origin, "access-control-request-method": "GET"})
    answer = httpx.get(running.address + path, headers={**AUTH, "origin": origin})
    for found in (before, answer):
        assert found.status_code == 403
        assert not [name for name in found.headers if name.startswith("access-control-")]


def test_programs_and_our_own_pages_need_no_leave(running):
    for headers in ({}, {"origin": running.address}):
        answer = httpx.get(f"{running.address}/v1/models", headers={**AUTH, **headers})
        assert answer.status_code == 200
        assert "access-control-allow-origin" not in answer.headers


def test_a_websocket_of_a_named_page_opens_and_others_do_not(running):
    url = running.address.replace("http", "ws") + "/v1/chat/ws"
    with connect(url, origin=NAMED, additional_headers=AUTH) as socket:
        socket.send(json.dumps({"type": "chat", "id": "1", "messages": [{"role": "user", "content": "?"}]}))
        assert json.loads(socket.recv(timeout=10))["type"] != "error"
    for origin in FOREIGN:
        with pytest.raises(InvalidStatus) as refused:
            connect(url, origin=origin, additional_headers=AUTH)
        assert refused.value.response.status_code == 403


@pytest.mark.parametrize("named", ["*", "notes.example", "https://", "https://*.example", "https://a.example/path"])
def test_only_whole_origins_can_be_named(named):
    with pytest.raises(SettingsError, match="cors_origins"):
        Origins([named])


def test_the_page_about_the_api_loads_nothing_from_elsewhere(running):
    page = httpx.get(f"{running.address}/docs")
    assert page.status_code == 200
    assert not re.search(r"(src|href|url)\s*[=(]\s*[\"']?(https?:)?//", page.text)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert "connect-src 'self'" in policy
    document = httpx.get(f"{running.address}/openapi.json").json()
    assert document["openapi"].startswith("3.")
    assert len(document["paths"]) > 30
