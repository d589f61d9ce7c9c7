"""A text area that takes whole characters only."""

from __future__ import annotations

from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult

from app.privacy.characters import whole_characters


class WholeText(TextArea):
    """The highlighting's parser reads UTF-8, and half a character, as in a file's name, would end the program."""

    def load_text(self, text: str) -> None:
        """Another text instead."""
        super().load_text(whole_characters(text))

    def edit(self, edit: Edit) -> EditResult:
        """Every change passes here."""
        edit.text = whole_characters(edit.text)
        return super().edit(edit)
