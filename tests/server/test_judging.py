"""The same head on the same connection is judged once, and no other head by it."""

from __future__ import annotations

import httpx
from hypothesis import given
from hypothesis import strategies as st

from app.server.gate.hosts import Hosts, Origins
from app.server.gate.judging import Judge, Judged
from app.server.gate.refusals import RefusalError

from .gated import gated, new_vault, settings

JUDGE = Judge(Hosts(()), Origins(["https://notes.example"]), 4096, "loopback")
HEADERS = st.lists(
    st.sampled_from(
        [
            (b"host", b"127.0.0.1:8137"),
            (b"host", b"evil.example"),
            (b"origin", b"https://notes.example"),
            (b"origin", b"https://evil.example"),
            (b"sec-fetch-site", b"cross-site"),
            (b"authorization", b"Bearer one"),
            (b"authorization", b"Bearer two"),
            (b"authorization", b"none"),
            (b"x-api-key", b"one"),
            (b"content-type", b"application/json"),
            (b"content-encoding", b"gzip"),
            (b"content-length", b"5"),
            (b"content-length", b"77"),
        ]
    ),
    max_size=5,
).map(lambda more: [(b"host", b"127.0.0.1:8137"), *more] if len(more) < 4 else more)
ASKED = st.tuples(st.sampled_from(["GET", "POST"]), st.sampled_from(["/v1/models", "/metrics", "/a/../b"]), HEADERS)


def judged(asked, before: Judged | None) -> tuple[object, Judged | None]:
    """What can be seen of a judgement, and the judgement itself."""
    method, path, headers = asked
    scope = {"path": path, "query_string": b"", "headers": headers, "server": ("127.0.0.1", 8137)}
    try:
        found = JUDGE.judge(scope, method, "127.0.0.1", before)
        claim = found.claim()
    except RefusalError as error:
        return (type(error), str(error)), None
    return (found.origin, found.need, found.encodings, found.is_json, claim and claim.text), found


@given(ASKED, ASKED)
def test_what_came_before_changes_no_judgement(first, second):
    _, before = judged(first, None)
    assert judged(second, before)[0] == judged(second, None)[0]


def test_the_length_of_a_body_is_not_judged():
    host = (b"host", b"127.0.0.1:8137")
    _, before = judged(("POST", "/v1/models", [host, (b"content-length", b"5")]), None)
    assert judged(("POST", "/v1/models", [host, (b"content-length", b"77")]), before)[1] is before


async def test_on_a_kept_connection_each_request_is_let_in_by_itself(tmp_path):
    vault = await new_vault(tmp_path / "data")
    kept, key = await vault.api_keys.create("one", scopes=("chat",))
    async with (
        gated(vault, settings()) as server,
        httpx.AsyncClient(base_url=server.url, trust_env=False) as client,
    ):

        async def status(**headers: str) -> int:
            return (await client.get("/v1/models", headers=headers)).status_code

        good = {"authorization": f"Bearer {key}"}
        assert [await status(**good) for _ in range(3)] == [200] * 3
        assert await status(authorization="Bearer pg_wrong") == 401
        assert await status(**good, host="evil.example") == 421
        assert await status() == 401 and await status(**good) == 200
        await vault.api_keys.revoke(kept.id)
        server.parts.identification.forget()
        assert await status(**good) == 401
    await vault.close()
