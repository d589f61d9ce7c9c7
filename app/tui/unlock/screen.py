"""The screen that opens the vault. Nothing of what lies below it can be seen."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, Static

from app.errors import KeyringError, PlaygroundError, VaultLockedError, WrongPassphraseError
from app.messages import Failure
from app.privacy.terminal import clean
from app.tui.error_card import ErrorCard
from app.tui.face import Face

from .passphrase_field import PassphraseField

if TYPE_CHECKING:
    from app.vault.vault import Vault


class UnlockScreen(Screen[bool]):
    """Asks for the passphrase until it fits, then closes with True.

    When the vault cannot be opened by any passphrase, it says why in the error's own words, and what to do.
    """

    HELP = """\
Your conversations are encrypted, and this opens them. The recovery key, if you made one, opens them too: type it in
the passphrase's place. Nobody can open the vault without one of the two.
"""

    CSS_PATH = "unlock.tcss"
    AUTO_FOCUS = "PassphraseField"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "again", "Try again", id="unlock.again"),
        Binding("escape", "empty", "Empty", key_display="esc", show=False, id="unlock.empty"),
        Binding("ctrl+q", "quit", "Quit", id="unlock.quit"),
        Binding("ctrl+c", "interrupt", "Quit", show=False, id="unlock.interrupt"),
    ]

    app = getters.app(Face)

    def __init__(self, vault: Vault, error: PlaygroundError | None = None) -> None:
        """``error``: why the vault could not be opened without a person, when that was tried already."""
        super().__init__(id="unlock")
        self._vault = vault
        self._error = error if not isinstance(error, VaultLockedError) else None
        self._opening = False
        self._palette = False

    def compose(self) -> ComposeResult:
        """One column in the middle: what this is, the field, what is wrong, the keys."""
        with Vertical(id="unlock-column"):
            yield Static(
                Content.assemble(
                    ("◆", "$primary"), "\n\n", ("p l a y g r o u n d", "bold $foreground"), "\n\n",
                    ("Your vault is locked.", "$text-muted"),
                ),
                id="unlock-title",
            )  # fmt: skip
            yield PassphraseField("passphrase or recovery key")
            yield Static(id="unlock-note")
            yield Vertical(id="unlock-failure")
            yield Static(id="unlock-keys")

    async def on_mount(self) -> None:
        """Shows the error that there was, if any. What the palette could do lies behind this screen."""
        self._palette, self.app.use_command_palette = self.app.use_command_palette, False
        if self._error is not None:
            await self._show_failure(self._error)
        else:
            self._show_keys()

    def on_unmount(self) -> None:
        """Gives the palette back."""
        self.app.use_command_palette = self._palette

    @property
    def _asking(self) -> bool:
        return bool(self.query_one(PassphraseField).display)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Trying again without a passphrase makes sense only after an error."""
        return self._error is not None if action == "again" else True

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        written = event.value
        if self._opening or not written:
            return
        # The secret is gone from the screen before anything else happens, whatever comes of it.
        self.query_one(PassphraseField).value = ""
        self._begin(written)

    def _begin(self, written: str | None) -> None:
        self._opening = True
        self._note("Opening …", "$text-muted")
        self.run_worker(self._open(written), group="unlock", exit_on_error=False)

    async def _open(self, written: str | None) -> None:
        try:
            await self._vault.open(written)
        except WrongPassphraseError as error:
            self._note(" ".join(clean(error.message).split()), "$text-error")
        except VaultLockedError:
            await self._ask()
        except PlaygroundError as error:
            await self._show_failure(error)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 (the boundary that reports)
            self._note("", "")
            self.app.report_fault(error)
        else:
            self.dismiss(True)
            self._say_what_opened(written)
        finally:
            self._opening = False

    def _say_what_opened(self, written: str | None) -> None:
        """Who needed the recovery key has no passphrase any more, and can choose one now."""
        from app.vault.keys.wrapping import looks_like_recovery_key

        if written is not None and looks_like_recovery_key(written):
            self.app.notify("/passphrase sets a new one.", title="Opened with the recovery key", timeout=10)

    @on(Input.Changed)
    def _calm(self, event: Input.Changed) -> None:
        if event.value and not self._opening:
            self._note("", "")

    def _note(self, words: str, colour: str) -> None:
        self.query_one("#unlock-note", Static).update(Content.styled(words, colour))

    async def _ask(self) -> None:
        self._error = None
        await self.query_one("#unlock-failure").remove_children()
        self._note("", "")
        self._show_field(True)

    async def _show_failure(self, error: PlaygroundError) -> None:
        self._error = error
        self._note("", "")
        # A keyring that forgot is the one failure that something typed can mend: the recovery key opens the vault.
        self._show_field(isinstance(error, KeyringError))
        failure = self.query_one("#unlock-failure", Vertical)
        await failure.remove_children()
        await failure.mount(ErrorCard(Failure.of(error)))

    def _show_field(self, shown: bool) -> None:
        field = self.query_one(PassphraseField)
        field.display = shown
        if shown:
            field.focus()
        else:
            self.set_focus(None)
        self._show_keys()
        self.refresh_bindings()

    def _show_keys(self) -> None:
        keys = [("⏎", "unlock")] if self._asking else []
        if self._error is not None:
            keys.append((self.app.key_of(self, "unlock.again", "^r"), "try again"))
        keys.append((self.app.key_of(self, "unlock.quit", "^q"), "quit"))
        pieces: list[tuple[str, str]] = []
        for key, does in keys:
            pieces += [("    " if pieces else "", ""), (key, "bold $primary"), (f" {does}", "$text-muted")]
        self.query_one("#unlock-keys", Static).update(Content.assemble(*pieces))
        title = "Your vault is locked." if self._error is None else "Your vault could not be opened."
        self.query_one("#unlock-title", Static).update(
            Content.assemble(
                ("◆", "$primary"), "\n\n", ("p l a y g r o u n d", "bold $foreground"), "\n\n", (title, "$text-muted")
            )
        )

    def action_again(self) -> None:
        """Tries once more to open it: the backup may be back in its place by now."""
        if not self._opening:
            self._begin(None)

    def action_empty(self) -> None:
        """Empties the field."""
        self.query_one(PassphraseField).value = ""
        self._note("", "")

    async def action_interrupt(self) -> None:
        """Empties the field; twice, leaves the program."""
        self.action_empty()
        await self.app.run_action("app.help_quit")

    def action_quit(self) -> None:
        """Leaves the program."""
        self.app.exit()
