"""Keys: what seals them, what opens them, and what the key file says."""

from __future__ import annotations

import os

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import DiskFullError, KeyFileError, VaultError, WrongPassphraseError
from app.vault.keys import wrapping
from app.vault.keys.keyfile import KeyFile
from app.vault.keys.wrapping import (
    KEY_BYTES,
    Stretching,
    looks_like_recovery_key,
    new_key,
    new_recovery_key,
    recovery_wrapping_key,
    seal,
    unseal,
)
from app.vault.storage import files
from app.vault.storage.files import write_whole


def complete() -> tuple[KeyFile, bytes]:
    keys, master = KeyFile.new()
    return keys.unprotected(master).with_data_key(master, new_key(), os.urandom(16)), master


@given(secret=st.binary(max_size=100), flip=st.integers(0, 10_000))
def test_what_is_sealed_opens_with_its_key_and_purpose_and_unchanged_alone(secret, flip):
    key = new_key()
    sealed = seal(secret, key, "use")
    assert unseal(sealed, key, "use") == secret
    assert unseal(sealed, key, "another use") is None
    assert unseal(sealed, new_key(), "use") is None
    changed = bytearray(sealed)
    changed[flip % len(sealed)] ^= 1
    assert unseal(bytes(changed), key, "use") is None
    assert unseal(sealed[:11], key, "use") is None
    assert seal(secret, key, "use") != sealed  # a nonce is never used twice


def test_a_passphrase_is_the_same_on_every_keyboard():
    cheap = Stretching(b"s" * 16, passes=1, memory_kib=64, lanes=1)
    assert cheap.key_from("caf\u00e9") == cheap.key_from("cafe\u0301")
    assert cheap.key_from("ﬁ") == cheap.key_from("fi")
    assert cheap.key_from("a") != cheap.key_from("A")
    assert len(cheap.key_from("\udcff half a character")) == KEY_BYTES


@pytest.mark.full_cost
def test_a_guess_costs_three_passes_over_64_mebibytes():
    fresh = Stretching.fresh()
    assert (fresh.passes, fresh.memory_kib, fresh.lanes) == (3, 64 * 1024, 1)
    assert Stretching.fresh().salt != fresh.salt


def test_a_recovery_key_is_read_however_it_is_typed_and_slips_are_noticed():
    recovery = new_recovery_key()
    assert [len(group) for group in recovery.split("-")] == [5] * 8
    key = recovery_wrapping_key(recovery)
    for typed in (
        recovery.lower(),
        recovery.replace("-", ""),
        f"  {recovery.replace('-', ' ')}\n",
        recovery.replace("O", "0"),
    ):
        assert looks_like_recovery_key(typed) and recovery_wrapping_key(typed) == key
    for place, letter in enumerate(recovery):
        if letter == "-":
            continue
        slip = recovery[:place] + ("A" if letter != "A" else "C") + recovery[place + 1 :]
        assert not looks_like_recovery_key(slip)
    with pytest.raises(WrongPassphraseError, match="eight groups"):
        recovery_wrapping_key("a passphrase")


@given(st.text(max_size=60))
def test_hardly_anything_looks_like_a_recovery_key(typed):
    assert not looks_like_recovery_key(typed)


def test_each_way_opens_the_same_master_key_and_no_other_secret_does():
    keys, master = complete()
    recovery, ring = new_recovery_key(), new_key()
    keys = keys.with_recovery(master, recovery).with_keyring(master, ring).with_passphrase(master, "right")
    assert keys.ways() == {"passphrase", "keyring", "recovery"}
    assert (
        keys.open_with_passphrase("right")
        == keys.open_with_keyring(ring)
        == keys.open_with_recovery(recovery)
        == master
    )
    assert keys.open_with_passphrase("wrong") is None and keys.open_with_keyring(new_key()) is None
    assert keys.open_with_recovery(new_recovery_key()) is None and keys.open_unprotected() is None
    other, _ = complete()
    stolen = msgspec.structs.replace(other, wrapped=keys.wrapped)
    assert stolen.open_with_passphrase("right") is None  # what is wrapped for one vault is of no use in another


def test_a_passphrase_ends_the_open_key_and_none_brings_it_back():
    keys, master = complete()
    protected = keys.with_passphrase(master, "x")
    assert protected.ways() == {"passphrase"} and master not in msgspec.json.encode(protected)
    assert protected.unprotected(master).ways() == {"file"}
    with pytest.raises(WrongPassphraseError, match="at least one letter"):
        keys.with_passphrase(master, "")


def test_the_newest_data_key_is_tried_first_and_the_rest_can_be_forgotten():
    keys, master = complete()
    first, second = keys.data_key(master, 0), new_key()
    both = keys.with_data_key(master, second, b"s" * 16)
    assert [both.data_key(master, place) for place in range(2)] == [second, first]
    assert both.preferring(1).data_key(master, 0) == first
    assert both.only_data_key(0).data_key(master, 0) == second
    with pytest.raises(KeyFileError, match="does not fit"):
        both.data_key(new_key(), 0)


def test_a_key_file_comes_back_as_it_was_written_for_its_owner_alone(tmp_path):
    keys, master = complete()
    path = tmp_path / "vault.key"
    keys.write(path)
    found = KeyFile.read(path)
    assert found is not None and found.open_unprotected() == master and found.data_keys == keys.data_keys
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["vault.key"]
    assert KeyFile.read(tmp_path / "none") is None


def test_a_key_file_of_a_later_format_is_said_to_be_so(tmp_path):
    keys, _ = complete()
    path = tmp_path / "vault.key"
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(keys, format=2)))
    with pytest.raises(KeyFileError, match="format 2"):
        KeyFile.read(path)


@settings(max_examples=200)
@given(st.binary(max_size=2000))
def test_no_bytes_make_reading_a_key_file_fail_in_another_way(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.key"
    path.write_bytes(content)
    with pytest.raises(KeyFileError):
        KeyFile.read(path)


def test_a_file_that_cannot_be_replaced_is_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "small"
    write_whole(path, b"before")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(files.os, "fsync", full)
        with pytest.raises(DiskFullError, match="no room on the disk for small"):
            write_whole(path, b"after")
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("small", b"before")]
    with pytest.raises(VaultError, match="cannot be written"):
        write_whole(tmp_path / "no folder" / "x", b"")


def test_nothing_secret_is_in_what_an_error_says():
    secret = "my secret words"
    with pytest.raises(WrongPassphraseError) as caught:
        wrapping.recovery_wrapping_key(secret)
    assert secret not in str(caught.value)
