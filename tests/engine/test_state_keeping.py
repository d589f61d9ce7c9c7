"""Conversations are kept on disk only where it was asked for, and only while the vault gives a key."""

from __future__ import annotations

from pathlib import Path

from app.engine.catalogues.catalogue import Catalogue, shipped
from app.engine.files.store import ModelStore
from app.engine.frames import KeptStates
from app.engine.pool import ModelPool
from app.engine.slot import Slot
from app.engine.state_keeping import StateKeeping
from app.playground import Playground
from app.privacy.connections import ConnectionPolicy
from app.settings import EngineSettings
from app.vault.conversations.records import Session
from tests.starter import EMBEDDING, NAME

ENTRIES = Catalogue.load([shipped()])
KEY = bytes(range(32))


def keeping(folder: Path, most_mb: int = 5, key: bytes | None = KEY, digest: str | None = "ab" * 32) -> StateKeeping:
    async def asked() -> bytes | None:
        return key

    return StateKeeping(folder, most_mb, lambda entry: digest, asked)


async def test_a_chat_models_worker_is_told_where_and_how_much_and_its_key_is_never_shown(tmp_path):
    states = await keeping(tmp_path).of(ENTRIES.get(NAME))
    assert (states.key, states.model, states.most_bytes) == (KEY, "ab" * 32, 5_000_000)
    assert Path(states.folder).parent == tmp_path
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


async def test_what_was_kept_under_a_key_that_is_no_more_is_deleted(tmp_path):
    before, after = [Path((await keeping(tmp_path, key=key).of(ENTRIES.get(NAME))).folder) for key in (KEY, KEY[::-1])]
    before.mkdir()
    after.mkdir()
    await keeping(tmp_path, key=KEY[::-1]).of(ENTRIES.get(NAME))
    assert not before.exists()
    assert after.exists()


async def test_a_locked_vault_gives_no_key_and_an_open_one_the_same_until_something_is_removed_for_good(tmp_path):
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
        for name in ("kept", "gone"):
            await playground.vault.sessions.create(Session(id=name))
        await playground.vault.sessions.delete("gone")
        assert await playground.state_key() == key
        await playground.vault.sessions.purge("gone")
        assert await playground.state_key() not in (None, key)
    finally:
        await playground.aclose()


class Listener:
    """Stands for a worker."""

    alive = True

    def __init__(self) -> None:
        self.told: list[bytes] = []

    def keep(self, states: KeptStates) -> None:
        self.told.append(states.key)


async def test_once_something_was_removed_for_good_a_worker_that_may_remember_it_keeps_nothing_more(tmp_path):
    keys: list[bytes | None] = [KEY, None, KEY, KEY[::-1], KEY[::-1]]

    async def next_key() -> bytes | None:
        return keys.pop(0)

    states = StateKeeping(tmp_path / "states", 5, lambda entry: "ab" * 32, next_key)
    store = ModelStore(tmp_path / "models", ConnectionPolicy(local_only=True))
    pool = ModelPool(ENTRIES, store, EngineSettings(), tmp_path, states=states)
    slot, listener = Slot(NAME, "chat"), Listener()
    slot.worker = listener
    while keys:
        await pool._keep(slot)
    assert listener.told == [KEY, KEY]
