"""Notes of requests, and answers that may be given again."""

from __future__ import annotations

import pytest

from app.errors import InvalidRequestError, VaultLockedError
from app.vault.activity.audit import AuditNote, Detour
from app.vault.answers import Answers


def note(at, **more):
    return AuditNote(at=at, face="cli", asked=more.pop("asked", "m"), **more)


async def test_notes_come_back_newest_first_with_all_that_was_in_them(vault):
    whole = note(
        3.0,
        model="other",
        detours=(Detour("m", "other", "It was down."),),
        cost=0.25,
        first_token_s=0.5,
        request={"messages": [{"text": "é\u0000"}]},
        outcome="failed",
    )
    await vault.audit.add([note(1.0), whole, note(2.0, asked="n")])
    found = await vault.audit.notes()
    assert [one.at for one in found] == [3.0, 2.0, 1.0]
    assert await vault.audit.get(found[0].number) == found[0]
    assert found[0].detours == whole.detours and found[0].request == whole.request and found[0].cost == 0.25
    assert [one.at for one in await vault.audit.notes(1, 1)] == [2.0]


async def test_notes_are_found_by_model_time_and_failure(vault):
    await vault.audit.add([note(1.0), note(2.0, asked="n", model="m", outcome="failed"), note(3.0, asked="n")])
    assert [one.at for one in await vault.audit.notes(model="m")] == [2.0, 1.0]
    assert [one.at for one in await vault.audit.notes(failed=True)] == [2.0]
    assert [one.at for one in await vault.audit.notes(since=2.0, until=3.0)] == [2.0]
    assert await vault.audit.count() == 3 and await vault.audit.count(model="n", failed=True) == 1
    assert await vault.audit.forget(3.0) == 2 and await vault.audit.count() == 1
    with pytest.raises(InvalidRequestError, match="number 77"):
        await vault.audit.get(77)


async def test_answers_are_good_for_a_while(vault):
    now = [100.0]
    answers = Answers(vault.database, lambda: now[0])
    await answers.put(b"a", b"one", model="m", ttl_s=10, most_bytes=100)
    assert await answers.get(b"a") == b"one" and await answers.get(b"b") is None
    now[0] = 110.0
    assert await answers.get(b"a") is None
    await answers.put(b"b", b"two", model="m", ttl_s=10, most_bytes=100)
    assert await answers.size() == (1, 3)


async def test_the_least_used_answer_goes_first(vault):
    now = [0.0]
    answers = Answers(vault.database, lambda: now[0])
    for name in (b"a", b"b", b"c"):
        now[0] += 1
        await answers.put(name, b"x" * 10, model="m", ttl_s=100, most_bytes=30)
    now[0] += 1
    await answers.used(b"a")
    await answers.put(b"d", b"x" * 10, model="m", ttl_s=100, most_bytes=30)
    assert [await answers.get(name) is not None for name in (b"a", b"b", b"c", b"d")] == [True, False, True, True]
    await answers.put(b"e", b"x" * 31, model="m", ttl_s=100, most_bytes=30)
    assert await answers.get(b"e") is None and await answers.size() == (3, 30)
    await answers.clear()
    assert await answers.size() == (0, 0)


async def test_a_locked_vault_says_so(vault):
    await vault.set_passphrase("correct horse")
    await vault.lock()
    for asked in (vault.audit.notes(), vault.audit.add([note(1.0)]), vault.answers.get(b"a")):
        with pytest.raises(VaultLockedError):
            await asked
