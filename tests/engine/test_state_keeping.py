"""Conversations are kept on disk only where it was asked for, and only while the vault gives a key."""

from __future__ import annotations

from pathlib import Path

from app.engine.catalogue import Catalogue, shipped
from app.engine.state_keeping import StateKeeping
from app.playground import Playground
from tests.starter import EMBEDDING, NAME

ENTRIES = Catalogue.load([shipped()])
KEY = bytes(range(32))


def keeping(folder: Path, most_mb: int = 5, key: bytes | None = KEY, digest: str | None = "ab" * 32) -> StateKeeping:
    async def asked() -> bytes | None:
        return key

    return StateKeeping(folder, most_mb, lambda entry: digest, asked)


async def test_a_chat_models_worker_is_told_where_and_how_much_and_its_key_is_never_shown(tmp_path):
    states = await keeping(tmp_path).of(ENTRIES.get(NAME))
    assert (states.folder, states.key, states.model, states.most_bytes) == (str(tmp_path), KEY, "ab" * 32, 5_000_000)
    assert repr(KEY) not in repr(states)


async def test_nothing_is_kept_without_a_key_without_a_digest_and_of_other_models(tmp_path):
    assert await keeping(tmp_path, key=None).of(ENTRIES.get(NAME)) is None
    assert await keeping(tmp_path, digest=None).of(ENTRIES.get(NAME)) is None
    assert await keeping(tmp_path).of(ENTRIES.get(EMBEDDING)) is None


async def test_when_nothing_is_wanted_any_more_what_was_kept_is_deleted(tmp_path):
    folder = tmp_path / "states"
    (folder / "shelf").mkdir(parents=True)
    (folder / "shelf" / "old.kv").write_bytes(b"sealed")
    assert await keeping(folder, most_mb=0).of(ENTRIES.get(NAME)) is None
    assert not folder.exists()


async def test_a_locked_vault_gives_no_key_and_an_open_one_always_the_same(tmp_path):
    playground = Playground.open({"PLAYGROUND_HOME": str(tmp_path), "PLAYGROUND_PASSPHRASE": "a b c d e f"})
    try:
        assert await playground.state_key() is None
        await playground.vault.open()
        key = await playground.state_key()
        assert key is not None
        assert len(key) == 32
        await playground.vault.lock()
        assert await playground.state_key() is None
        await playground.vault.open()
        assert await playground.state_key() == key
    finally:
        await playground.aclose()
