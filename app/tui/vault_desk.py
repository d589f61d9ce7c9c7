"""What the interface does with the vault: opens it, locks it, guards it while nobody is there, backs it up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from app.errors import PlaygroundError, VaultError

if TYPE_CHECKING:
    from app.playground import Playground
    from app.tui.guarded import GuardedFace


class VaultDesk:
    """The vault of one interface.

    Args:
        app: whose chat and list show what the vault holds.
    """

    def __init__(self, app: GuardedFace, playground: Playground) -> None:
        self._app, self._playground = app, playground
        self._used_at = time.monotonic()
        self._changing = False

    def used(self) -> None:
        """The person is there."""
        self._used_at = time.monotonic()

    async def open(self) -> None:
        """Opens the vault, asking for the passphrase when one is needed, and shows what was open last."""
        vault = self._playground.vault
        try:
            await vault.open()
        except VaultError as error:
            from .unlock.screen import UnlockScreen

            await self._app.push_screen(UnlockScreen(vault, error), wait_for_dismiss=True)
        self.used()
        await self._app.vault_opened()
        self._app.run_worker(self._daily_backup(), group="backup", exit_on_error=False)

    @property
    def can_lock(self) -> bool:
        """Whether locking would keep anybody out."""
        return self._playground.vault.state == "open" and self._playground.vault.protection == "passphrase"

    async def lock(self) -> None:
        """Forgets the keys and everything on the screen; the passphrase brings both back."""
        if self._changing:
            return
        if not self.can_lock:
            self._app.notify("Locking needs a passphrase: /passphrase sets one.", severity="warning")
            return
        self._changing = True
        try:
            while len(self._app.screen_stack) > 1:
                await self._app.pop_screen()
            await self._app.vault_closing()
            await self._playground.vault.lock()
        finally:
            self._changing = False
        await self.open()

    async def lock_when_idle(self, busy: bool) -> None:
        """Locks when nobody has touched a key for as long as the settings say."""
        after = self._playground.settings.vault.lock_after_s
        idle = time.monotonic() - self._used_at
        if after and idle >= after and not busy and not self._changing and self.can_lock:
            await self.lock()

    async def backup(self) -> None:
        """Makes a backup now, and says where it is."""
        try:
            made = await self._playground.vault.backups.create("manual")
        except PlaygroundError as error:
            self._app.notify_error(error)
        else:
            self._app.notify(f"{made.path.name}, in {made.path.parent}", title="Backed up", markup=False)

    async def _daily_backup(self) -> None:
        vault = self._playground.vault
        if not self._playground.settings.vault.daily_backup or not await vault.sessions.newest():
            return
        try:
            await vault.backups.create_daily()
        except PlaygroundError as error:
            self._app.notify_error(error)

    def choose_passphrase(self) -> None:
        """Opens the dialog that sets or changes the passphrase."""
        from .unlock.passphrase_dialog import PassphraseDialog

        if self._playground.vault.state == "open":
            self._app.push_screen(PassphraseDialog(self._playground.vault), self._passphrase_chosen)

    def remove_passphrase(self) -> None:
        """Opens the dialog that takes the passphrase away."""
        from .unlock.remove_passphrase import RemovePassphraseDialog

        if self.can_lock:
            self._app.push_screen(RemovePassphraseDialog(self._playground.vault), self._passphrase_chosen)
        elif self._playground.vault.state == "open":
            self._app.notify("The vault has no passphrase: there is none to remove.")

    def make_recovery_key(self) -> None:
        """Makes a recovery key and shows it, once."""
        from .unlock.recovery_key import RecoveryOffer

        if self._playground.vault.state == "open":
            self._app.push_screen(RecoveryOffer(self._playground.vault))

    def _passphrase_chosen(self, _done: bool | None) -> None:
        self._app.protection_changed()
