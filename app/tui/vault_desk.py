"""What a person asks of the vault: who it opens for, a recovery key, a backup."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.errors import PlaygroundError

if TYPE_CHECKING:
    from app.playground import Playground
    from app.tui.face import Face


class VaultDesk:
    """The dialogs around the vault, and its backups.

    Args:
        app: over which the dialogs lie.
        protection_changed: told when there is a passphrase now, or none any more.
    """

    def __init__(self, app: Face, playground: Playground, protection_changed: Callable[[], None]) -> None:
        self._app, self._protection_changed = app, protection_changed
        self._vault, self._settings = playground.vault, playground.settings.vault

    def choose_passphrase(self) -> None:
        """Opens the dialog that sets or changes the passphrase."""
        from .unlock.passphrase_dialog import PassphraseDialog

        if self._vault.state == "open":
            self._app.push_screen(PassphraseDialog(self._vault), lambda _: self._protection_changed())

    def remove_passphrase(self) -> None:
        """Opens the dialog that takes the passphrase away."""
        from .unlock.remove_passphrase import RemovePassphraseDialog

        if self._vault.state != "open":
            return
        if self._vault.protection == "passphrase":
            self._app.push_screen(RemovePassphraseDialog(self._vault), lambda _: self._protection_changed())
        else:
            self._app.notify("The vault has no passphrase: there is none to remove.")

    def make_recovery_key(self) -> None:
        """Makes a recovery key and shows it, once."""
        from .unlock.recovery_key import RecoveryOffer

        if self._vault.state == "open":
            self._app.push_screen(RecoveryOffer(self._vault))

    async def backup(self) -> None:
        """Makes a backup now, and says where it is."""
        try:
            made = await self._vault.backups.create("manual")
        except PlaygroundError as error:
            self._app.notify_error(error)
        else:
            self._app.notify(f"{made.path.name}, in {made.path.parent}", title="Backed up", markup=False)

    async def daily_backup(self) -> None:
        """Makes the backup of the day where that is wished, unless there is one or nothing to keep; says what fails."""
        if not self._settings.daily_backup or not await self._vault.sessions.newest():
            return
        try:
            await self._vault.backups.create_daily()
        except PlaygroundError as error:
            self._app.notify_error(error)
