"""Taking the passphrase off the vault."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Static

from app.errors import PlaygroundError
from app.messages import Failure
from app.tui.dialogs.dialog import Dialog
from app.tui.error_card import failure_words
from app.tui.face import Face

if TYPE_CHECKING:
    from app.vault.vault import Vault

_QUESTION = (
    "The vault stays encrypted, but its key then lies in a file beside it, which is not protected by a passphrase: "
    "whoever can read your files can read your conversations. A passphrase can be set again at any time."
)


class RemovePassphraseDialog(Dialog[bool]):
    """Says what it means, and asks. Closes with True when the passphrase was removed."""

    CSS_PATH: ClassVar[CSSPathType | None] = ["../dialogs/dialogs.tcss", "unlock.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "remove", "Remove it", id="passphrase.remove"),
        Binding("n", "leave", "Keep it", id="passphrase.keep"),
    ]

    app = getters.app(Face)

    def __init__(self, vault: Vault) -> None:
        super().__init__()
        self._vault = vault

    def compose(self) -> ComposeResult:
        """The question and the two keys."""
        with Vertical(classes="dialog"):
            yield Static(Content("Remove the passphrase?"), classes="title")
            yield Static(Content(_QUESTION), id="remove-words")
            yield Static(
                Content.assemble(("y", "bold $primary"), " remove it    ", ("n", "bold $primary"), " keep it"),
                classes="hint",
            )

    def action_remove(self) -> None:
        """Removes it."""
        self.run_worker(self._remove(), group="remove", exclusive=True, exit_on_error=False)

    async def _remove(self) -> None:
        try:
            await self._vault.remove_passphrase()
        except PlaygroundError as error:
            self.query_one("#remove-words", Static).update(failure_words(Failure.of(error)))
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 (the boundary that reports)
            self.app.report_fault(error)
        else:
            self.app.notify("The vault is not protected by a passphrase now.", severity="warning")
            self.dismiss(True)
