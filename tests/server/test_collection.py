"""``/collection.json``: every route as a request that can be sent as it is."""

import json
import re

import httpx
import pytest

from app.server.app import build

from .scripted import ScriptedBackend, services_of
from .whole import EMBEDDING, KEY, MODEL, SPEECH, whole_server

FILE = "a file must be chosen first"
DOCUMENTED = {
    "POST /v1/audio/transcriptions": FILE,
    "POST /v1/audio/translations": FILE,
    "POST /infill": "501: the model must have been taught this",
    "GET /v1/responses/{response_id}": "answers are not kept",
    "POST /auth/refresh": "a token of a sign-in must be put in",
}
"""Requests that cannot be answered as they are, and why."""


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with whole_server(tmp_path_factory.mktemp("collection"), gated=True) as running:
        yield running


@pytest.fixture(scope="module")
def collection(running):
    return httpx.get(f"{running.address}/collection.json").json()


def requests(collection):
    return [item for folder in collection["item"] for item in folder["item"]]


def test_it_is_a_collection_of_postmans_format(running, collection):
    assert collection["info"]["schema"].endswith("/collection/v2.1.0/collection.json")
    assert collection["info"]["name"] == "Playground"
    variables = {variable["key"]: variable["value"] for variable in collection["variable"]}
    assert variables["base_url"] == running.address
    assert (variables["model"], variables["embedding_model"], variables["transcription_model"]) == (
        MODEL,
        EMBEDDING,
        SPEECH,
    )
    assert variables["api_key"] == ""
    assert KEY not in json.dumps(collection)
    (token,) = collection["auth"]["bearer"]
    assert (collection["auth"]["type"], token["key"], token["value"]) == ("bearer", "token", "{{api_key}}")
    used = set(re.findall(r"{{([a-z_]+)}}", json.dumps(collection)))
    assert used == set(variables)
    for item in requests(collection):
        asked = item["request"]
        assert set(item) == {"name", "request", "response"}
        assert asked["method"] in ("GET", "POST", "DELETE")
        assert asked["url"]["raw"] == "{{base_url}}/" + "/".join(asked["url"]["path"])
        if asked.get("body", {}).get("mode") == "raw":
            json.loads(asked["body"]["raw"])


def test_no_route_is_missing(collection):
    document = build(services_of(ScriptedBackend([])), gate=lambda app: app).openapi()
    routes = {f"{verb.upper()} {path}" for path, verbs in document["paths"].items() for verb in verbs}
    assert {item["name"] for item in requests(collection)} == routes
    assert set(DOCUMENTED) <= routes


async def test_each_request_is_answered_as_it_is(running, collection):
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {running.key}"}, timeout=20) as http:
        session = (await http.get(f"{running.address}/sessions")).json()["sessions"][0]["id"]
        values = {variable["key"]: variable["value"] for variable in collection["variable"]}
        made = await http.post(f"{running.address}/keys", json={"name": "to be revoked"})
        values |= {"session_id": session, "response_id": "resp_1", "name": "ben", "key": made.json()["id"]}
        unlike = []
        # Who signs in must be there first, and what ends a session comes last.
        order = lambda item: (item["request"]["method"] == "DELETE", "/auth/login" in item["name"])  # noqa: E731
        for item in sorted(requests(collection), key=order):
            asked = item["request"]
            answer = await http.request(
                asked["method"],
                filled(asked["url"]["raw"], values),
                content=filled(asked["body"]["raw"], values) if asked.get("body", {}).get("mode") == "raw" else None,
                headers={header["key"]: header["value"] for header in asked["header"]},
            )
            if (answer.status_code >= 400) != (item["name"] in DOCUMENTED):
                unlike.append((item["name"], answer.status_code, answer.text))
    assert unlike == []


def filled(text, values):
    return re.sub(r"{{([a-z_]+)}}", lambda found: values[found[1]], text)
