"""Files made of a post, be it on the desk or not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.privacy.terminal import clean
from app.tui import words

if TYPE_CHECKING:
    from app.tui.surroundings import Surroundings
    from app.vault.posts.records import Post
    from app.writing.exporting import Form

    from .head import Head


class Publisher:
    """Writes posts to a folder, and remembers what was chosen last."""

    def __init__(self, head: Head, around: Surroundings, folder: str) -> None:
        """``folder``: the settings' choice; without one it is the folder in which the program was started."""
        self._head, self._around = head, around
        self._settings_folder = folder
        self._folder: Path | None = None
        self._form: Form = "markdown"

    def ask(self, post: Post) -> None:
        """Asks for a form and a folder, and writes the post there."""
        from .publish_dialog import PublishDialog

        usual = Path(self._settings_folder).expanduser() if self._settings_folder else Path.cwd()
        dialog = PublishDialog(post, self._folder or usual, self._form)

        def answered(written: Path | None) -> None:
            if written is not None:
                self._form, self._folder = dialog.form, dialog.folder
                if dialog.settles_address:
                    self._around.do(self._head.keep_address(post))
                self._around.say(clean(words.path(written)), title="Written", seconds=6)

        self._around.ask(dialog, answered)
