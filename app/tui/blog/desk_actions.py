"""What else is done with the post on the desk: its head, its revisions, files made of it, another editor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual.binding import Binding, BindingType

from app.privacy.terminal import clean

from .finding import Finding

if TYPE_CHECKING:
    from app.vault.post_records import Post, Revision
    from app.writing.exporting import Form

    from .particulars import Particulars


class DeskActions(Finding):
    """A post with all that belongs to it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t", "particulars", "Title and tags", id="post.particulars"),
        Binding("ctrl+r", "revisions", "Revisions", id="post.revisions"),
        Binding("alt+e", "export", "Export", id="post.export"),
        Binding("ctrl+g", "edit", "Editor", show=False, id="post.editor"),
        Binding("ctrl+s", "save", "Keep a revision", show=False, id="post.save"),
    ]

    _export_folder: Path | None = None
    _export_form: Form = "markdown"

    def action_save(self) -> None:
        """Keeps the post as it is now among its revisions; that it is kept at all needs no key."""
        if self.keeper is not None:
            self._pane.do(self._save())

    async def _save(self) -> None:
        if self.keeper is not None:
            await self.keeper.revise("saved")
            self.app.notify("Kept, and among the revisions.", timeout=2)

    # The head

    def action_particulars(self) -> None:
        """Asks for title, slug, tags, date and status."""
        if self.keeper is not None:
            self.ask_particulars(self.keeper.post)

    def ask_particulars(self, post: Post) -> None:
        """Asks for the head of a post, be it on the desk or not."""
        from .particulars import ParticularsDialog

        def answered(chosen: Particulars | None) -> None:
            if chosen is not None:
                self._pane.do(self._take_particulars(post, chosen))

        self.app.push_screen(ParticularsDialog(post), answered)

    async def _take_particulars(self, post: Post, chosen: Particulars) -> None:
        values = msgspec.structs.asdict(chosen)
        if self.post is not None and self.post.id == post.id:
            self.adopt(**values)
            return
        stored = await self._vault.posts.get(post.id)
        await self._vault.posts.save(msgspec.structs.replace(stored, **values))
        self._pane.shown()

    # Revisions

    def action_revisions(self) -> None:
        """Shows how the post was before."""
        if self.keeper is not None:
            self._pane.do(self._show_revisions())

    async def _show_revisions(self) -> None:
        from .revisions import RevisionsScreen

        keeper = self.keeper
        if keeper is None:
            return
        post = keeper.post
        lines = await self._vault.posts.revisions(post.id)
        if not lines:
            self.app.notify("There is none yet: the first is kept when the post is opened again.", timeout=3)
            return

        def answered(revision: Revision | None) -> None:
            if revision is not None:
                self._pane.do(self._go_back(revision))

        read = self._vault.posts.revision
        self.app.push_screen(RevisionsScreen(post, lines, lambda number: read(post.id, number)), answered)

    async def _go_back(self, revision: Revision) -> None:
        if self.keeper is None:
            return
        await self.keeper.revise("restored")
        self.adopt(title=revision.title, body=revision.body)
        self.editor.focus()
        self.app.notify("Gone back. How it was is among the revisions.", timeout=4)

    # Files

    def action_export(self) -> None:
        """Asks for a form and a folder, and writes the post there."""
        if self.keeper is not None:
            self.ask_to_export(self.keeper.post)

    def ask_to_export(self, post: Post) -> None:
        """Writes a post to a folder, be it on the desk or not."""
        from app.tui.sessions.export_dialog import shortened

        from .publish_dialog import PublishDialog

        folder = Path(self._choices.export).expanduser() if self._choices.export else Path.cwd()
        dialog = PublishDialog(post, self._export_folder or folder, self._export_form)

        def answered(written: Path | None) -> None:
            if written is not None:
                self._export_form = dialog.form
                self._export_folder = dialog.folder
                if dialog.settles_address:
                    self._pane.do(self._keep_address(post))
                self.app.notify(clean(shortened(written)), title="Written", timeout=6, markup=False)

        self.app.push_screen(dialog, answered)

    async def _keep_address(self, post: Post) -> None:
        """The post's address stays what it was written under, whatever its title becomes later."""
        from app.vault.slugs import address_of

        if self.post is None or self.post.id != post.id:
            stored = await self._vault.posts.get(post.id)
            if not stored.slug:
                await self._vault.posts.save(msgspec.structs.replace(stored, slug=address_of(post)))
        # It may have come onto the desk meanwhile, as it was before.
        if self.post is not None and self.post.id == post.id and not self.post.slug:
            self.adopt(slug=address_of(post))

    # Another editor

    def action_edit(self) -> None:
        """Opens the text in the person's own editor."""
        if self.keeper is not None:
            self._pane.do(self._edit_outside(), "editor")

    async def _edit_outside(self) -> None:
        from app.tui.outside_editor import edit_outside

        keeper = self.keeper
        text = await edit_outside(self.app, self.editor.text, self._environ)
        if text is not None and text != self.editor.text and keeper is not None and keeper is self.keeper:
            await keeper.revise("editor")
            self.editor.change(0, len(self.editor.text), text)
