"""One line that says when nothing but the file system guards the vault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

if TYPE_CHECKING:
    from app.vault.vault import Protection


def protection_words(protection: Protection | None, palette_key: str = "ctrl+p") -> str:
    """What there is to say of a vault's protection; nothing when a passphrase or the keyring guards it."""
    return f"Not protected by a passphrase: {palette_key} → Set a passphrase" if protection == "file" else ""


class ProtectionNotice(Widget):
    """The line; takes no room when there is nothing to say."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    ProtectionNotice { height: 1; width: 1fr; padding: 0 1; color: $text-warning; display: none; }
    """

    def __init__(self, palette_key: str = "ctrl+p") -> None:
        super().__init__()
        self._palette_key = palette_key
        self._words = ""

    def show_protection(self, protection: Protection | None) -> None:
        """What guards the vault now."""
        words = protection_words(protection, self._palette_key)
        if words != self._words:
            self._words = words
            self.display = bool(words)
            self.refresh()

    def render(self) -> Content:
        """The words."""
        return Content(self._words)
