"""Where the preview of a post stands: beside the text, in its place, or nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.widget import Widget

    from .editor import PostEditor
    from .figures import Figures
    from .live_preview import LivePreview

PREVIEW_FROM = 100
"""Columns from which there is room for the preview beside the text."""


class PreviewPlace:
    """Sets the classes ``-preview`` and ``-narrow`` of the desk, and sees to it that no hidden text has the keys."""

    def __init__(self, desk: Widget, editor: PostEditor, preview: LivePreview, figures: Figures) -> None:
        self._desk, self._editor, self._preview, self._figures = desk, editor, preview, figures
        self._wanted: bool | None = None
        """What the person chose; until then, the preview is there when there is room."""

    @property
    def alone(self) -> bool:
        """Whether the preview stands in the text's place."""
        return self._desk.has_class("-narrow") and self._desk.has_class("-preview")

    def turn(self) -> None:
        """Shows or hides the preview; in a narrow terminal it takes the place of the text."""
        self._wanted = not self._desk.has_class("-preview")
        self.fit()
        self.take_focus()

    def take_focus(self) -> None:
        """Puts the keys to the text, or to what stands in its place."""
        (self._preview if self.alone else self._editor).focus()

    def fit(self) -> None:
        """Shows the preview where there is room for it."""
        narrow = self._desk.app.size.width < PREVIEW_FROM
        shown = (not narrow) if self._wanted is None else self._wanted
        writing = self._editor.has_focus
        self._desk.set_class(narrow, "-narrow")
        self._desk.set_class(shown, "-preview")
        self._preview.can_focus = self.alone
        if shown:
            self._figures.show_preview()
        # Where only the preview is seen, no key may change what is not.
        if writing and self.alone:
            self._preview.focus()
        elif self._preview.has_focus and not self.alone:
            self._editor.focus()
