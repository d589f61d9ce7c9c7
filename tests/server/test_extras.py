"""Routes of our own: prompts, analyses, sessions and which models are loaded."""

import dataclasses

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.messages import Message, Node
from app.vault import Vault
from app.vault.conversations.records import WholeSession
from app.vault.conversations.sessions import new_session
from tests.starter import NAME

from .scripted import served, services_of


@pytest.fixture
async def client(address):
    async with httpx.AsyncClient(base_url=address) as client:
        yield client


@pytest.fixture
async def kept(backend, tmp_path):
    """A client, and the vault that its server reads: one session of four messages, one of them on another branch."""
    vault = Vault(tmp_path, tmp_path / "backups")
    await vault.open("a passphrase")
    nodes = (
        Node(id="a", parent_id=None, message=Message.user("Hello")),
        Node(id="b", parent_id="a", message=Message.assistant("Hi")),
        Node(id="x", parent_id="a", message=Message.assistant("Hey")),
        Node(id="c", parent_id="b", message=Message.user("And?")),
    )
    session = await vault.sessions.add(WholeSession(new_session(title="Greetings", head_id="c"), nodes))
    services = dataclasses.replace(services_of(backend), vault=vault)
    async with served(services) as address, httpx.AsyncClient(base_url=address) as client:
        yield client, vault, session.id
    await vault.close()


async def test_a_prompt_is_answered_whole_and_streamed(client, backend):
    asked = {"prompt": "Hello", "model": "scripted", "system": "Be kind.", "max_tokens": 5}
    answer = (await client.post("/generate", json=asked)).json()
    assert (answer["text"], answer["finish_reason"], answer["usage"]["completion_tokens"]) == (
        "Hello there.",
        "stop",
        2,
    )
    assert backend.requests[0].messages == (Message.system("Be kind."), Message.user("Hello"))
    streamed = await client.post("/generate", json={**asked, "stream": True})
    events = [msgspec.json.decode(line[6:]) for line in streamed.text.splitlines() if line]
    assert "".join(event.get("text", "") for event in events) == "Hello there."
    assert events[-1]["done"] is True


async def test_a_text_is_analysed(client, backend):
    found = {
        "sentiment": "positive",
        "score": 1.0,
        "topics": ["a"],
        "keywords": ["b"],
        "language": "en",
        "summary": "c",
    }
    backend.steps = [msgspec.json.encode(found).decode()]
    answer = (await client.post("/analyze", json={"text": "How lovely!", "model": "scripted"})).json()
    assert answer["analysis"] == found
    assert set(backend.requests[0].response_format.json_schema["required"]) == set(found)


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/generate", {"prompt": "a", "model": "nobody"}, 404, "unknown_model"),
        ("/generate", {"prompt": ""}, 400, "invalid_request"),
        ("/generate", {"prompt": "a", "colour": "red"}, 400, "invalid_request"),
        ("/analyze", {}, 400, "invalid_request"),
        ("/models/load", {}, 400, "invalid_request"),
    ],
)
async def test_what_cannot_be_honoured_is_refused(client, path, body, status, code):
    answer = await client.post(path, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_sessions_are_listed_and_read(kept):
    client, _vault, session_id = kept
    listed = (await client.get("/sessions")).json()
    assert (listed["total"], [line["title"] for line in listed["sessions"]]) == (1, ["Greetings"])
    session = (await client.get(f"/sessions/{session_id}")).json()
    assert [node["id"] for node in session["messages"]] == ["a", "b", "c"]
    assert (await client.get("/sessions/nobody")).status_code == 404
    assert (await client.get("/sessions", params={"limit": 0})).status_code == 400


async def test_a_session_goes_back(kept):
    client, vault, session_id = kept
    path = f"/sessions/{session_id}/rollback"
    back = (await client.post(path, json={"steps": 1})).json()
    assert [node["id"] for node in back["messages"]] == ["a", "b"]
    assert (await vault.sessions.get(session_id)).head_id == "b"
    assert (await client.post(path, json={"to": "a"})).json()["session"]["head_id"] == "a"
    for wrong in ({}, {"steps": 9}, {"to": "x"}, {"steps": 1, "to": "a"}):
        assert (await client.post(path, json=wrong)).status_code == 400
    # Nothing is lost: what was gone back from is a branch that is not shown.
    assert len((await vault.sessions.load(session_id)).nodes) == 4


async def test_a_session_is_deleted_and_gone_for_good(kept):
    client, vault, session_id = kept
    assert (await client.delete(f"/sessions/{session_id}")).status_code == 204
    assert (await client.get("/sessions", params={"shelf": "bin"})).json()["total"] == 1
    assert (await client.delete(f"/sessions/{session_id}", params={"forever": True})).status_code == 204
    assert (await client.get(f"/sessions/{session_id}")).status_code == 404
    await vault.lock()
    assert (await client.get("/sessions")).status_code == 503


async def test_a_real_model_is_loaded_asked_and_unloaded(real_client):
    address = str(real_client.base_url).removesuffix("/v1/")
    async with httpx.AsyncClient(base_url=address, timeout=100) as client:
        assert (await client.post("/models/load", json={"model": NAME})).json()["loaded"] is True
        assert [model["model"] for model in (await client.get("/models/loaded")).json()["models"]] == [NAME]
        text = "I love this little village. The bread is wonderful and everybody smiles."
        answer = await client.post("/analyze", json={"text": text})
        assert answer.status_code == 200, answer.text
        assert set(answer.json()["analysis"]) == {"sentiment", "score", "topics", "keywords", "language", "summary"}
        assert (await client.post("/models/unload", json={"model": NAME})).json()["loaded"] is False
        assert (await client.get("/models/loaded")).json()["models"] == []
        assert (await client.post("/models/load", json={"model": "nobody"})).status_code == 404


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(["prompt", "text", "model", "stop", "stream", "steps", "to", "x"])
BODIES = st.binary(max_size=60) | st.dictionaries(NAMES, JSON, max_size=5).map(msgspec.json.encode)
PATHS = ["/generate", "/analyze", "/sessions/x/rollback"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES, path=st.sampled_from(PATHS))
async def test_garbage_is_refused_in_plain_shape(kept, body, path):
    client, _vault, _session = kept
    answer = await client.post(path, content=body, headers={"content-type": "application/json"})
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["error"]["message"]
