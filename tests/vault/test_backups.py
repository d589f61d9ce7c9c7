"""Backups: whole states, refused when a bit is wrong, brought back in one step or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.chat.keeping import Keeping
from app.errors import BackupError, VaultError, VaultLockedError, WrongPassphraseError
from app.messages import Message
from app.vault import Vault
from app.vault.copies import restoring
from app.vault.copies.backup import verify
from app.vault.copies.backup_file import append_trailer
from app.vault.opening import Places
from tests.vault.conftest import conversation, everything, fingerprints, vault_at


async def test_a_backup_taken_while_others_write_compares_equal_to_a_moment_of_it(vault, tmp_path):
    written: list[str] = []

    async def write() -> None:
        conversation, keeper = Keeping(vault, lambda _error: None).begin(title="busy")
        while True:
            written.append(conversation.append(Message.user(f"{len(written)} " * 200)).id)
            assert await keeper.settle()

    await vault.sessions.add(conversation("old", *["before"] * 3000))
    old = await vault.sessions.load("old")
    writing = asyncio.create_task(write())
    while len(written) < 20:
        await asyncio.sleep(0.01)
    before = len(written)
    made = await vault.backups.create()
    after = len(written)
    await asyncio.sleep(0.05)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    assert after > before  # or it would not have been taken while writing

    home = tmp_path / "empty"
    home.mkdir()
    restored = vault_at(home)
    await restored.restore(made.path)
    await restored.open()
    found = await everything(restored)
    assert found["old"] == old
    (busy,) = [whole for name, whole in found.items() if name != "old"]
    nodes = [node.id for node in busy.nodes]
    assert nodes == written[: len(nodes)] and before - 1 <= len(nodes) <= after
    assert busy.session.head_id == nodes[-1]
    assert made.manifest is not None
    assert (made.manifest.sessions, made.manifest.messages) == (2, 3000 + len(nodes))
    assert await restored.check() == []
    await restored.close()


async def test_what_is_restored_is_what_was_backed_up_to_the_last_field(vault, tmp_path):
    await vault.sessions.add(
        conversation("a", "one", "two", title="A", tags=("x", "y"), pinned=True, system="Be brief.")
    )
    await vault.sessions.add(conversation("b", "three", archived=True))
    await vault.notes.put("draft", b"unsent")
    expected = await everything(vault)
    made = await vault.backups.create()
    await vault.sessions.purge("a")
    await vault.restore(made.path)
    assert vault.state == "locked"
    await vault.open()
    assert await everything(vault) == expected
    assert await vault.notes.get("draft") == b"unsent"
    (kept,) = vault.backups.folder.parent.glob("replaced-*")  # what was there is not thrown away
    shutil.copytree(kept, tmp_path / "replaced")
    replaced = vault_at(tmp_path / "replaced")
    await replaced.open()
    assert list(await everything(replaced)) == ["b"]
    await replaced.close()


@pytest.fixture(scope="module")
def one_backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one")

    async def make() -> Path:
        made = vault_at(folder)
        await made.open()
        await made.sessions.add(conversation("a", *["some words"] * 40))
        found = await made.backups.create()
        await made.close()
        return found.path

    return asyncio.run(make())


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_flipped_bit_anywhere_and_it_is_refused(data, one_backup, capfd):
    content = bytearray(one_backup.read_bytes())
    tail = st.integers(max(0, len(content) - 1200), len(content) - 1)
    content[data.draw(st.integers(0, len(content) - 1) | tail)] ^= 1 << data.draw(st.integers(0, 7))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir()
        spoiled = Path(folder) / "spoiled.backup"
        spoiled.write_bytes(content)
        with pytest.raises(BackupError):
            verify(spoiled)
        vault = vault_at(home)
        with pytest.raises(BackupError, match="nothing was changed"):
            asyncio.run(vault.restore(spoiled))
        assert (vault.state, fingerprints(home)) == ("absent", {})
    assert capfd.readouterr() == ("", "")


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_backup_cut_short_is_refused(data, one_backup):
    content = one_backup.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        cut = Path(folder) / "cut.backup"
        cut.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
        with pytest.raises(BackupError):
            verify(cut)


async def test_it_opens_with_the_passphrase_of_its_time(vault, tmp_path):
    await vault.sessions.add(conversation("a", "one"))
    await vault.set_passphrase("first")
    first = await vault.backups.create()
    await vault.set_passphrase("second")
    second = await vault.backups.create()
    await vault.sessions.add(conversation("b", "two"))
    before = fingerprints(vault.backups.folder.parent)
    with pytest.raises(WrongPassphraseError):
        await vault.restore(first.path, "second")
    with pytest.raises(VaultLockedError):
        await vault.restore(first.path)
    await vault.open("second")
    assert set(await everything(vault)) == {"a", "b"}
    await vault.close()
    after = fingerprints(vault.backups.folder.parent)
    assert {name: after[name] for name in after if "backups" in name} == {
        n: before[n] for n in before if "backups" in n
    }
    await vault.restore(second.path, "second")
    await vault.restore(first.path, "first")
    with pytest.raises(WrongPassphraseError):
        await vault.open("second")
    await vault.open("first")
    assert set(await everything(vault)) == {"a"}


async def test_a_recovery_key_opens_the_vault_and_its_backups(vault):
    await vault.set_passphrase("forgotten")
    recovery = await vault.new_recovery_key()
    made = await vault.backups.create()
    await vault.close()
    await vault.open(recovery.lower().replace("-", " "))
    assert vault.state == "open"
    newer = await vault.new_recovery_key()
    await vault.close()
    with pytest.raises(WrongPassphraseError, match="a newer one replaced it"):
        await vault.open(recovery)
    with pytest.raises(WrongPassphraseError):
        await vault.restore(made.path, newer)
    await vault.restore(made.path, recovery)
    await vault.open(recovery)


async def test_an_unprotected_vault_is_not_backed_up_where_others_may_look(tmp_path):
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    vault = Vault(home, elsewhere)
    await vault.open()
    with pytest.raises(BackupError, match="no passphrase"):
        await vault.backups.create()
    assert not elsewhere.exists() or list(elsewhere.iterdir()) == []
    await vault.set_passphrase("now protected")
    made = await vault.backups.create()
    assert made.manifest is not None and made.manifest.keys.ways() == {"passphrase"}
    await vault.close()


async def test_a_backup_that_went_elsewhere_never_holds_the_key_in_the_open(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    vault = Vault(home, tmp_path / "elsewhere")
    await vault.open()
    recovery = await vault.new_recovery_key()
    made = await vault.backups.create()
    assert made.manifest is not None and made.manifest.keys.ways() == {"recovery"}
    with pytest.raises(VaultLockedError):
        await vault.restore(made.path)
    await vault.restore(made.path, recovery)
    await vault.close()


async def test_only_as_many_daily_backups_are_kept_as_wanted_and_all_that_a_person_made(tmp_path):
    vault = vault_at(tmp_path, daily_kept=3)
    await vault.open()
    mine = await vault.backups.create("manual")
    daily = [await vault.backups.create("daily") for _ in range(5)]
    kept = vault.backups.list()
    assert {found.path for found in kept} == {mine.path, *(found.path for found in daily[2:])}
    times = [found.manifest.created_at for found in kept if found.manifest]
    assert times == sorted(times, reverse=True)
    assert vault.backups.last("daily") == max(times) and vault.backups.last("upgrade") == 0
    (tmp_path / "backups" / "broken.backup").write_bytes(b"x" * 10_000)
    assert "does not end as a backup ends" in vault.backups.list()[-1].problem
    await vault.close()


async def test_a_cancelled_backup_ends_before_the_vault_is_closed(vault):
    await vault.sessions.add(conversation("a", *["words and words"] * 5000))
    backing_up = asyncio.create_task(vault.backups.create())
    await asyncio.sleep(0.01)
    backing_up.cancel()
    await vault.close()
    await asyncio.gather(backing_up, return_exceptions=True)
    assert list(vault.backups.folder.iterdir()) == []


async def test_a_backup_does_not_keep_the_program_from_ending(vault):
    await vault.sessions.add(conversation("a", *["words and words " * 40] * 8000))
    seen: list[int] = []

    def slowly(done: int, _all: int) -> None:
        seen.append(done)
        time.sleep(0.05)

    backing_up = asyncio.create_task(vault.backups.create("daily", slowly))
    while not seen:
        await asyncio.sleep(0.001)
    await vault.close()
    with pytest.raises(VaultError, match="stopped"):
        await backing_up
    assert list(vault.backups.folder.iterdir()) == []


class Killed(BaseException):
    """The program ends here."""


@pytest.mark.parametrize("moment", range(1, 12))
async def test_a_restore_that_is_cut_off_anywhere_is_the_old_or_the_new_vault(moment, tmp_path, monkeypatch):
    vault = vault_at(tmp_path)
    await vault.open()
    await vault.sessions.add(conversation("both", "one"))
    made = await vault.backups.create()
    await vault.sessions.add(conversation("later", "two"))
    steps = 0

    def counted(work):
        def step(*args, **options):
            nonlocal steps
            steps += 1
            if steps == moment:
                raise Killed
            return work(*args, **options)

        return step

    with monkeypatch.context() as patched:
        # Every step that changes a name; what tidies up after an error does not run in a program that was killed.
        patched.setattr(Path, "replace", counted(Path.replace))
        patched.setattr(restoring.shutil, "rmtree", counted(shutil.rmtree))
        patched.setattr(restoring, "sync_folder", counted(restoring.sync_folder))
        with contextlib.suppress(Killed):
            await vault.restore(made.path)
    await vault.open()
    assert set(await everything(vault)) in ({"both"}, {"both", "later"})
    assert await vault.check() == []
    assert not (tmp_path / "restored").exists() and not (tmp_path / ".restoring").exists()
    await vault.close()


async def test_finishing_a_restore_can_be_cut_off_and_done_again(copied, tmp_path):
    places = Places.under(copied)
    places.restored.mkdir()
    restoring.finish_restoring(places)  # cut off when only the empty folder was left
    assert not places.restored.exists()
    vault = vault_at(copied)
    await vault.open()
    assert len(await everything(vault)) == 6
    await vault.close()


async def test_a_backup_whose_keys_would_cost_all_memory_is_refused(one_backup, tmp_path):
    manifest = verify(one_backup)
    greedy = manifest.keys.with_passphrase(b"m" * 32, "x")
    wrapped = tuple(
        msgspec.structs.replace(way, stretching=msgspec.structs.replace(way.stretching, memory_kib=2**31))
        for way in greedy.wrapped
        if way.stretching is not None
    )
    path = tmp_path / "greedy.backup"
    path.write_bytes(os.urandom(8192))
    append_trailer(path, msgspec.structs.replace(manifest, keys=msgspec.structs.replace(greedy, wrapped=wrapped)))
    with pytest.raises(BackupError, match="out of range"):
        verify(path, "x")
