"""Opening the vault, and what guards it, on real vaults, driven with keys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.widgets import Input, Static

from app.errors import KeyringError, PlaygroundError, VaultLockedError, WrongPassphraseError
from app.tui.error_card import ErrorCard
from app.tui.unlock.notice import ProtectionNotice, protection_words
from app.tui.unlock.passphrase_dialog import PassphraseDialog
from app.tui.unlock.recovery_key import RecoveryOffer
from app.tui.unlock.remove_passphrase import RemovePassphraseDialog
from app.tui.unlock.screen import UnlockScreen
from app.tui.unlock.strength import bits, strength
from app.vault import Vault

from .conftest import until
from .vault_app import SmallApp, a_vault, conversation, pane_of

PASSPHRASE = "tin boat"


async def protected(vault: Vault) -> None:
    await vault.open()
    await vault.sessions.add(conversation(1, "Kept", 0.0, "Hello"))
    await vault.set_passphrase(PASSPHRASE)


async def locked(vault: Vault) -> None:
    await protected(vault)
    await vault.lock()


async def unprotected(vault: Vault) -> None:
    await vault.open()


@asynccontextmanager
async def running(
    vault: Any, build: Callable[[Any], Any], fill: Any = None
) -> AsyncIterator[tuple[SmallApp, Pilot[Any]]]:
    app = SmallApp(vault, build, fill)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: app.ready and len(app.screen_stack) == 2)
        await pilot.pause()
        yield app, pilot
    assert app.faults == []


def text(app: SmallApp, selector: str) -> str:
    return str(app.screen.query_one(selector, Static).render())


def keys(words: str) -> list[str]:
    return ["space" if letter == " " else "minus" if letter == "-" else letter for letter in words]


# The unlock screen


async def test_the_passphrase_opens_the_vault(tmp_path: Path) -> None:
    async with running(a_vault(tmp_path), UnlockScreen, locked) as (app, pilot):
        assert app.vault.state == "locked"
        await pilot.press(*keys(PASSPHRASE), "enter")
        await until(lambda: app.answers == [True])
        assert app.vault.state == "open"


async def test_a_wrong_passphrase_is_one_clear_line_and_the_field_is_empty_again(tmp_path: Path) -> None:
    async with running(a_vault(tmp_path), UnlockScreen, locked) as (app, pilot):
        before = {path: path.read_bytes() for path in (tmp_path / "data").iterdir() if path.is_file()}
        await pilot.press(*keys("something else"), "enter")
        await until(lambda: "does not open" in text(app, "#unlock-note"))
        assert "\n" not in text(app, "#unlock-note")
        assert app.screen.query_one(Input).value == ""
        assert app.vault.state == "locked"
        assert before == {path: path.read_bytes() for path in (tmp_path / "data").iterdir() if path.is_file()}
        await pilot.press(*keys(PASSPHRASE[:1]))
        assert text(app, "#unlock-note") == ""
        await pilot.press(*keys(PASSPHRASE[1:]), "enter")
        await until(lambda: app.answers == [True])


async def test_a_recovery_key_opens_it_in_the_same_field(tmp_path: Path) -> None:
    made: list[str] = []

    async def with_recovery(vault: Vault) -> None:
        await protected(vault)
        made.append(await vault.new_recovery_key())
        await vault.lock()

    async with running(a_vault(tmp_path), UnlockScreen, with_recovery) as (app, pilot):
        app.screen.query_one(Input).value = made[0].lower().replace("-", " ")
        await pilot.press("enter")
        await until(lambda: app.answers == [True])
        await until(lambda: app.said == ["/passphrase sets a new one."])


async def test_what_is_typed_is_dots_and_reaches_no_clipboard(tmp_path: Path) -> None:
    async with running(a_vault(tmp_path), UnlockScreen, locked) as (app, pilot):
        await pilot.press(*keys("secret"), "ctrl+a", "ctrl+x")
        assert "secret" not in app.export_screenshot()
        assert app.copied == []
        assert app.clipboard == ""
        assert app.screen.query_one(Input).value == "secret"
        await pilot.press("ctrl+c")
        assert app.screen.query_one(Input).value == ""
        assert app.copied == []
        await pilot.press(*keys("secret"), "escape")
        assert app.screen.query_one(Input).value == ""


async def test_nothing_of_what_lies_below_shines_through(tmp_path: Path) -> None:
    class Below(SmallApp):
        async def on_mount(self) -> None:
            self.query_one("#panes").mount(Static("the conversation of yesterday " * 40))

    app = Below(a_vault(tmp_path), UnlockScreen, locked)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: len(app.screen_stack) == 2)
        await pilot.pause()
        assert "yesterday" not in app.export_screenshot()


async def test_a_vault_that_is_damaged_says_so_and_can_be_tried_again_when_it_is_mended(tmp_path: Path) -> None:
    async with running(a_vault(tmp_path), UnlockScreen, locked) as (app, pilot):
        database = tmp_path / "data" / "vault.db"
        whole = database.read_bytes()
        database.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
        await pilot.press(*keys(PASSPHRASE), "enter")
        await until(lambda: bool(app.screen.query(ErrorCard)))
        assert "damaged" in str(app.screen.query_one(ErrorCard).render())
        assert not app.screen.query_one(Input).display
        database.write_bytes(whole)
        await pilot.press("ctrl+r")
        await until(lambda: bool(app.screen.query_one(Input).display))
        assert not app.screen.query(ErrorCard)
        await pilot.press(*keys(PASSPHRASE), "enter")
        await until(lambda: app.answers == [True])


class Refusing:
    """A vault that cannot be opened."""

    state = "locked"
    protection = "passphrase"

    def __init__(self, *errors: PlaygroundError) -> None:
        self._errors = list(errors)
        self.given: list[str | None] = []

    async def open(self, passphrase: str | None = None) -> None:
        self.given.append(passphrase)
        if self._errors:
            raise self._errors.pop(0)

    async def close(self) -> None:
        pass


async def test_a_keyring_without_the_key_leaves_the_field_for_the_recovery_key() -> None:
    error = KeyringError("The keyring does not have the key of this vault.", "Unlock the keyring.")
    vault = Refusing(WrongPassphraseError("This is not a recovery key."))
    async with running(vault, lambda vault: UnlockScreen(vault, error)) as (app, pilot):
        assert "keyring" in str(app.screen.query_one(ErrorCard).render())
        assert app.screen.query_one(Input).has_focus
        await pilot.press("x", "enter")
        await until(lambda: "not a recovery key" in text(app, "#unlock-note"))
        await pilot.press("y", "enter")
        await until(lambda: app.answers == [True])
        assert vault.given == ["x", "y"]


async def test_a_locked_vault_is_no_error() -> None:
    async with running(Refusing(), lambda vault: UnlockScreen(vault, VaultLockedError("Locked."))) as (app, _):
        assert not app.screen.query(ErrorCard)


async def test_a_fault_of_the_program_is_reported_and_the_field_still_works() -> None:
    class Odd(Refusing):
        async def open(self, passphrase: str | None = None) -> None:
            if not self.given:
                self.given.append(passphrase)
                raise RuntimeError("odd")

    app = SmallApp(Odd(), UnlockScreen)
    async with app.run_test() as pilot:
        await until(lambda: len(app.screen_stack) == 2)
        await pilot.pause()
        await pilot.press("x", "enter")
        await until(lambda: len(app.faults) == 1)
        await pilot.press("x", "enter")
        await until(lambda: app.answers == [True])


async def test_what_a_program_types_falls_into_both_fields(tmp_path: Path) -> None:
    """A password manager writes passphrase, Tab, passphrase and Enter without waiting for anything."""
    vault = a_vault(tmp_path)
    async with running(vault, PassphraseDialog, unprotected) as (app, pilot):
        for key in [*"tinboats", "tab", *"tinboats"]:
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await pilot.pause()
        assert [field.value for field in app.screen.query(Input)] == ["tinboats", "tinboats"]


async def test_the_palette_stays_shut_until_the_vault_is_open(tmp_path: Path) -> None:
    async with running(a_vault(tmp_path), UnlockScreen, locked) as (app, pilot):
        await pilot.press("ctrl+p")
        await pilot.pause()
        assert isinstance(app.screen, UnlockScreen)
        await pilot.press(*keys(PASSPHRASE), "enter")
        await until(lambda: app.answers == [True])
        await pilot.pause()
        await pilot.press("ctrl+p")
        await until(lambda: isinstance(app.screen, CommandPalette))


async def test_ctrl_q_leaves(tmp_path: Path) -> None:
    async with running(Refusing(), UnlockScreen) as (app, pilot):
        await pilot.press("ctrl+q")
        await until(lambda: not app.is_running)


# Setting, changing, removing


async def test_a_passphrase_is_set_and_a_recovery_key_made_shown_once_and_copied(tmp_path: Path) -> None:
    async with running(a_vault(tmp_path), PassphraseDialog, unprotected) as (app, pilot):
        await pilot.press(*keys(PASSPHRASE), "enter", *keys(PASSPHRASE), "enter")
        await until(lambda: isinstance(app.screen, RecoveryOffer))
        assert app.answers == [True]
        assert app.vault.protection == "passphrase"
        await pilot.pause()
        await pilot.press("y")
        await until(lambda: app.screen.has_class("-made"))
        await pilot.press("c")
        key = app.copied[0]
        assert text(app, "#recovery-key").replace("\n", "") == key
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, RecoveryOffer)
        await pilot.press("enter")
        await until(lambda: len(app.screen_stack) == 1)
        await app.vault.lock()
        with pytest.raises(VaultLockedError):
            await app.vault.open()
        await app.vault.open(PASSPHRASE)
        await app.vault.lock()
        await app.vault.open(key)


async def test_two_that_differ_or_are_too_short_change_nothing(tmp_path: Path) -> None:
    async with running(a_vault(tmp_path), PassphraseDialog, protected) as (app, pilot):
        await pilot.press("enter", *keys("not this one"), "enter", *keys("tin"), "enter")
        assert "8 characters at least" in text(app, "#strength")
        await pilot.press(*keys(" boats"), "enter", *keys("b"), "enter")
        assert "differ" in text(app, "#strength")
        await pilot.press(*keys("tin boats"), "enter")
        await until(lambda: "does not open the vault. Nothing was changed." in text(app, "#strength"))
        assert app.focused.id == "now"
        assert len(app.screen_stack) == 2
        await pilot.press("escape")
        await until(lambda: app.answers == [None])
        await app.vault.lock()
        await app.vault.open(PASSPHRASE)


async def test_a_change_leaves_the_earlier_passphrase_without_use(tmp_path: Path) -> None:
    async with running(a_vault(tmp_path), PassphraseDialog, protected) as (app, pilot):
        assert "Change the passphrase" in text(app, ".title")
        await pilot.press(*keys(PASSPHRASE), "enter", *keys("new boat"), "tab", *keys("new boat"), "enter")
        await until(lambda: isinstance(app.screen, RecoveryOffer))
        await pilot.press("n")
        await until(lambda: len(app.screen_stack) == 1)
        await app.vault.lock()
        with pytest.raises(WrongPassphraseError):
            await app.vault.open(PASSPHRASE)
        await app.vault.open("new boat")


async def test_the_passphrase_is_removed_by_who_knows_it_alone(tmp_path: Path) -> None:
    async with running(a_vault(tmp_path), RemovePassphraseDialog, protected) as (app, pilot):
        recovery_key = await app.vault.new_recovery_key()
        for wrong in ((), keys("y"), keys("not this one")):
            await pilot.press(*wrong, "enter")
            await until(lambda: "Nothing was changed." in text(app, "#remove-note"))
            app.screen.query_one("#remove-note", Static).update("")
        assert app.vault.protection == "passphrase"
        await pilot.press(*keys(recovery_key.lower()), "enter")
        await until(lambda: app.answers == [True])
        assert app.vault.protection == "file"
        await app.vault.lock()
        await app.vault.open()


async def test_escape_keeps_the_passphrase(tmp_path: Path) -> None:
    async with running(a_vault(tmp_path), RemovePassphraseDialog, protected) as (app, pilot):
        await pilot.press(*keys("n"), "escape")
        await until(lambda: len(app.answers) == 1)
        assert app.vault.protection == "passphrase"


async def test_a_newer_recovery_key_says_that_the_earlier_one_is_void(tmp_path: Path) -> None:
    async def with_recovery(vault: Vault) -> None:
        await protected(vault)
        await vault.new_recovery_key()

    async with running(a_vault(tmp_path), RecoveryOffer, with_recovery) as (app, _):
        assert "no longer" in text(app, "#recovery-words")


# What is said


async def test_the_pane_says_when_no_passphrase_guards_the_vault(tmp_path: Path) -> None:
    app = SmallApp(a_vault(tmp_path), pane_of, unprotected)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: app.ready)
        notice = app.pane.query_one(ProtectionNotice)
        await until(lambda: bool(notice.display))
        assert "^p → Set a passphrase" in str(notice.render())
        await app.vault.set_passphrase(PASSPHRASE)
        await until(lambda: not notice.display)
        await pilot.pause()


def test_only_a_vault_that_nothing_guards_is_spoken_of() -> None:
    assert protection_words("file", "^p") == "Not protected by a passphrase: ^p → Set a passphrase"
    assert protection_words("passphrase") == protection_words("keyring") == protection_words(None) == ""


@pytest.mark.parametrize(
    ("passphrase", "grade"),
    [
        ("", "short"),
        ("1234567", "short"),
        ("12345678", "weak"),
        ("aaaaaaaaaaaaaaaa", "weak"),
        ("abcdefghijklmnop", "weak"),
        ("password", "weak"),
        ("Password1!", "weak"),
        ("Sunflower2024", "weak"),
        ("correct horse", "weak"),
        ("correct horse battery staple", "fair"),
        ("correct horse battery staple window", "strong"),
        ("x7#Qm2!vR9", "fair"),
        ("x7#Qm2!vR9pLw4", "strong"),
    ],
)
def test_strength_is_said_plainly(passphrase: str, grade: str) -> None:
    assert strength(passphrase).grade == grade


def test_more_of_the_same_never_makes_a_passphrase_weaker() -> None:
    words = ["the", "tin", "boat", "sails", "west"]
    found = [bits(" ".join(words[:count])) for count in range(2, 6)]
    assert found == sorted(found)
