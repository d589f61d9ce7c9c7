"""The desk: one post, and everything that can be done with it while it is written."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message

from .editor import PostEditor
from .live_preview import LivePreview
from .suggesting import Suggesting
from .title_field import TitleField

PREVIEW_FROM = 100
"""Columns from which there is room for the preview beside the text."""


class WritingDesk(Suggesting):
    """Writes one post."""

    DEFAULT_CSS = """
    WritingDesk { height: 1fr; width: 1fr; display: none; }
    WritingDesk > #post-body { height: 1fr; width: 1fr; align-horizontal: center; }
    WritingDesk LivePreview { display: none; }
    WritingDesk.-preview LivePreview { display: block; }
    WritingDesk.-preview.-narrow PostEditor { display: none; }
    WritingDesk PostEditor { max-width: 96; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Posts", key_display="esc", id="post.leave"),
        Binding("f4", "preview", "Preview", id="post.preview"),
        Binding("ctrl+n", "new", "New", show=False, id="post.new"),
    ]

    class Left(Message):
        """The person wants to see all posts."""

    class NewWanted(Message):
        """A post shall be begun."""

    _preview: bool | None = None
    """What the person chose; until then, the preview is there when there is room."""

    def take_focus(self) -> None:
        """Puts the keys to the text, or to the title while both are empty."""
        empty = self.post is not None and not self.post.title and not self.post.body
        if empty:
            self.query_one(TitleField).focus()
        else:
            (self.query_one(LivePreview) if self._preview_alone else self.editor).focus()

    # The preview

    def on_resize(self) -> None:
        """Shows the preview where there is room for it."""
        self._place_preview()

    def _place_preview(self) -> None:
        narrow = self.app.size.width < PREVIEW_FROM
        shown = (not narrow) if self._preview is None else self._preview
        preview, writing = self.query_one(LivePreview), self.editor.has_focus
        self.set_class(narrow, "-narrow")
        self.set_class(shown, "-preview")
        preview.can_focus = self._preview_alone
        if shown:
            preview.show(self.editor.text, self.editor.cursor_location[0])
        # Where only the preview is seen, no key may change what is not.
        if writing and self._preview_alone:
            preview.focus()
        elif preview.has_focus and not self._preview_alone:
            self.editor.focus()

    @property
    def _preview_alone(self) -> bool:
        """Whether the preview stands in the text's place."""
        return self.has_class("-narrow") and self.has_class("-preview")

    def action_preview(self) -> None:
        """Shows or hides the preview; in a narrow terminal it takes the place of the text."""
        self._preview = not self.has_class("-preview")
        self._place_preview()
        (self.query_one(LivePreview) if self._preview_alone else self.editor).focus()

    # Going elsewhere

    def to_text(self) -> None:
        """Gives the keys to the text, which is seen then."""
        if self._preview_alone:
            self.action_preview()
        super().to_text()

    @on(LivePreview.TextWanted)
    def _to_text(self) -> None:
        self.to_text()

    @on(PostEditor.TitleWanted)
    def _to_title(self) -> None:
        self.query_one(TitleField).focus()

    def action_leave(self) -> None:
        """Goes back to the list."""
        self.post_message(self.Left())

    def action_new(self) -> None:
        """Begins another post."""
        self.post_message(self.NewWanted())
