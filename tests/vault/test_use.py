"""Several programs and one vault: together for reading and writing, alone for what replaces its files."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from app.errors import KeyFileError, VaultInUseError, VaultLockedError, WrongPassphraseError
from app.vault.keys.keyfile import KeyFile
from app.vault.storage.use_lock import UseLock
from tests.vault.conftest import conversation, everything, vault_at

REPOSITORY = Path(__file__).resolve().parents[2]

OPENS = """
import asyncio, sys
from pathlib import Path
from app.vault import Vault
async def main():
    vault = Vault(Path(sys.argv[1]), Path(sys.argv[1]) / "backups")
    sys.stdin.readline()
    await vault.open()
    await vault.notes.put(sys.argv[2], b"here")
    print("open", flush=True)
    sys.stdin.readline()
    await vault.close()
asyncio.run(main())
"""


async def another(folder: Path, name: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", OPENS, str(folder), name, cwd=REPOSITORY, stdin=pipe, stdout=pipe, stderr=pipe
    )


async def said(program: asyncio.subprocess.Process, words: str) -> None:
    assert program.stdin is not None
    program.stdin.write(f"{words}\n".encode())
    await program.stdin.drain()


async def test_programs_that_make_the_same_vault_at_once_share_one(tmp_path):
    names = [str(number) for number in range(4)]
    programs = [await another(tmp_path, name) for name in names]
    await asyncio.gather(*(said(program, "go") for program in programs))
    for program in programs:
        assert program.stdout is not None and program.stderr is not None
        assert await program.stdout.readline() == b"open\n", (await program.stderr.read()).decode()
    for program in programs:
        await said(program, "end")
        assert await program.wait() == 0
    vault = vault_at(tmp_path)
    await vault.open()
    assert [await vault.notes.get(name) for name in names] == [b"here"] * 4
    await vault.close()


async def test_what_needs_the_vault_alone_is_refused_while_another_program_has_it(vault, tmp_path):
    folder = tmp_path / "data"
    made = await vault.backups.create()
    program = await another(folder, "x")
    await said(program, "go")
    assert program.stdout is not None
    assert await program.stdout.readline() == b"open\n"
    with pytest.raises(VaultInUseError, match="has the vault open"):
        await vault.rekey(lambda _done, _all: None)
    assert await vault.notes.get("x") == b"here"  # and goes on as before
    with pytest.raises(VaultInUseError):
        await vault.restore(made.path)
    await vault.open()
    program.kill()
    await program.wait()
    await vault.rekey(lambda _done, _all: None)  # the kernel gave its place back
    assert await vault.notes.get("x") == b"here"


async def test_two_programs_keep_each_others_changes_of_the_keys(tmp_path):
    one, other = vault_at(tmp_path), vault_at(tmp_path)
    await one.open()
    await other.open()
    await other.set_passphrase("chosen over there")
    recovery = await one.new_recovery_key()  # must not bring the open key back
    await one.close()
    await other.close()
    with pytest.raises(VaultLockedError):
        await one.open()
    with pytest.raises(WrongPassphraseError):
        await one.open("something else")
    await one.open(recovery)
    await one.close()
    await one.open("chosen over there")
    await one.close()


async def test_a_key_file_copied_before_there_was_a_passphrase_opens_nothing_once_the_data_are_rewritten(tmp_path):
    vault = vault_at(tmp_path)
    await vault.open()
    await vault.notes.put("x", b"here")
    key_file = vault.database.path.parent / "vault.key"
    stolen = KeyFile.read(key_file)
    assert stolen is not None
    await vault.set_passphrase("late, but not too late")
    await vault.rekey(lambda _done, _all: None)
    assert await vault.notes.get("x") == b"here"
    await vault.close()
    await vault.open("late, but not too late")
    await vault.close()
    now, master = KeyFile.read(key_file), stolen.open_unprotected()
    assert now is not None and master is not None
    with pytest.raises(KeyFileError):
        now.data_key(master, 0)
    new_master = now.open_with_passphrase("late, but not too late")
    assert new_master is not None
    assert stolen.data_key(master, 0) != now.data_key(new_master, 0)


async def test_changes_of_the_keys_at_once_are_all_kept(vault):
    recovery, _ = await asyncio.gather(vault.new_recovery_key(), vault.set_passphrase("and this"))
    for secret in (recovery, "and this"):
        await vault.close()
        await vault.open(secret)
        assert vault.state == "open"


async def test_readers_and_the_writer_wait_while_the_data_are_rewritten(vault):
    await vault.sessions.add(conversation("a", *["words"] * 500))

    async def busy(number: int) -> None:
        for turn in range(10):
            await vault.notes.put(f"{number}-{turn}", b"x")
            assert len((await vault.sessions.load("a")).nodes) == 500

    seen: list[tuple[int, int]] = []
    await asyncio.gather(vault.rekey(lambda done, of: seen.append((done, of))), *(busy(number) for number in range(4)))
    assert seen and seen[-1][0] == seen[-1][1]
    assert await vault.notes.get("3-9") == b"x"
    await vault.close()
    await vault.open()
    assert await vault.check() == []


async def test_rewriting_and_backing_up_at_once_wait_for_each_other(vault):
    await vault.sessions.add(conversation("a", *["words"] * 2000))
    work = [vault.backups.create(), vault.rekey(lambda _done, _all: None), vault.backups.create()]
    await asyncio.gather(*work)
    await vault.close()
    await vault.open()
    assert await vault.check() == [] and len(vault.backups.list()) == 2
    assert len((await vault.sessions.load("a")).nodes) == 2000


async def test_a_rewriting_whose_caller_is_cancelled_leaves_an_open_vault(vault):
    await vault.sessions.add(conversation("a", *["words and words"] * 3000))
    rewriting = asyncio.create_task(vault.rekey(lambda _done, _all: None))
    await asyncio.sleep(0.02)
    rewriting.cancel()
    assert len((await vault.sessions.load("a")).nodes) == 3000
    await asyncio.gather(rewriting, return_exceptions=True)
    await vault.notes.put("after", b"it")
    await vault.close()
    await vault.open()
    assert await vault.notes.get("after") == b"it" and await vault.check() == []


async def test_an_opening_that_is_cancelled_can_be_done_again_and_closed(tmp_path):
    vault = vault_at(tmp_path)
    for delay in (0.0, 0.005, 0.02, 0.05, 0.1):
        opening = asyncio.create_task(vault.open())
        await asyncio.sleep(delay)
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        await vault.open()
        await vault.close()
        assert vault.state == "locked"
    alone = UseLock(tmp_path / "vault.lock")
    assert alone.take()  # nothing was left behind
    alone.release()


async def test_locking_keeps_what_was_asked_before(vault):
    writes = [asyncio.create_task(vault.notes.put(str(number), b"kept")) for number in range(50)]
    await asyncio.sleep(0)
    await vault.lock()
    await asyncio.gather(*writes)
    with pytest.raises(VaultLockedError):
        await vault.notes.get("1")
    await vault.open()
    assert [await vault.notes.get(str(number)) for number in range(50)] == [b"kept"] * 50


def test_a_place_is_alone_shared_or_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("app.vault.storage.use_lock._PATIENCE_SECONDS", 0.1)
    one, two, three = (UseLock(tmp_path / "lock") for _ in range(3))
    assert one.take() is True
    with pytest.raises(VaultInUseError, match="rewriting or restoring"):
        two.take()
    one.share()
    assert two.take() is False
    with pytest.raises(VaultInUseError):
        one.take_alone()
    two.release()
    one.take_alone()
    with pytest.raises(VaultInUseError):
        three.take_alone()
    one.share()
    assert three.take() is False  # the refused one left no lock behind
    one.release()
    three.release()
    one.release()
    assert two.take() is True
    two.release()


async def test_everything_of_a_vault_is_for_its_owner_alone(vault, tmp_path):
    await vault.sessions.add(conversation("a", "words"))
    await vault.backups.create()
    await vault.rekey(lambda _done, _all: None)
    await vault.set_passphrase("x")
    assert await everything(vault)
    for path in (tmp_path / "data").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
