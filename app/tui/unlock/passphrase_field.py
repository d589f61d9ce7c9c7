"""A field for a secret."""

from __future__ import annotations

from textual.actions import SkipAction
from textual.widgets import Input


class PassphraseField(Input):
    """Shows dots; what is typed here reaches no clipboard."""

    def __init__(self, placeholder: str = "", *, id: str | None = None) -> None:
        super().__init__(placeholder=placeholder, password=True, compact=True, id=id)

    def action_copy(self) -> None:
        """A secret is not copied; the key is left to whoever has another use for it."""
        raise SkipAction

    def action_cut(self) -> None:
        """A secret is not copied, nor lost by one key."""
