"""The two fields in which a post is written: title and text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from textual.widgets import Input, TextArea

from app.tui.voice.dictating import DICTATED

from .editor import PostEditor
from .title_field import TitleField


class Sheet:
    """Shows a post in them without that counting as writing."""

    def __init__(self, title: TitleField, editor: PostEditor) -> None:
        self._title, self._editor = title, editor

    @property
    def text(self) -> str:
        """The text, as the editor has it."""
        return self._editor.text

    def put(self, title: str, body: str) -> None:
        """Another post."""
        with self._quietly():
            self._title.value = title
            self._editor.put(body)

    def change(self, title: object = None, body: object = None) -> None:
        """Another title, if it is one, and another text, which can be undone."""
        with self._quietly():
            if isinstance(title, str):
                self._title.value = title
            if isinstance(body, str) and body != self._editor.text:
                self._editor.change(0, len(self._editor.text), body)

    def clear(self) -> None:
        """No post; who dictates into it is not meant for the next one."""
        self._editor.remove_class(DICTATED)
        if self._editor.is_mounted:
            self.put("", "")

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        with self._editor.prevent(Input.Changed, TextArea.Changed):
            yield
