"""What an empty conversation shows."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


class Welcome(Static):
    """A wordmark, one sentence, three keys."""

    DEFAULT_CSS = """
    Welcome { width: 100%; height: auto; text-align: center; }
    """

    def __init__(self, keys: list[tuple[str, str]]) -> None:
        """``keys``: the name of a key and what it does."""
        super().__init__(_words(keys), id="welcome")


def _words(keys: list[tuple[str, str]]) -> Content:
    hints: list[tuple[str, str]] = []
    for key, description in keys:
        hints += [("    ", ""), (key, "bold $primary"), (f" {description}", "$text-muted")]
    return Content.assemble(
        ("◆", "$primary"),
        "\n\n",
        ("p l a y g r o u n d", "bold $foreground"),
        "\n\n",
        ("A quiet place to think with a model. What you write stays on this machine.", "$text-muted"),
        "\n\n\n",
        *hints[1:],
    )
