"""The operating system's keyring as the way to open a vault, and what happens when it fails."""

from __future__ import annotations

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError, PasswordSetError

from app.errors import KeyringError, VaultLockedError
from tests.vault.conftest import fingerprints, vault_at


class Ring(KeyringBackend):
    """A keyring in memory, which can be broken."""

    priority = 5  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.refuses = self.forgets = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.refuses:
            raise RuntimeError("the keyring is closed")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.refuses:
            raise PasswordSetError("no")
        if not self.forgets:
            self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("not there")


@pytest.fixture
def ring():
    before = keyring.get_keyring()
    made = Ring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


@pytest.fixture
async def guarded(ring, tmp_path):
    vault = vault_at(tmp_path)
    await vault.open()
    await vault.use_keyring()
    await vault.notes.put("a", b"b")
    await vault.close()
    yield vault
    await vault.close()


async def test_the_keyring_opens_it_and_nothing_on_the_disk_does(guarded, ring):
    await guarded.open()
    assert guarded.protection == "keyring" and await guarded.notes.get("a") == b"b"
    await guarded.close()
    kept, ring.kept = ring.kept, {}
    with pytest.raises(KeyringError, match="does not have the key"):
        await guarded.open()
    ring.kept = kept
    await guarded.open()


async def test_another_desktop_or_a_closed_keyring_is_said_so_and_a_recovery_key_opens(guarded, ring, tmp_path):
    await guarded.open()
    recovery = await guarded.new_recovery_key()
    await guarded.close()
    ring.refuses = True
    before = fingerprints(tmp_path)
    with pytest.raises(KeyringError, match="recovery key"):
        await guarded.open()
    assert fingerprints(tmp_path) == before
    await guarded.open(recovery)
    assert await guarded.notes.get("a") == b"b"


async def test_with_a_passphrase_as_well_a_missing_keyring_asks_for_it(guarded, ring):
    await guarded.open()
    await guarded.set_passphrase("words")
    await guarded.close()
    await guarded.open()
    await guarded.close()
    ring.kept = {}
    with pytest.raises(VaultLockedError, match="keyring does not have"):
        await guarded.open()
    await guarded.open("words")


@pytest.mark.parametrize("fault", ["refuses", "forgets"])
async def test_a_keyring_that_does_not_keep_the_key_is_not_relied_on(vault, ring, fault):
    setattr(ring, fault, True)
    with pytest.raises(KeyringError):
        await vault.use_keyring()
    await vault.close()
    await vault.open()
    assert vault.protection == "file"
