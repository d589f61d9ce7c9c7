"""The table of what each route needs: every route has its line there, and none is more open than it is meant to be."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from app.server.accounts.routes import ACCOUNT_ROUTES
from app.server.app import build
from app.server.auth.needs import ADMIN, CHAT, EMBED, PUBLIC, WEBSOCKET, needed, written_down

from .scripted import ScriptedBackend, services_of

OPEN = {"/health", "/v1/health", "/readiness", "/docs", "/openapi.json", "/collection.json"}


def flat(routes: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from flat(included.routes)
            continue
        path = route.path.replace("{", "").replace("}", "")
        for method in getattr(route, "methods", None) or {WEBSOCKET}:
            yield method, path


def documented() -> set[tuple[str, str]]:
    document = build(services_of(ScriptedBackend([])), gate=lambda app: app).openapi()
    return {(verb.upper(), path) for path, verbs in document["paths"].items() for verb in verbs}


MOUNTED = sorted(set(flat(build(services_of(ScriptedBackend([]))).routes)))


def test_the_routes_are_found():
    assert len(MOUNTED) > 40
    assert (WEBSOCKET, "/v1/chat/ws") in MOUNTED
    assert ("POST", "/v1/messages") in MOUNTED


@pytest.mark.parametrize(("method", "path"), MOUNTED, ids=" ".join)
def test_each_route_has_its_line(method, path):
    assert written_down(method, path), "whoever adds a route decides who may use it: app/server/auth/needs.py"
    assert (needed(method, path) == PUBLIC) == (path in OPEN)


@pytest.mark.parametrize(("method", "path"), [it for it in MOUNTED if it[0] not in ("GET", "HEAD")], ids=" ".join)
def test_what_computes_or_changes_needs_a_scope(method, path):
    if path == "/api/show":  # only describes a model
        return
    need = needed(method, path)
    assert need in (CHAT, EMBED, ADMIN)
    assert (need == EMBED) == ("embed" in path)
    assert (need == ADMIN) == path.startswith(("/sessions", "/models/"))


def test_the_accounts_are_in_the_document_where_there_is_a_gate():
    accounts = {(route.method, route.path) for route in ACCOUNT_ROUTES}
    assert len(accounts) == 13 and accounts <= documented()
    bare = build(services_of(ScriptedBackend([]))).openapi()
    assert not any(path in bare["paths"] for _, path in accounts)


def test_every_answer_of_an_account_is_described():
    document = build(services_of(ScriptedBackend([])), gate=lambda app: app).openapi()
    for route in ACCOUNT_ROUTES:
        told = document["paths"][route.path][route.method.lower()]
        assert told["description"] and told["tags"] == ["Accounts"] and "default" in told["responses"]
        answer = told["responses"][str(route.status)]
        assert ("content" in answer) == (route.reply is not None)
        assert ("requestBody" in told) == (route.body is not None)
        inside = [one["name"] for one in told.get("parameters", ()) if one["in"] == "path"]
        assert inside == re.findall(r"{(\w+)}", route.path)
    text = json.dumps(document)
    named = set(re.findall(r"#/components/schemas/([\w.-]+)", text))
    assert named <= set(document["components"]["schemas"])
    assert "hash" not in json.dumps(document["components"]["schemas"]["User"])
