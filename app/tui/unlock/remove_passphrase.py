"""Taking the passphrase off the vault."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import getters, on
from textual.app import ComposeResult
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

if TYPE_CHECKING:
    from app.vault.vault import Vault

_QUESTION = (
    "The vault stays encrypted, but its key then lies in a file beside it, which is not protected by a passphrase: "
    "whoever can read your files can read your conversations. A passphrase can be set again at any time."
)


class RemovePassphraseDialog(Dialog[bool]):
    """Says what it means, and asks for the passphrase: the terminal may have been left alone.

    Closes with True when the passphrase was removed.
    """

    HELP = "The recovery key does as well as the passphrase."
    CSS_PATH: ClassVar[CSSPathType | None] = ["../dialogs/dialogs.tcss", "unlock.tcss"]

    app = getters.app(Face)

    def __init__(self, vault: Vault) -> None:
        super().__init__()
        self._vault = vault

    def compose(self) -> ComposeResult:
        """What it means, the field, and the two keys."""
        with Vertical(classes="dialog"):
            yield Static(Content("Remove the passphrase?"), classes="title")
            yield Static(Content(_QUESTION), id="remove-words")
            yield PassphraseField("the passphrase, to remove it", id="now")
            yield Static(id="remove-note")
            yield Static(
                Content.assemble(("⏎", "bold $primary"), " remove it    ", ("esc", "bold $primary"), " keep it"),
                classes="hint",
            )

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.run_worker(self._remove(event.value), group="remove", exclusive=True, exit_on_error=False)

    def _say(self, words: Content) -> None:
        self.query_one("#remove-note", Static).update(words)

    async def _remove(self, secret: str) -> None:
        try:
            await self._vault.confirm(secret)
            await self._vault.remove_passphrase()
        except WrongPassphraseError as error:
            self.query_one("#now", Input).value = ""
            self._say(Content.styled(f"{error.message} Nothing was changed.", "$text-error"))
        except PlaygroundError as error:
            self._say(failure_words(Failure.of(error)))
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 (the boundary that reports)
            self.app.report_fault(error)
        else:
            self.app.notify("The vault is not protected by a passphrase now.", severity="warning")
            self.dismiss(True)
