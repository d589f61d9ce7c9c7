"""The recovery key: offered, made, shown once."""

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


class RecoveryOffer(Dialog[bool]):
    """Offers to make a recovery key, makes it and shows it. Closes with True when one was made."""

    CSS_PATH: ClassVar[CSSPathType | None] = ["../dialogs/dialogs.tcss", "unlock.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "make", "Make one", id="recovery.make"),
        Binding("c", "copy", "Copy", id="recovery.copy"),
        Binding("enter", "done", "Done", id="recovery.done"),
        Binding("n", "leave", "Not now", id="recovery.not_now"),
    ]

    app = getters.app(Face)

    def __init__(self, vault: Vault) -> None:
        super().__init__()
        self._vault = vault
        self._key: str | None = None
        self._making = False
        self._warned = False

    def compose(self) -> ComposeResult:
        """The question first, the key in its place later."""
        with Vertical(classes="dialog"):
            yield Static(Content("A recovery key"), classes="title")
            yield Static(id="recovery-words")
            yield Static(id="recovery-key")
            yield Static(id="recovery-note")
            yield Static(classes="hint")

    def on_mount(self) -> None:
        """Asks."""
        earlier = " The one that there is opens it no longer then." if self._vault.has_recovery_key else ""
        self._show(
            "It opens the vault when the passphrase is forgotten. Write it down or print it, and put it where nobody"
            f" else finds it.{earlier} Make one now?",
            (("y", "make one"), ("n", "not now")),
        )

    def _show(self, words: str, keys: tuple[tuple[str, str], ...]) -> None:
        self.query_one("#recovery-words", Static).update(Content(words))
        pieces: list[tuple[str, str]] = []
        for key, does in keys:
            pieces += [("    " if pieces else "", ""), (key, "bold $primary"), (f" {does}", "")]
        self.query_one(".hint", Static).update(Content.assemble(*pieces))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The keys of the question, or the keys of the answer."""
        if action == "make":
            return self._key is None
        if action in ("copy", "done"):
            return self._key is not None
        return True

    def action_make(self) -> None:
        """Makes the key."""
        if not self._making:
            self._making = True
            self.run_worker(self._make(), exit_on_error=False)

    async def _make(self) -> None:
        try:
            self._key = await self._vault.new_recovery_key()
        except PlaygroundError as error:
            self.query_one("#recovery-note", Static).update(failure_words(Failure.of(error)))
            return
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 (the boundary that reports)
            self.app.report_fault(error)
            return
        finally:
            self._making = False
        self._show(
            "This is shown once. It opens everything that is kept here, typed in the passphrase's place; capitals and"
            " dashes do not matter.",
            (("c", "copy"), ("⏎", "I have put it away")),
        )
        # Two lines of four groups: as wide as the smallest terminal, and easy to compare with paper.
        groups = self._key.split("-")
        half = (len(groups) + 1) // 2
        lines = ["-".join(groups[:half]) + "-" * (len(groups) > half), "-".join(groups[half:])]
        self.query_one("#recovery-key", Static).update(Content.styled("\n".join(lines), "bold $accent"))
        self.add_class("-made")
        self.refresh_bindings()

    def action_copy(self) -> None:
        """Copies the key."""
        if self._key is not None:
            self.app.copy_to_clipboard(self._key)
            self._note("Copied. Other programs can read the clipboard: when it is put away, copy something else.")

    def action_done(self) -> None:
        """Closes; the key is not shown again."""
        self.dismiss(True)

    def action_leave(self) -> None:
        """Closes the question. The key itself does not go by one stray key."""
        if self._making:
            return
        if self._key is None:
            self.dismiss(False)
        elif self._warned:
            self.dismiss(True)
        else:
            self._warned = True
            self._note("It is not shown again. ⏎ when it is written down.")

    def _note(self, words: str) -> None:
        self.query_one("#recovery-note", Static).update(Content.styled(words, "$text-warning"))
