"""The vault is opened, locked when that is wished, and locked when nobody is there."""

from __future__ import annotations

from typing import Any

import pytest

from app.errors import VaultError, VaultLockedError
from app.tui.guard import Guard


class Box:
    """As much of a vault as its lock needs, and who shows it."""

    def __init__(self, protection: str) -> None:
        self.protection = protection
        self.state = "locked"
        self.told: list[str] = []
        self.now = 0.0

    async def open(self) -> None:
        if self.protection == "passphrase":
            raise VaultLockedError("It needs a passphrase.")
        self.state = "open"

    async def lock(self) -> None:
        self.told.append("locked")
        self.state = "locked"

    async def unlock(self, error: VaultError) -> None:
        self.told.append("unlocked")
        self.state = "open"

    async def opened(self) -> None:
        self.told.append(f"opened, {self.state}")

    async def closing(self) -> None:
        self.told.append(f"closing, {self.state}")

    def notify(self, words: str, **_options: Any) -> None:
        self.told.append(words)


def guard(box: Any, after: float = 60.0) -> Guard:
    return Guard(box, box, after, box.notify, lambda: box.now)


async def test_locking_hides_everything_first_and_asks_for_the_passphrase_afterwards() -> None:
    box = Box("passphrase")
    lock = guard(box)
    await lock.open()
    assert box.told == ["unlocked", "opened, open"]
    box.told.clear()
    await lock.lock()
    assert box.told == ["closing, open", "locked", "unlocked", "opened, open"]


async def test_without_a_passphrase_locking_is_refused_with_a_word() -> None:
    box = Box("file")
    lock = guard(box)
    await lock.open()
    await lock.lock()
    assert box.told[-1].startswith("Locking needs a passphrase") and box.state == "open"
    box.now = 1000
    assert not lock.unattended


@pytest.mark.parametrize(("after", "unattended"), [(60, True), (61, False), (0, False)])
async def test_it_is_unattended_after_the_seconds_of_the_settings(after: float, unattended: bool) -> None:
    box = Box("passphrase")
    lock = guard(box, after)
    box.now = 100
    await lock.open()  # a passphrase was typed just now
    box.now = 160
    assert lock.unattended is unattended
    lock.used()
    assert not lock.unattended


async def test_what_cannot_be_hidden_leaves_it_unlocked_and_lockable() -> None:
    box = Box("passphrase")
    lock = guard(box)
    await lock.open()
    hide = box.closing

    async def fail() -> None:
        raise VaultError("The disk is full.")

    box.closing = fail  # type: ignore[method-assign]
    with pytest.raises(VaultError):
        await lock.lock()
    box.closing = hide  # type: ignore[method-assign]
    await lock.lock()
    assert "locked" in box.told
