"""What is typed is in the vault soon, whatever the disk does meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.errors import DiskFullError
from app.vault import Vault
from app.vault.posts.posts import new_post
from app.vault.storage import write_behind
from app.writing.keeping import SAVE_AFTER, PostKeeper


@pytest.fixture
async def vault(tmp_path: Path) -> AsyncIterator[Vault]:
    made = Vault(tmp_path, tmp_path / "backups")
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def told() -> list[object]:
    return []


def keeper_of(vault: Vault, told: list[object]) -> PostKeeper:
    return PostKeeper(vault.posts, new_post(), written=False, told=told.append)


async def test_what_is_typed_is_kept_without_being_asked(vault, told):
    keeper = keeper_of(vault, told)
    began = time.monotonic()
    keeper.change(body="The sea")
    while keeper.unwritten:
        await asyncio.sleep(0.02)
    assert time.monotonic() - began < 2
    assert (await vault.posts.get(keeper.post.id)).body == "The sea"
    assert told == []
    await keeper.aclose()


async def test_steady_typing_does_not_put_the_saving_off(vault, told):
    keeper = keeper_of(vault, told)
    began = time.monotonic()
    seen = None
    text = ""
    while time.monotonic() - began < SAVE_AFTER * 1.8:
        text += "x"
        keeper.change(body=text)
        await asyncio.sleep(0.02)
        if seen is None and await vault.posts.count():
            seen = time.monotonic() - began
    assert seen is not None and seen < 2
    await keeper.aclose()
    assert (await vault.posts.get(keeper.post.id)).body == text


async def test_settling_writes_at_once(vault, told):
    keeper = keeper_of(vault, told)
    keeper.change(title="Sea")
    began = time.monotonic()
    assert await keeper.settle()
    assert time.monotonic() - began < SAVE_AFTER
    assert (await vault.posts.find("Sea")).id == keeper.post.id
    assert not keeper.unwritten
    await keeper.aclose()


async def test_an_empty_post_leaves_no_trace(vault, told):
    keeper = keeper_of(vault, told)
    keeper.change(body="  \n")
    assert await keeper.settle()
    await keeper.revise("opened")
    await keeper.aclose()
    assert await vault.posts.count() == 0


async def test_a_full_disk_is_said_once_and_the_text_is_written_when_there_is_room(vault, told, monkeypatch):
    monkeypatch.setattr(write_behind, "RETRY_SECONDS", 0.05)
    save, full = vault.posts.save, True

    async def guarded(post):
        if full:
            raise DiskFullError("The disk is full.", "Make room.")
        await save(post)

    monkeypatch.setattr(vault.posts, "save", guarded)
    keeper = keeper_of(vault, told)
    keeper.change(body="one")
    assert not await keeper.settle()
    keeper.change(body="one two")
    assert not await keeper.settle()
    with pytest.raises(DiskFullError):
        await keeper.revise("assist")
    assert [type(error) for error in told] == [DiskFullError]
    full = False
    while keeper.unwritten:
        await asyncio.sleep(0.01)
    assert [type(error) for error in told] == [DiskFullError, type(None)]
    assert (await vault.posts.get(keeper.post.id)).body == "one two"
    await keeper.aclose()


async def test_a_revision_is_of_what_was_typed_last(vault, told):
    keeper = keeper_of(vault, told)
    keeper.change(body="first")
    await keeper.revise("before the rewrite")
    keeper.change(body="second")
    await keeper.aclose()
    (line,) = await vault.posts.revisions(keeper.post.id)
    assert (await vault.posts.revision(keeper.post.id, line.number)).body == "first"


async def test_closing_writes_what_is_left(vault, told):
    keeper = keeper_of(vault, told)
    keeper.change(body="typed just now")
    await keeper.aclose()
    assert (await vault.posts.lines())[0].characters == len("typed just now")
