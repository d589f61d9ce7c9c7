"""One line that says when nothing but the file system guards the vault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import getters
from textual.content import Content
from textual.widget import Widget

from app.tui.face import Face

if TYPE_CHECKING:
    from app.vault.vault import Protection


def protection_words(protection: Protection | None, palette_key: str = "^p") -> str:
    """What there is to say of a vault's protection; nothing when a passphrase or the keyring guards it."""
    return f"Not protected by a passphrase: {palette_key} → Set a passphrase" if protection == "file" else ""


class ProtectionNotice(Widget):
    """The line; takes no room when there is nothing to say."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    ProtectionNotice { height: 1; width: 1fr; padding: 0 1; color: $text-warning; display: none; }
    """

    app = getters.app(Face)

    def __init__(self) -> None:
        super().__init__()
        self._words = ""

    def show_protection(self, protection: Protection | None) -> None:
        """What guards the vault now."""
        words = protection_words(protection, self.app.key_of(self, "app.palette", "^p"))
        if words != self._words:
            self._words = words
            self.display = bool(words)
            self.refresh()

    def render(self) -> Content:
        """The words."""
        return Content(self._words)
