"""Setting or changing the passphrase of the vault."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Input, Static

from app.errors import PlaygroundError, WrongPassphraseError
from app.messages import Failure
from app.tui.dialogs.dialog import Dialog
from app.tui.error_card import failure_words
from app.tui.face import Face

from .passphrase_field import PassphraseField
from .strength import LEAST, Grade, strength

if TYPE_CHECKING:
    from app.vault.vault import Vault

_COLOURS: dict[Grade, str] = {
    "short": "$text-muted",
    "weak": "$text-error",
    "fair": "$text-warning",
    "strong": "$text-success",
}
_WARNING = (
    "A lost passphrase cannot be replaced: nobody, not even this program, can open the vault without it. "
    "A recovery key, printed and put away, is the one other way in."
)


class PassphraseDialog(Dialog[bool]):
    """Asks for the passphrase twice; sets it, and offers a recovery key. Closes with True when it was set.

    Where there was one, that is asked for first: the terminal may have been left alone.
    """

    HELP = (
        "The passphrase guards everything that is kept here. It is changed at once: the data are not rewritten. "
        "The recovery key does as well as the passphrase that there was."
    )
    CSS_PATH: ClassVar[CSSPathType | None] = ["../dialogs/dialogs.tcss", "unlock.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", "Up", show=False, id="passphrase.up"),
        Binding("down", "app.focus_next", "Down", show=False, id="passphrase.down"),
    ]

    app = getters.app(Face)

    def __init__(self, vault: Vault) -> None:
        super().__init__()
        self._vault = vault
        self._had_one = vault.protection == "passphrase"
        self._setting = False

    def compose(self) -> ComposeResult:
        """The fields, how good it is, and what it means to lose it."""
        with Vertical(classes="dialog"):
            yield Static(Content("Change the passphrase" if self._had_one else "Set a passphrase"), classes="title")
            if self._had_one:
                yield PassphraseField("the passphrase as it is now", id="now")
            yield PassphraseField("new passphrase", id="new")
            yield PassphraseField("the same once more", id="again")
            yield Static(id="strength")
            yield Static(Content(_WARNING), classes="about")
            yield Static(
                Content.assemble(
                    ("⏎", "bold $primary"), " set    ", ("tab", "bold $primary"), " next field    ",
                    ("esc", "bold $primary"), " leave as it was" if self._had_one else " leave",
                ),
                classes="hint",
            )  # fmt: skip

    def on_mount(self) -> None:
        """Says what is needed before anything is typed."""
        self._say(
            f"{LEAST} characters at least; a few unusual words are easy to remember and hard to guess", "$text-muted"
        )

    def _say(self, words: str, colour: str) -> None:
        self.query_one("#strength", Static).update(Content.styled(words, colour))

    @on(Input.Changed)
    def _typed(self) -> None:
        new, again = self._written
        found = strength(new)
        if again and not new.startswith(again):
            self._say("The two differ.", "$text-error")
        elif new:
            self._say(found.words[:1].upper() + found.words[1:], _COLOURS[found.grade])

    @property
    def _written(self) -> tuple[str, str]:
        return self.query_one("#new", Input).value, self.query_one("#again", Input).value

    @property
    def _now(self) -> str:
        return "".join(field.value for field in self.query("#now").results(Input))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        new, again = self._written
        if self._setting:
            return
        if not self._now and self._had_one:
            self._say("The passphrase as it is now, or the recovery key, comes first.", "$text-error")
            self.query_one("#now").focus()
        elif event.input.id == "now" and not new:
            self.query_one("#new").focus()
        elif len(new) < LEAST:
            self._say(f"{LEAST} characters at least.", "$text-error")
            self.query_one("#new").focus()
        elif not again:
            self.query_one("#again").focus()
        elif new != again:
            with self.prevent(Input.Changed):
                self.query_one("#again", Input).value = ""
            self.query_one("#again").focus()
            self._say("The two differ. Nothing was changed.", "$text-error")
        else:
            self._setting = True
            self._say("Setting it …", "$text-muted")
            self.run_worker(self._set(new), exit_on_error=False)

    async def _set(self, passphrase: str) -> None:
        from .recovery_key import RecoveryOffer

        try:
            if self._had_one:
                await self._vault.confirm(self._now)
            await self._vault.set_passphrase(passphrase)
        except WrongPassphraseError as error:
            now = self.query_one("#now" if self._had_one else "#new", Input)
            with self.prevent(Input.Changed):
                now.value = ""
            now.focus()
            self._say(f"{error.message} Nothing was changed.", "$text-error")
        except PlaygroundError as error:
            self.query_one("#strength", Static).update(failure_words(Failure.of(error)))
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 (the boundary that reports)
            self.app.report_fault(error)
        else:
            self.app.notify("The passphrase is changed." if self._had_one else "The vault has a passphrase now.")
            offer = None if self._vault.has_recovery_key else RecoveryOffer(self._vault)
            app = self.app
            self.dismiss(True)
            if offer is not None:
                app.push_screen(offer)
        finally:
            self._setting = False
