"""Answers given again, from a real vault and a real Redis."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import RemoteUnreachableError, SettingsError, StreamBrokenError
from app.messages import (
    ChatRequest,
    Finished,
    Image,
    Message,
    Rerouted,
    Sampling,
    Started,
    TextDelta,
    ThinkingDelta,
    Timings,
    Tool,
    ToolCallDelta,
    Usage,
)
from app.privacy.connections import ConnectionPolicy
from app.routing.cache.cached import Cached
from app.routing.cache.fingerprints import Identity, fingerprint
from app.routing.cache.stores import RedisAnswers, VaultAnswers
from app.routing.recording import Recording
from app.routing.router import Router
from app.vault import Vault

from .kept import answer, open_vault, redis_url, vault  # noqa: F401 - fixtures
from .scripted import Scripted, ask

MEGABYTE = 1024 * 1024
SECRET_WORDS = "the lighthouse keeper's secret"


def identity(name):
    return Identity("m", "1") if name in ("m", "alias") else None


@pytest.fixture(params=["vault", "redis"])
async def store(request, vault):  # noqa: F811
    if request.param == "vault":
        made = VaultAnswers(open_vault(vault), ttl_s=60, most_bytes=MEGABYTE)
    else:
        url = request.getfixturevalue("redis_url")
        made = RedisAnswers(url, open_vault(vault), ConnectionPolicy(local_only=True), ttl_s=60, most_bytes=MEGABYTE)
        await made._asked("FLUSHALL")
    yield made
    await made.aclose()


def cached(store, plan=("Hello", " there."), most=MEGABYTE, models=("m", "alias", "other")):
    backend = Scripted("wire", plan, models)
    return Cached(Router([backend]), store, identity, most_bytes=most), backend


async def settled(router):
    while router._writing:
        await asyncio.gather(*router._writing)


def text(deltas):
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


async def test_the_same_request_is_answered_once(store):
    steps = [
        Started("m", "wire", 7),
        ThinkingDelta("hm"),
        ThinkingDelta("m", "signed"),
        TextDelta("Hel"),
        TextDelta("lo"),
        ToolCallDelta(0, "", "id", "f"),
        ToolCallDelta(0, '{"a"'),
        ToolCallDelta(0, ":1}"),
        Finished("tool_calls", Usage(7, 3), Timings(1, 2, 3)),
    ]
    router, backend = cached(store, steps)
    first = await answer(router, ask("m"))
    assert first == steps
    await settled(router)
    assert await answer(router, ask("m")) == [
        Started("m", "wire", 7, from_cache=True),
        ThinkingDelta("hmm", "signed"),
        TextDelta("Hello"),
        ToolCallDelta(0, '{"a":1}', "id", "f"),
        Finished("tool_calls", Usage(7, 3)),
    ]
    assert backend.asked == ["m"]


async def test_what_differs_is_another_request(store):
    router, backend = cached(store)
    requests = [
        ask("m"),
        ask("m", "hello!"),
        msgspec.structs.replace(ask("m"), sampling=Sampling(temperature=0.0)),
        msgspec.structs.replace(ask("m"), tools=(Tool("f", "", {}),)),
        ChatRequest(model="m", messages=(Message("user", (Image("image/png", b"1"),)),)),
        ChatRequest(model="m", messages=(Message("user", (Image("image/png", b"2"),)),)),
    ]
    for request in requests:
        await answer(router, request)
        await settled(router)
    assert len(backend.asked) == len(requests)


async def test_an_alias_is_the_same_model(store):
    router, backend = cached(store, [Started("m", "wire"), "x"])
    await answer(router, ask("alias"))
    await settled(router)
    assert (await answer(router, ask("m")))[0].from_cache and len(backend.asked) == 1


async def test_a_fresh_answer_is_made_anew_and_remembered(store):
    router, _ = cached(store, lambda number, _: [f"answer {number}"])
    for request, said in [
        (ask("m"), "answer 1"),
        (msgspec.structs.replace(ask("m"), fresh=True), "answer 2"),
        (ask("m"), "answer 2"),
    ]:
        assert text(await answer(router, request)) == said
        await settled(router)


@pytest.mark.parametrize(
    "plan",
    [
        ["begun", StreamBrokenError("It broke.")],
        [RemoteUnreachableError("No.")],
        ["long", Finished("length")],
        ["no", Finished("content_filter")],
        [Rerouted("m", "other", "It was down."), Started("other", "wire"), "x"],
        [Started("other", "wire"), "x"],
    ],
)
async def test_nothing_but_a_whole_answer_of_the_model_itself_is_kept(store, plan):
    router, backend = cached(store, plan)
    for _ in range(2):
        with suppress(StreamBrokenError, RemoteUnreachableError):
            await answer(router, ask("m"))
        await settled(router)
    assert len(backend.asked) == 2


async def test_an_answer_that_was_left_is_not_kept(store):
    router, backend = cached(store)
    async with aclosing(router.stream(ask("m"))) as deltas:
        async for delta in deltas:
            if isinstance(delta, TextDelta):
                break
    await settled(router)
    assert not (await answer(router, ask("m")))[0].from_cache and backend.running == 0


async def test_what_is_too_large_is_not_kept(store):
    router, backend = cached(store, ["x" * 600, "y" * 600], most=1000)
    for _ in range(2):
        assert len(text(await answer(router, ask("m")))) == 1200
        await settled(router)
    assert len(backend.asked) == 2


async def test_what_must_not_be_kept_goes_by(store):
    router, backend = cached(store)
    for kept in (False, True, False):
        await answer(router, msgspec.structs.replace(ask("m"), kept=kept))
        await settled(router)
    assert backend.asked == ["m"] * 3


async def test_an_unknown_model_goes_by(store):
    router, backend = cached(store)
    await answer(router, ask("other"))
    await answer(router, ask("other"))
    assert len(backend.asked) == 2


async def test_while_the_vault_is_locked_nothing_is_remembered_and_nothing_fails(store, vault):  # noqa: F811
    router, backend = cached(store)
    await answer(router, ask("m"))
    await settled(router)
    await vault.lock()
    assert not (await answer(router, ask("m")))[0].from_cache
    await settled(router)
    await vault.open()
    assert (await answer(router, ask("m")))[0].from_cache and len(backend.asked) == 2


async def test_answers_grow_old(vault):  # noqa: F811
    router, _ = cached(VaultAnswers(open_vault(vault), ttl_s=0.05, most_bytes=MEGABYTE))
    await answer(router, ask("m"))
    await settled(router)
    await asyncio.sleep(0.06)
    assert not (await answer(router, ask("m")))[0].from_cache
    await router.aclose()


async def test_redis_lets_the_least_used_go_and_sees_nothing_in_plain_text(vault, redis_url):  # noqa: F811
    store = RedisAnswers(redis_url, open_vault(vault), ConnectionPolicy(local_only=True), ttl_s=60, most_bytes=2000)
    await store._asked("FLUSHALL")
    router, _ = cached(store, [SECRET_WORDS * 12])
    for word in ("one", "two", "three", "four", "five"):
        await answer(router, ask("m", f"{word} {SECRET_WORDS}"))
        await settled(router)
        if word == "two":
            await asyncio.sleep(0.01)
            assert (await answer(router, ask("m", f"one {SECRET_WORDS}")))[0].from_cache
            await settled(router)
        await asyncio.sleep(0.01)
    kept = [
        (await store.get(fingerprint(ask("m", f"{word} {SECRET_WORDS}"), identity("m")))) is not None
        for word in ("one", "two", "three", "four", "five")
    ]
    assert sum(kept) == 3 and kept[-1] and not kept[1]
    total = int(await store._asked("GET", "playground:answers:bytes"))
    assert 0 < total <= 2000
    for key in await store._asked("KEYS", "*"):
        whole = key + (await store._asked("DUMP", key))
        assert b"lighthouse" not in whole and fingerprint(ask("m"), identity("m")).hex().encode() not in whole
    await router.aclose()


SHARED = "nobody-can-guess-these-32-characters"


async def test_programs_share_answers_by_one_vault_or_by_one_key(vault, redis_url, tmp_path):  # noqa: F811
    (tmp_path / "other").mkdir()
    other = Vault(tmp_path / "other", tmp_path / "other" / "backups")
    await other.open()

    async def has(*pairs):
        """Whether each, as (vault, key), has what the first was answered."""
        stores = [
            RedisAnswers(
                redis_url, lambda held=held: held, ConnectionPolicy(local_only=True), ttl_s=60, most_bytes=MEGABYTE,
                shared_key=key,
            )
            for held, key in pairs
        ]  # fmt: skip
        await stores[0]._asked("FLUSHALL")
        routers = [cached(store)[0] for store in stores]
        await answer(routers[0], ask("m"))
        await settled(routers[0])
        found = [(await answer(router, ask("m")))[0].from_cache for router in routers]
        for router in routers:
            await settled(router)
            await router.aclose()
        return found

    assert await has((vault, ""), (vault, ""), (other, "")) == [True, True, False]
    assert await has((vault, SHARED), (other, SHARED)) == [True, True]
    assert await has((vault, SHARED), (other, SHARED[::-1])) == [True, False]
    assert await has((vault, SHARED), (vault, "")) == [True, False]
    # Nothing is remembered while the vault is locked, whoever has the key.
    assert await has((vault, SHARED), (None, SHARED)) == [True, False]
    await other.close()


def test_a_short_key_is_refused_without_repeating_it():
    with pytest.raises(SettingsError, match="has 6 characters; it needs 32") as refused:
        RedisAnswers("redis://x", lambda: None, ConnectionPolicy(local_only=False), ttl_s=1, most_bytes=1,
                     shared_key="s3kr1t")  # fmt: skip
    assert "s3kr1t" not in str(refused.value)


async def test_what_redis_was_given_by_others_is_no_answer(vault, redis_url):  # noqa: F811
    store = RedisAnswers(
        redis_url, open_vault(vault), ConnectionPolicy(local_only=False), ttl_s=60, most_bytes=MEGABYTE
    )
    await store._asked("FLUSHALL")
    router, backend = cached(store)
    await answer(router, ask("m"))
    await answer(router, ask("m", "another"))
    await settled(router)
    one, two = [key for key in await store._asked("KEYS", "playground:answers:*") if len(key) > 60]
    await store._asked("SET", one, await store._asked("GET", two))  # in another's place
    await store._asked("SET", two, b"rubbish")
    assert [(await answer(router, ask("m", said)))[0].from_cache for said in ("hello", "another")] == [False, False]
    assert len(backend.asked) == 4
    await router.aclose()


async def test_a_redis_that_is_not_there_fails_nothing_and_is_said_once(vault, caplog):  # noqa: F811
    url = "redis://:s3kr1t@127.0.0.1:1/0"
    router, _ = cached(
        RedisAnswers(url, open_vault(vault), ConnectionPolicy(local_only=False), ttl_s=60, most_bytes=99)
    )
    with caplog.at_level(logging.DEBUG):
        for _ in range(3):
            assert text(await answer(router, ask("m"))) == "Hello there."
            await settled(router)
    assert caplog.text.count("Redis") == 1 and "s3kr1t" not in caplog.text
    await router.aclose()


async def test_local_only_mode_keeps_answers_on_this_machine(vault, caplog):  # noqa: F811
    url = "redis://redis.example:6379/0"
    store = RedisAnswers(url, open_vault(vault), ConnectionPolicy(local_only=True), ttl_s=60, most_bytes=99)
    router, _ = cached(store)
    assert text(await answer(router, ask("m"))) == "Hello there."
    await settled(router)
    assert store._redis is None and "Local-only mode" in caplog.text


def test_what_is_no_redis_is_refused_without_repeating_it():
    with pytest.raises(SettingsError) as refused:
        RedisAnswers("http://user:s3kr1t@x", lambda: None, ConnectionPolicy(local_only=False), ttl_s=1, most_bytes=1)
    assert "s3kr1t" not in str(refused.value)


def test_half_a_character_is_not_remembered():
    assert fingerprint(ask("m", "\ud800"), Identity("m", "")) is None


@given(st.lists(st.one_of(st.text(max_size=20).map(TextDelta), st.text(max_size=9).map(ThinkingDelta))))
def test_a_recording_says_what_was_said(deltas):
    recording = Recording(MEGABYTE)
    for delta in deltas:
        recording.add(delta)
    for kind in (TextDelta, ThinkingDelta):
        said = ["".join(one.text for one in some if isinstance(one, kind)) for some in (deltas, recording.deltas)]
        assert said[0] == said[1]
