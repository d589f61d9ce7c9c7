"""What an empty conversation shows."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from app.privacy.terminal import clean


class Greeting(Static):
    """A wordmark, one sentence, three keys."""

    DEFAULT_CSS = """
    Greeting { width: 100%; height: auto; text-align: center; }
    """

    def __init__(self, keys: list[tuple[str, str]]) -> None:
        """``keys``: the name of a key and what it does."""
        super().__init__(_words(keys, ""), id="welcome")
        self._keys = keys

    def say_where(self, sends_to: str) -> None:
        """Says where what is written goes; empty for nowhere."""
        self.update(_words(self._keys, sends_to))


def _words(keys: list[tuple[str, str]], sends_to: str) -> Content:
    where = f"goes to {clean(sends_to)}" if sends_to else "stays on this machine"
    hints: list[tuple[str, str]] = []
    for key, description in keys:
        hints += [("    ", ""), (key, "bold $primary"), (f" {description}", "$text-muted")]
    return Content.assemble(
        ("◆", "$primary"),
        "\n\n",
        ("p l a y g r o u n d", "bold $foreground"),
        "\n\n",
        ("A quiet place to think with a model. ", "$text-muted"),
        (f"What you write {where}.", "$text-warning" if sends_to else "$text-muted"),
        "\n\n\n",
        *hints[1:],
    )
