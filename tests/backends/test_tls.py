# ruff: noqa: SIM117 - a server, and then who asks it
"""TLS for real: who is believed, and HTTP/2 where both sides have it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from app.backends.http.first import FirstWire
from app.backends.http.second import SecondWire
from app.errors import (
    CatalogueError,
    LocalOnlyError,
    RemoteBusyError,
    RemoteError,
    RemoteTimeoutError,
    RemoteUnreachableError,
)
from app.messages import TextDelta

from .certificates import Certificates, certificates
from .provider import Answer, Call, provider
from .reaching import all_of, asking, reaching, summary
from .second import second


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("good"))


@pytest.mark.parametrize("http2", [True, False])
async def test_a_peer_without_http2_is_spoken_to_in_http1(good: Certificates, http2: bool) -> None:
    async with provider(tls=good.server()) as there:
        async with reaching(there, ca=str(good.ca), http2=http2) as backend:
            assert summary(await all_of(backend.stream(asking())))["text"] == "Hello there!"
            assert isinstance(backend._connections._wire, FirstWire)


@pytest.mark.parametrize("http2", [True, False])
async def test_an_unknown_authority_is_not_believed(good: Certificates, http2: bool) -> None:
    async with provider(tls=good.server()) as there:
        async with reaching(there, http2=http2) as backend:
            with pytest.raises(RemoteUnreachableError, match=r"certificate of there .* is not good: .*issuer"):
                await all_of(backend.stream(asking()))
        async with reaching(there, http2=http2, verify=False) as backend:
            assert summary(await all_of(backend.stream(asking())))["text"] == "Hello there!"
    assert len(there.received) == 1


@pytest.mark.parametrize("http2", [True, False])
async def test_a_certificate_of_somebody_else_is_not_believed(tmp_path: Path, http2: bool) -> None:
    other = certificates(tmp_path, "elsewhere.example")
    async with provider(tls=other.server()) as there:
        async with reaching(there, ca=str(other.ca), http2=http2) as backend:
            with pytest.raises(RemoteUnreachableError, match=r"is not good: .*[Hh]ostname mismatch"):
                await all_of(backend.stream(asking()))
    assert there.received == []


@pytest.mark.parametrize("http2", [True, False])
async def test_tls_to_a_port_without_it(http2: bool) -> None:
    async with provider() as there:
        async with reaching(there.url("openai").replace("http:", "https:"), http2=http2) as backend:
            with pytest.raises(RemoteUnreachableError):
                await all_of(backend.stream(asking()))


async def test_authorities_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("no certificate")
    for name in ("missing.pem", "bad.pem"):
        async with reaching("https://localhost:9/v1", ca=str(tmp_path / name)) as backend:
            with pytest.raises(CatalogueError, match=name):
                await all_of(backend.stream(asking()))


@pytest.mark.parametrize("http2", [True, False])
async def test_a_port_that_takes_the_connection_and_says_nothing(http2: bool) -> None:
    held: list[asyncio.StreamWriter] = []

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with reaching(f"https://127.0.0.1:{port}/v1", connect_s=0.2, http2=http2) as backend:
            with pytest.raises(RemoteTimeoutError, match="did not take the connection"):
                await all_of(backend.stream(asking()))
    finally:
        for writer in held:
            writer.close()
        server.close()


# HTTP/2


async def test_http2_is_used_where_both_have_it(good: Certificates) -> None:
    answer = Answer(thinking=("hm",), calls=(Call("c", "f", ('{"a":', "1}")),), finish="tool_calls", pause=0.01)
    async with second(answer, good) as there:
        async with reaching(
            f"{there.base}/v1", "anthropic", ca=str(good.ca), key="env:K", environ={"K": "key-1"}
        ) as back:
            answers = await asyncio.gather(*(all_of(back.stream(asking(text=str(n)))) for n in range(12)))
            assert isinstance(back._connections._wire, SecondWire)
            said = [summary(deltas) for deltas in answers]
    assert all(one == said[0] for one in said)
    assert (said[0]["text"], said[0]["thinking"], said[0]["calls"]) == ("Hello there!", "hm", [("c", "f", '{"a":1}')])
    assert {scope["http_version"] for scope in there.seen} == {"2"}
    assert len({scope["client"] for scope in there.seen}) == 1
    headers = dict(there.seen[0]["headers"])
    assert headers[b"x-api-key"] == b"key-1"


async def test_http2_refuses_breaks_and_dawdles_as_http1_does(good: Certificates) -> None:
    for answer, error in (
        (Answer(status=429, error="slow down"), RemoteBusyError),
        (Answer(dies_after=3), RemoteError),
        (Answer(hangs_after=3), RemoteTimeoutError),
    ):
        async with second(answer, good) as there:
            async with reaching(f"{there.base}/v1", ca=str(good.ca), read_s=0.3) as backend:
                with pytest.raises(error):
                    await all_of(backend.stream(asking()))


async def test_whoever_leaves_ends_the_stream_of_http2_too(good: Certificates) -> None:
    async with second(Answer(text=("a",) * 500, pause=0.02), good) as there:
        async with reaching(f"{there.base}/v1", ca=str(good.ca)) as backend:
            async with aclosing(backend.stream(asking())) as deltas:
                async for delta in deltas:
                    if isinstance(delta, TextDelta):
                        break
            async with asyncio.timeout(2):
                while not there.left:
                    await asyncio.sleep(0.01)


async def test_addresses_are_checked_for_http2_too(good: Certificates) -> None:
    def check(address: str) -> None:
        raise LocalOnlyError(f"not {address}")

    async with second(Answer(), good) as there:
        async with reaching(f"{there.base}/v1", ca=str(good.ca), check=check) as backend:
            with pytest.raises(LocalOnlyError):
                await all_of(backend.stream(asking()))
    assert there.seen == []


async def test_a_large_request_is_sent_as_fast_as_it_is_taken(good: Certificates) -> None:
    async with second(Answer(), good) as there:
        async with reaching(f"{there.base}/v1", ca=str(good.ca)) as backend:
            text = "x" * 3_000_000
            asked = [asking(text=text), asking(text="small")]
            answers = await asyncio.gather(*(all_of(backend.stream(one)) for one in asked))
    assert [summary(deltas)["text"] for deltas in answers] == ["Hello there!"] * 2
    assert max(len(scope["body"]) for scope in there.seen) > len(text)


async def test_hundreds_at_once_and_hundreds_left(good: Certificates) -> None:
    async with second(Answer(text=("a",) * 20), good) as there:
        async with reaching(f"{there.base}/v1", ca=str(good.ca), connections=2) as backend:

            async def leave() -> None:
                async with aclosing(backend.stream(asking())) as deltas:
                    async for delta in deltas:
                        if isinstance(delta, TextDelta):
                            break

            for _ in range(3):
                await asyncio.gather(*(leave() for _ in range(150)))
            answers = await asyncio.gather(*(all_of(backend.stream(asking())) for _ in range(150)))
    assert {summary(deltas)["text"] for deltas in answers} == {"a" * 20}
