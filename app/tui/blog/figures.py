"""What follows the keys after a pause: the figures of the post, its preview, and whether it is kept."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from .editor import PostEditor
    from .kept_post import KeptPost
    from .live_preview import LivePreview
    from .pause import Pause
    from .state_line import StateLine

_LEAST_PAUSE = 0.2
_SHARE = 4.0
"""Figures and preview follow the keys after a pause this many times as long as the last time took."""


class Figures:
    """Reads the text, and shows it in the line below and in the preview."""

    def __init__(self, kept: KeptPost, editor: PostEditor, preview: LivePreview, line: StateLine, pause: Pause) -> None:
        self._kept, self._editor, self._preview, self._line, self._pause = kept, editor, preview, line, pause
        self._took = 0.0

    def typed(self) -> None:
        """The text changed: catches up with it soon."""
        if not self._pause.waiting:
            self._pause.begin(max(_LEAST_PAUSE, _SHARE * self._took), self.catch_up)

    def moved(self) -> None:
        """The cursor is on another line, it may be."""
        if not self._pause.waiting:
            self._preview.follow(self._editor.cursor_location[0])

    def catch_up(self) -> None:
        """Shows the post as it is now."""
        from app.writing.statistics import statistics

        self._pause.end()
        keeper = self._kept.keeper
        if keeper is None or not self._line.is_mounted:
            return
        began = time.perf_counter()
        self._editor.fit_language()
        figures, post = statistics(self._editor.text), keeper.post
        self._show(words=figures.words, reading=figures.reading_time, status=post.status, tags=post.tags)
        self.show_preview()
        self._took = time.perf_counter() - began
        self.show_kept()

    def show_preview(self) -> None:
        """Shows how the text will look."""
        self._preview.show(self._editor.text, self._editor.cursor_location[0])

    def show_kept(self) -> None:
        """Shows whether the vault has all of it."""
        keeper = self._kept.keeper
        if keeper is None or not self._line.is_mounted:
            return
        trouble = keeper.trouble
        self._show(saved=not keeper.unwritten, trouble=trouble.message if trouble is not None else "")

    def note(self, words: str) -> None:
        """Says what is going on, until there is another post; nothing ends that."""
        self._show(note=words)

    def forget(self) -> None:
        """There is no post."""
        self._pause.end()
        self.note("")
        self._preview.forget()

    def _show(self, **values: object) -> None:
        self._line.state = msgspec.structs.replace(self._line.state, **values)
