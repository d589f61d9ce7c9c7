# ruff: noqa: SIM117 - a server, and then who asks it
"""A remote backend against servers that speak as the providers do, over real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import aclosing
from dataclasses import replace

import pytest

from app.backends.endpoint import EndpointKind
from app.errors import (
    CredentialError,
    LocalOnlyError,
    RemoteBusyError,
    RemoteError,
    RemoteRefusedError,
    RemoteTimeoutError,
    RemoteUnreachableError,
    StreamBrokenError,
)
from app.messages import Finished, Started, TextDelta, Usage, Waiting

from .provider import Answer, Call, provider
from .reaching import KINDS, all_of, asking, reaching, summary

ALL = pytest.mark.parametrize("kind", KINDS)
WHOLE = Answer(
    text=("Hel", "lo ", "😀", "é"),
    thinking=("hm", "m"),
    signature="sig",
    calls=(Call("c1", "f", ('{"a"', ": [1,", ' "é"]}')), Call("c2", "g", ("{}",))),
    finish="tool_calls",
    usage=Usage(9, 3, 4),
)


@ALL
@pytest.mark.parametrize("write", [0, 1, 7])
async def test_an_answer_comes_through_whole(kind: EndpointKind, write: int) -> None:
    async with provider(replace(WHOLE, write=write), key="secret-key") as there:
        async with reaching(there, kind, key="env:K", environ={"K": "secret-key"}) as backend:
            deltas = await all_of(backend.stream(asking("m1")))
    assert deltas[0] == Waiting("connecting")
    assert isinstance(deltas[1], Started)
    assert (deltas[1].model, deltas[1].backend) == ("m1", "there")
    assert isinstance(deltas[-1], Finished)
    said = summary(deltas)
    assert said["text"] == "Hello 😀é"
    assert said["thinking"] == "hmm"
    assert said["signatures"] == (["sig"] if kind == "anthropic" else [])
    names = [(call_id, name, json.loads(arguments)) for call_id, name, arguments in said["calls"]]
    assert names == [("c1", "f", {"a": [1, "é"]}), ("c2", "g", {})]
    assert said["finished"].reason == "tool_calls"
    assert said["finished"].usage == Usage(9, 3, 0 if kind == "ollama" else 4)


@pytest.mark.parametrize("model", ["gpt-5-pro", "o3-deep-research", "codex-mini"])
async def test_models_that_openai_has_in_responses_only_are_asked_there(model: str) -> None:
    async with provider(WHOLE) as there, reaching(there, "openai") as backend:
        said = summary(await all_of(backend.stream(asking(model))))
    assert there.chats[0].path == "/v1/responses"
    assert there.chats[0].body["store"] is False
    assert (said["text"], said["thinking"], len(said["calls"])) == ("Hello 😀é", "hmm", 2)
    assert said["finished"] == Finished("tool_calls", Usage(9, 3, 4))


@ALL
async def test_a_bare_prompt_is_continued_where_the_protocol_can(kind: EndpointKind) -> None:
    if kind == "anthropic":
        return
    async with provider() as there, reaching(there, kind) as backend:
        said = summary(await all_of(backend.stream(asking(prompt="Once"))))
    assert said["text"] == "Hello there!"
    assert there.chats[0].path in ("/v1/completions", "/api/generate")
    assert there.chats[0].body["prompt"] == "Once"


@ALL
async def test_a_server_that_does_not_stream_is_read_all_the_same(kind: EndpointKind) -> None:
    from .provider_wire import WIRES

    path = {"anthropic": "/v1/messages", "ollama": "/api/chat"}.get(kind, "/v1/chat/completions")
    body = json.dumps(WIRES[path].body(WHOLE, {"model": "m"})).encode()
    async with provider(Answer(body=body)) as there, reaching(there, kind) as backend:
        said = summary(await all_of(backend.stream(asking())))
    assert (said["text"], said["thinking"], len(said["calls"])) == ("Hello 😀é", "hmm", 2)
    assert said["finished"].reason == "tool_calls"


@ALL
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, RemoteRefusedError),
        (401, RemoteRefusedError),
        (404, RemoteRefusedError),
        (408, RemoteTimeoutError),
        (429, RemoteBusyError),
        (500, RemoteError),
        (503, RemoteBusyError),
        (504, RemoteTimeoutError),
        (529, RemoteBusyError),
    ],
)
async def test_each_refusal_is_an_error_of_its_kind(kind: EndpointKind, status: int, error: type[RemoteError]) -> None:
    answer = Answer(status=status, error="No\x1b[31m\nway", headers={"retry-after": "3"} if status == 429 else {})
    async with provider(answer) as there, reaching(there, kind) as backend:
        with pytest.raises(RemoteError) as raised:
            await all_of(backend.stream(asking()))
    assert type(raised.value) is error
    assert raised.value.status == status
    assert raised.value.retry_after == (3.0 if status == 429 else None)
    assert raised.value.message == f"there answered {status}: No [31m way"
    assert b"No" in (raised.value.body or b"")


@ALL
async def test_a_failure_within_the_stream_is_an_error_and_what_came_stays(kind: EndpointKind) -> None:
    async with provider(Answer(fails_after=4, error="too much", text=("a",) * 9)) as there:
        async with reaching(there, kind) as backend:
            texts: list[str] = []
            with pytest.raises(RemoteError, match="too much") as raised:
                async for delta in backend.stream(asking()):
                    texts += [delta.text] if isinstance(delta, TextDelta) else []
    assert texts
    if kind == "anthropic":
        assert isinstance(raised.value, RemoteBusyError)


@ALL
@pytest.mark.parametrize("how", ["dies_after", "ends_after"])
@pytest.mark.parametrize("events", [1, 4])
async def test_a_stream_that_breaks_off_says_so(kind: EndpointKind, how: str, events: int) -> None:
    answer = replace(Answer(text=("a",) * 9), **{how: events})
    async with provider(answer) as there, reaching(there, kind) as backend:
        texts: list[str] = []
        with pytest.raises(StreamBrokenError):
            async for delta in backend.stream(asking()):
                texts += [delta.text] if isinstance(delta, TextDelta) else []
    assert set(texts) <= {"a"}


@ALL
async def test_a_connection_that_is_cut_before_the_answer(kind: EndpointKind) -> None:
    async with provider(Answer(dies_after=-1)) as there, reaching(there, kind) as backend:
        with pytest.raises(RemoteUnreachableError):
            await all_of(backend.stream(asking()))


@ALL
async def test_silence_is_a_timeout(kind: EndpointKind) -> None:
    async with provider([Answer(wait=30), Answer(hangs_after=3)]) as there:
        async with reaching(there, kind, read_s=0.2) as backend:
            for _ in range(2):
                with pytest.raises(RemoteTimeoutError):
                    await all_of(backend.stream(asking()))
            await there.until(lambda p: p.running == 0)


async def test_nobody_is_there() -> None:
    async with reaching("http://127.0.0.1:9/v1") as backend:
        with pytest.raises(RemoteUnreachableError, match=r"there \(127\.0\.0\.1\) cannot be reached: Connect"):
            await all_of(backend.stream(asking()))


async def test_a_name_that_nobody_knows() -> None:
    async with reaching("http://nobody.invalid/v1") as backend:
        with pytest.raises(RemoteUnreachableError, match=r"No address is known for nobody\.invalid"):
            await all_of(backend.stream(asking()))


async def test_a_url_that_is_none() -> None:
    for url in ("http://", "ftp://x/v1", "http://[::1", "x", "http://a b/"):
        with pytest.raises((RemoteError, ValueError)):
            async with reaching(url) as backend:
                await all_of(backend.stream(asking()))


async def test_redirects_are_not_followed() -> None:
    async with provider() as other, provider() as there:
        there.plan = Answer(status=307, headers={"location": f"{other.base}/v1/chat/completions"}, body=b"{}")
        async with reaching(there, key="env:K", environ={"K": "secret-key"}) as backend:
            with pytest.raises(RemoteRefusedError, match="names another address"):
                await all_of(backend.stream(asking()))
        assert other.received == []


@ALL
async def test_whoever_leaves_ends_the_request_at_once(kind: EndpointKind) -> None:
    async with provider(Answer(text=("a",) * 1000, pause=0.02)) as there, reaching(there, kind) as backend:
        async with aclosing(backend.stream(asking())) as deltas:
            async for delta in deltas:
                if isinstance(delta, TextDelta):
                    break
        await there.until(lambda p: p.running == 0, 1.0)

        task = asyncio.create_task(all_of(backend.stream(asking())))
        await there.until(lambda p: p.running == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await there.until(lambda p: p.running == 0, 1.0)
    assert there.left == 2


@ALL
async def test_connections_are_used_again(kind: EndpointKind) -> None:
    async with provider() as there, reaching(there, kind) as backend:
        for _ in range(5):
            await all_of(backend.stream(asking()))
        await backend.models()
    assert len({request.port for request in there.received}) == 1


@ALL
async def test_models_are_listed_and_health_is_asked(kind: EndpointKind) -> None:
    async with provider(key="secret-key", models=("b", "a", "b")) as there:
        async with reaching(there, kind, key="env:K", environ={"K": "secret-key"}) as backend:
            assert await backend.models() == ("b", "a")
            await backend.check()
        async with reaching(there, kind, key="env:K", environ={"K": "wrong-key"}) as backend:
            with pytest.raises(RemoteRefusedError):
                await backend.check()


async def test_health_has_its_own_path() -> None:
    async with provider([Answer(), Answer(status=503)]) as there:
        async with reaching(there, "ollama", health="/health") as backend:
            await backend.check()
            with pytest.raises(RemoteBusyError):
                await backend.check()
        assert {request.path for request in there.received} == {"/health"}


async def test_local_only_lets_nothing_out_but_to_this_machine() -> None:
    async with provider() as there:
        async with reaching(there, local_only=True) as backend:
            assert summary(await all_of(backend.stream(asking())))["finished"]
        async with reaching("https://api.example.com/v1", local_only=True) as backend:
            with pytest.raises(LocalOnlyError):
                await all_of(backend.stream(asking()))
            with pytest.raises(LocalOnlyError):
                await backend.models()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.1", "2130706433"])
async def test_every_address_is_checked_before_it_is_connected_to(host: str) -> None:
    seen: list[str] = []

    def check(address: str) -> None:
        seen.append(address)
        raise LocalOnlyError(f"not {address}")

    async with provider() as there:
        port = there.base.rpartition(":")[2]
        async with reaching(f"http://{host}:{port}/v1", check=check) as backend:
            # Numbers in other notations are not taken for addresses, and are refused.
            with pytest.raises(RemoteUnreachableError if host in ("127.1", "2130706433") else LocalOnlyError):
                await all_of(backend.stream(asking()))
        assert there.received == []


async def test_in_local_only_mode_this_machines_name_must_mean_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    def elsewhere(host: str, port: int, *args: object, **options: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("203.0.113.5", port))]

    monkeypatch.setattr(socket, "getaddrinfo", elsewhere)
    for url in ("http://localhost:9/v1", "https://localhost:9/v1"):
        async with reaching(url, local_only=True) as backend:
            with pytest.raises(LocalOnlyError, match=r"203\.0\.113\.5"):
                await all_of(backend.stream(asking()))


async def test_a_key_that_is_missing_stops_it_before_anything_is_sent() -> None:
    async with provider() as there, reaching(there, key="env:NOWHERE") as backend:
        with pytest.raises(CredentialError, match="env:NOWHERE"):
            await all_of(backend.stream(asking()))
        assert there.received == []


@ALL
async def test_a_preview_is_what_is_sent(kind: EndpointKind) -> None:
    async with provider(key="secret-key") as there:
        async with reaching(there, kind, key="env:K", environ={"K": "secret-key"}) as backend:
            asked = asking("m1", "What?")
            preview = backend.preview(asked)
            await all_of(backend.stream(asked))
    sent = there.chats[0]
    assert preview.body == sent.raw
    assert preview.url == there.base + sent.path
    assert "secret-key" not in str(preview)
    for name, value in preview.headers.items():
        assert value == sent.headers[name] or value == "•••"


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with provider() as there, reaching(there) as backend:
        assert summary(await all_of(backend.stream(asking())))["text"] == "Hello there!"


async def test_many_at_once() -> None:
    async with provider() as there, reaching(there, connections=8) as backend:
        answers = await asyncio.gather(*(all_of(backend.stream(asking(text=str(n)))) for n in range(100)))
    assert {summary(deltas)["text"] for deltas in answers} == {"Hello there!"}
    assert len({request.port for request in there.received}) <= 8


async def test_an_error_that_goes_on_for_ever_is_cut() -> None:
    async with provider(Answer(status=500, body=b"x" * 5_000_000)) as there, reaching(there) as backend:
        with pytest.raises(RemoteError) as raised:
            await all_of(backend.stream(asking()))
    assert len(raised.value.message) < 600
    assert len(raised.value.body or b"") <= 64 * 1024


async def test_a_web_page_is_no_answer() -> None:
    page = Answer(body=b"<html>Sign in</html>", headers={"content-type": "text/html"})
    async with provider(page) as there, reaching(there) as backend:
        with pytest.raises(RemoteError, match="web page"):
            await all_of(backend.stream(asking()))


async def test_the_whole_of_it_has_its_time() -> None:
    async with provider(Answer(text=("a",) * 500, pause=0.02)) as there:
        async with reaching(there, read_s=5.0, total_s=0.4) as backend:
            with pytest.raises(RemoteTimeoutError, match=r"not answered in full after 0\.4 s"):
                await all_of(backend.stream(asking()))


@ALL
async def test_streams_that_nobody_reads_on_leave_nothing_behind(kind: EndpointKind) -> None:
    async with provider(Answer(text=("a",) * 1000, pause=0.001)) as there, reaching(there, kind) as backend:

        async def leave(number: int) -> None:
            async with aclosing(backend.stream(asking())) as deltas:
                seen = 0
                async for _ in deltas:
                    seen += 1
                    if seen > number % 5:
                        break

        await asyncio.gather(*(leave(number) for number in range(40)))
        await there.until(lambda p: p.running == 0)
        before = len(asyncio.all_tasks())
        for _ in range(4):
            await asyncio.gather(*(leave(number) for number in range(40)))
        await there.until(lambda p: p.running == 0)
        assert len(asyncio.all_tasks()) <= before + 2
        there.plan = Answer()
        assert summary(await all_of(backend.stream(asking())))["text"] == "Hello there!"
