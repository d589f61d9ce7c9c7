"""The unlock screen and the dialogs of the vault, as pictures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from app.errors import (
    KeyFileError,
    KeyringError,
    NewerVaultError,
    NotAVaultError,
    PlaygroundError,
    VaultDamagedError,
    WrongPassphraseError,
)
from app.tui.unlock.passphrase_dialog import PassphraseDialog
from app.tui.unlock.recovery_key import RecoveryOffer
from app.tui.unlock.remove_passphrase import RemovePassphraseDialog
from app.tui.unlock.screen import UnlockScreen

from .conftest import until
from .test_unlock import Refusing, keys
from .vault_app import SmallApp

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
Step = Callable[[Pilot[Any]], Awaitable[None]]

ERRORS: dict[str, PlaygroundError] = {
    "damaged": VaultDamagedError(
        "Some of vault.db is not what was written (database disk image is malformed).",
        "Bring a backup back with `playground backup restore`; `playground backup list` shows what there is.",
    ),
    "not-a-vault": NotAVaultError(
        "vault.db is a plain, unencrypted SQLite database. Playground keeps nothing in such a file.",
        "Move it away; Playground then makes a new vault, or restore a backup.",
    ),
    "newer": NewerVaultError(
        "The vault was written by a later version of Playground (schema 7; this one knows 1).",
        "Use the newer Playground. The file was not touched.",
    ),
    "key-file": KeyFileError(
        "vault.key is not the key file of vault.db: it belongs to another vault.",
        "Bring back the vault.key that was beside this database, from a backup perhaps.",
    ),
    "keyring": KeyringError(
        "The system's keyring (SecretService Keyring) does not have the key of this vault.",
        "Unlock the keyring, or log in to the desktop that it belongs to; or open the vault with its recovery key.",
    ),
}


class Settled(Refusing):
    """A vault whose keys are always the same."""

    has_recovery_key = False

    async def new_recovery_key(self) -> str:
        return "K7QMA-2XWPE-5RTDN-J4VHC-Z6YBU-3GSLF-QA7NX-M2PKD"

    async def set_passphrase(self, passphrase: str) -> None:
        self.given.append(passphrase)


@pytest.fixture
def picture(snap_compare: Any, tmp_path: Path) -> Callable[..., None]:
    def compare(
        size: tuple[int, int], build: Any, *steps: Step, vault: Any = None, theme: str = "playground-dark"
    ) -> None:
        app = SmallApp(vault or Settled(), build, theme=theme)

        async def run(pilot: Pilot[Any]) -> None:
            await until(lambda: app.ready and len(app.screen_stack) == 2)
            await pilot.pause()
            for field in app.screen.query(Input):
                field.cursor_blink = False
            for step in steps:
                await step(pilot)
            await pilot.pause(0.1)

        assert snap_compare(app, terminal_size=size, run_before=run)

    return compare


def press(*pressed: str) -> Step:
    async def step(pilot: Pilot[Any]) -> None:
        await pilot.press(*pressed)
        await pilot.pause(0.1)

    return step


@SIZES
def test_locked(picture: Any, size: Any) -> None:
    picture(size, UnlockScreen, press(*"typing"))


@pytest.mark.parametrize("theme", ["light", "high-contrast", "terminal"])
def test_themes(picture: Any, theme: str) -> None:
    picture((80, 24), lambda vault: UnlockScreen(vault, ERRORS["keyring"]), theme=f"playground-{theme}")


def test_recovery_key_in_sixteen_colours(picture: Any) -> None:
    picture((80, 24), RecoveryOffer, press("y"), theme="playground-terminal")


@SIZES
def test_wrong(picture: Any, size: Any) -> None:
    error = WrongPassphraseError("The passphrase does not open the vault.", "Nothing was changed. Try again.")
    picture(size, UnlockScreen, press(*"typing", "enter"), vault=Settled(error))


@SIZES
@pytest.mark.parametrize("name", list(ERRORS))
def test_errors(picture: Any, size: Any, name: str) -> None:
    picture(size, lambda vault: UnlockScreen(vault, ERRORS[name]))


@SIZES
@pytest.mark.parametrize("typed", ["", "password", "a tin boat sails far west"], ids=["none", "weak", "strong"])
def test_setting(picture: Any, size: Any, typed: str) -> None:
    vault = Settled()
    vault.protection = "file"
    picture(size, PassphraseDialog, press(*keys(typed)), vault=vault)


@SIZES
def test_differing(picture: Any, size: Any) -> None:
    picture(size, PassphraseDialog, press(*keys("old one"), "tab", *keys("tin boat"), "tab", *keys("wrong"), "enter"))


@SIZES
def test_recovery_offer(picture: Any, size: Any) -> None:
    picture(size, RecoveryOffer)


@SIZES
def test_recovery_key(picture: Any, size: Any) -> None:
    picture(size, RecoveryOffer, press("y"), press("c"))


@SIZES
def test_removing(picture: Any, size: Any) -> None:
    picture(size, RemovePassphraseDialog)
