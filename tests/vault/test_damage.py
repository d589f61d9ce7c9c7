"""Whatever is wrong with the vault's files: a distinct, clear error, nothing changed, never wrong data."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import (
    KeyFileError,
    NewerVaultError,
    NotAVaultError,
    PlaygroundError,
    VaultDamagedError,
    VaultError,
    VaultLockedError,
    WrongPassphraseError,
)
from app.vault import Vault, WholeSession
from app.vault.keys.keyfile import KeyFile
from app.vault.storage.cipher import PAGE_BYTES, connect
from tests.vault.conftest import everything, fingerprints, vault_at

DATABASE, KEYS = "vault.db", "vault.key"
PER_TEST = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def flip(path: Path, offset: int, bit: int = 0) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 1 << bit
    path.write_bytes(content)


async def refused(folder: Path, passphrase: str | None = None) -> PlaygroundError:
    """The error that opening raises; the files must be as they were."""
    before = fingerprints(folder)
    vault = vault_at(folder)
    with pytest.raises(PlaygroundError) as caught:
        await vault.open(passphrase)
    await vault.close()
    assert fingerprints(folder) == before
    return caught.value


def wrong_passphrase(folder: Path) -> None:
    async def protect() -> None:
        vault = vault_at(folder)
        await vault.open()
        await vault.set_passphrase("the right one")
        await vault.close()

    asyncio.run(protect())


def header(folder: Path) -> None:
    flip(folder / DATABASE, 5)


def first_page(folder: Path) -> None:
    flip(folder / DATABASE, 1000)


def cut_inside_a_page(folder: Path) -> None:
    os.truncate(folder / DATABASE, 3 * PAGE_BYTES + 100)


def cut_between_pages(folder: Path) -> None:
    os.truncate(folder / DATABASE, 3 * PAGE_BYTES)


def emptied(folder: Path) -> None:
    os.truncate(folder / DATABASE, 0)


def no_database(folder: Path) -> None:
    (folder / DATABASE).unlink()


def no_key_file(folder: Path) -> None:
    (folder / KEYS).unlink()


def garbage_key_file(folder: Path) -> None:
    (folder / KEYS).write_bytes(b"\x00garbage")


def key_file_of_another_vault(folder: Path) -> None:
    other = folder.parent / "other"
    other.mkdir()

    async def make() -> None:
        vault = vault_at(other)
        await vault.open()
        await vault.close()

    asyncio.run(make())
    shutil.copy(other / KEYS, folder / KEYS)
    shutil.rmtree(other)


def plain_database(folder: Path) -> None:
    (folder / DATABASE).unlink()
    with sqlite3.connect(folder / DATABASE) as plain:
        plain.execute("CREATE TABLE messages (text TEXT)")
    plain.close()


def newer_schema(folder: Path) -> None:
    keys = KeyFile.read(folder / KEYS)
    assert keys is not None
    master = keys.open_unprotected()
    assert master is not None
    connection = connect(folder / DATABASE, keys.data_key(master, 0))
    connection.execute("PRAGMA user_version = 999")
    connection.close()


WRONG = {
    wrong_passphrase: (WrongPassphraseError, "passphrase does not open"),
    header: (VaultDamagedError, "header of vault.db is damaged"),
    first_page: (VaultDamagedError, "first page of vault.db is damaged"),
    cut_inside_a_page: (VaultDamagedError, "was cut short: it has 12388 bytes"),
    cut_between_pages: (VaultDamagedError, "was cut short: it has 12288 bytes"),
    emptied: (VaultDamagedError, "was cut short: it has 0 bytes"),
    no_database: (VaultDamagedError, "database is gone"),
    no_key_file: (KeyFileError, "vault.key is gone"),
    garbage_key_file: (KeyFileError, "is not a vault's key file"),
    key_file_of_another_vault: (KeyFileError, "belongs to another vault"),
    plain_database: (NotAVaultError, "plain, unencrypted SQLite"),
    newer_schema: (NewerVaultError, "schema version 999"),
}


@pytest.mark.parametrize("spoil", WRONG, ids=lambda spoil: spoil.__name__)
def test_each_wrong_thing_has_its_own_words_and_nothing_is_changed(spoil, copied, capfd):
    spoil(copied)
    error = asyncio.run(refused(copied, "the wrong one"))
    kind, words = WRONG[spoil]
    assert type(error) is kind
    assert words in error.message.replace(f"{copied}/", "")
    assert error.remedy
    assert capfd.readouterr() == ("", "")


def test_no_two_of_them_read_alike():
    assert len({words for _, words in WRONG.values()}) == len(WRONG)


def test_a_passphrase_that_is_missing_is_not_a_wrong_one(copied):
    wrong_passphrase(copied)
    assert isinstance(asyncio.run(refused(copied)), VaultLockedError)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
@pytest.mark.parametrize("name", [DATABASE, KEYS])
def test_files_that_may_not_be_read_are_said_to_be_so(name, copied):
    (copied / name).chmod(0)
    vault = vault_at(copied)
    with pytest.raises(VaultError, match="cannot be read"):
        asyncio.run(vault.open())
    (copied / name).chmod(0o600)


class Expected(dict[str, WholeSession]):
    """What the sound vault holds; in a few words, should a test fail."""

    def __repr__(self) -> str:
        return f"<{len(self)} conversations>"


async def looked_through(folder: Path, expected: dict[str, WholeSession]) -> tuple[list[str], PlaygroundError | None]:
    """What the check says, and the error of reading; what could be read must be what was written."""
    vault = vault_at(folder)
    try:
        await vault.open()
    except PlaygroundError as error:
        return [], error
    failed: PlaygroundError | None = None
    said: list[str] = []
    try:
        for name, whole in expected.items():
            try:
                assert await vault.sessions.load(name) == whole
                await vault.search.messages("lighthouse")
            except VaultDamagedError as error:
                failed = error
        try:
            said = await vault.check()
        except VaultDamagedError as error:
            failed = error
    finally:
        await vault.close()
    return said, failed


async def contents(folder: Path) -> dict[str, WholeSession]:
    vault: Vault = vault_at(folder)
    await vault.open()
    found = await everything(vault)
    await vault.close()
    return found


@pytest.fixture(scope="session")
def expected(sound: Path, tmp_path_factory: pytest.TempPathFactory) -> Expected:
    folder = tmp_path_factory.mktemp("read") / "copy"
    shutil.copytree(sound, folder)
    found = asyncio.run(contents(folder))
    assert len(found) == 6
    return Expected(found)


@PER_TEST
@given(data=st.data())
def test_a_flipped_bit_anywhere_is_found_and_never_read_as_something_else(data, sound, expected, capfd):
    size = (sound / DATABASE).stat().st_size
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "copy"
        shutil.copytree(sound, folder)
        flip(folder / DATABASE, data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, 7)))
        before = fingerprints(folder)
        said, error = asyncio.run(looked_through(folder, expected))
        assert said or isinstance(error, VaultDamagedError)
        assert fingerprints(folder) == before
    assert capfd.readouterr() == ("", "")


def test_every_page_is_covered(sound, expected, tmp_path):
    pages = (sound / DATABASE).stat().st_size // PAGE_BYTES
    for page in range(pages):
        folder = tmp_path / "copy"
        shutil.copytree(sound, folder)
        flip(folder / DATABASE, page * PAGE_BYTES + (page * 37) % PAGE_BYTES)
        said, error = asyncio.run(looked_through(folder, {}))
        assert said or isinstance(error, VaultDamagedError), page
        shutil.rmtree(folder)


@PER_TEST
@given(data=st.data())
def test_a_file_of_any_shorter_length_is_refused_unchanged(data, sound, capfd):
    size = (sound / DATABASE).stat().st_size
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "copy"
        shutil.copytree(sound, folder)
        length = data.draw(
            st.integers(0, size - 1) | st.integers(0, size // PAGE_BYTES - 1).map(lambda n: n * PAGE_BYTES)
        )
        os.truncate(folder / DATABASE, length)
        error = asyncio.run(refused(folder))
        assert isinstance(error, VaultDamagedError)
        assert "cut short" in error.message
    assert capfd.readouterr() == ("", "")


@PER_TEST
@given(content=st.binary(max_size=3000) | st.text(max_size=400).map(str.encode) | st.just(b"{}") | st.just(b"[" * 5000))
def test_garbage_for_a_key_file_is_said_to_be_garbage(content, sound, capfd):
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "copy"
        shutil.copytree(sound, folder)
        (folder / KEYS).write_bytes(content)
        assert isinstance(asyncio.run(refused(folder)), KeyFileError)
    assert capfd.readouterr() == ("", "")


@PER_TEST
@given(data=st.data())
def test_a_changed_key_file_opens_as_before_or_is_said_to_be_changed(data, sound, expected, capfd):
    content = (sound / KEYS).read_bytes()
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "copy"
        shutil.copytree(sound, folder)
        place = data.draw(st.integers(0, len(content) - 1))
        flip(folder / KEYS, place, data.draw(st.integers(0, 7)))
        _said, error = asyncio.run(looked_through(folder, expected))
        assert error is None or isinstance(error, KeyFileError)
    assert capfd.readouterr() == ("", "")


def test_a_key_file_damaged_behind_a_passphrase_does_not_pass_for_a_wrong_passphrase(copied):
    wrong_passphrase(copied)
    keys = copied / KEYS
    spoiled = keys.read_text().replace('"vault_id": "', '"vault_id": "0', 1)
    keys.write_text(spoiled)
    assert isinstance(asyncio.run(refused(copied, "the right one")), KeyFileError)


def test_a_wrong_key_file_leaves_a_log_that_was_not_folded_in_as_it_is(copied, tmp_path):
    # Killed with a write-ahead log beside the database; then somebody puts another vault's key file there.
    keys = KeyFile.read(copied / KEYS)
    assert keys is not None
    master = keys.open_unprotected()
    assert master is not None
    writing = connect(copied / DATABASE, keys.data_key(master, 0))
    writing.execute("INSERT INTO state (name, value) VALUES ('a', 'b')")
    left = tmp_path / "left"
    shutil.copytree(copied, left)  # as a kill leaves it: the connection is open, nothing folded in
    writing.close()
    assert (left / f"{DATABASE}-wal").stat().st_size
    key_file_of_another_vault(left)
    names = (DATABASE, f"{DATABASE}-wal", KEYS)
    before = [(left / name).read_bytes() for name in names]
    with pytest.raises(KeyFileError, match="another vault"):
        asyncio.run(vault_at(left).open())
    assert [(left / name).read_bytes() for name in names] == before
