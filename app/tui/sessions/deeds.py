"""What can be done with a conversation in the list: pin, tag, rename, put away, delete, take out, take in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from app.privacy.terminal import clean
from app.tui import words
from app.tui.pane import Pane

from .session_list import tag_words, title_words

if TYPE_CHECKING:
    from app.vault.vault import Vault

    from .export_dialog import Destination

_UNDONE_AT_MOST = 50
_SHORT = 40


class SessionDeeds(Pane):
    """A pane with a chosen conversation. Every deed runs beside the interface and reports what went wrong."""

    class Changed(Message):
        """A conversation was changed, taken in, deleted or brought back here."""

        def __init__(self, session_id: str) -> None:
            super().__init__()
            self.session_id = session_id

    def __init__(self, vault: Vault, *, id: str) -> None:
        super().__init__(id=id)
        self._vault = vault
        self._undoing: list[tuple[str, str, Callable[[str], Awaitable[None]]]] = []

    @property
    def chosen_id(self) -> str | None:
        """The chosen conversation."""
        return None

    def reload(self) -> None:
        """Shows what the vault holds now."""

    @property
    def can_undo(self) -> bool:
        """Whether something was put away that can be brought back."""
        return bool(self._undoing)

    # Running

    def _changed(self, session_id: str) -> None:
        self.post_message(self.Changed(session_id))
        self.reload()
        self.refresh_bindings()

    def _say(self, words: str) -> None:
        self.app.notify(words, timeout=4, markup=False)

    def _put_away(self, session_id: str, said: str, back: Callable[[str], Awaitable[None]]) -> None:
        self._undoing.append((session_id, said, back))
        del self._undoing[:-_UNDONE_AT_MOST]

    # Small changes

    def action_pin(self) -> None:
        """Keeps the conversation at the top, or lets it go."""
        if self.chosen_id is not None:
            self.do(self._pin(self.chosen_id))

    async def _pin(self, session_id: str) -> None:
        pinned = (await self._vault.sessions.get(session_id)).pinned
        await self._vault.sessions.pin(session_id, not pinned)
        self._say("No longer pinned." if pinned else "Pinned: it stands at the top.")
        self._changed(session_id)

    def action_rename(self) -> None:
        """Asks for a title."""
        if self.chosen_id is not None:
            self.do(self._rename(self.chosen_id))

    async def _rename(self, session_id: str) -> None:
        from .line_prompt import LinePrompt

        title = (await self._vault.sessions.get(session_id)).title

        async def save(written: str) -> None:
            await self._vault.sessions.rename(session_id, written)
            self._changed(session_id)

        def answered(written: str | None) -> None:
            if written is not None and written.strip() != title:
                self.do(save(written))

        self.app.push_screen(LinePrompt("Rename", clean(title), placeholder="title"), answered)

    def action_tag(self) -> None:
        """Asks for tags."""
        if self.chosen_id is not None:
            self.do(self._tag(self.chosen_id))

    async def _tag(self, session_id: str) -> None:
        from .line_prompt import LinePrompt

        tags = (await self._vault.sessions.get(session_id)).tags
        known = " ".join(tag_words(tag) for tag, _ in (await self._vault.sessions.tags())[:8])

        async def save(written: str) -> None:
            await self._vault.sessions.set_tags(session_id, split_tags(written))
            self._changed(session_id)

        def answered(written: str | None) -> None:
            if written is not None and set(split_tags(written)) != set(tags):
                self.do(save(written))

        about = f"Separate them with commas. In use: {known}" if known else "Separate them with commas."
        self.app.push_screen(
            LinePrompt("Tags", clean(", ".join(tags)), about=about, placeholder="travel, work"), answered
        )

    # Put away and brought back

    def action_archive(self) -> None:
        """Puts the conversation out of the usual list, or takes it back."""
        if self.chosen_id is not None:
            self.do(self._archive(self.chosen_id))

    async def _archive(self, session_id: str) -> None:
        archived = (await self._vault.sessions.get(session_id)).archived
        await self._vault.sessions.archive(session_id, not archived)
        if archived:
            self._say("Back among the sessions.")
        else:
            self._put_away(session_id, "Back among the sessions.", self._unarchive)
            self._say(f"Archived. {self.key_of('sessions.undo')} brings it back.")
        self._changed(session_id)

    async def _unarchive(self, session_id: str) -> None:
        await self._vault.sessions.archive(session_id, False)

    def action_delete(self) -> None:
        """Puts the conversation into the bin."""
        if self.chosen_id is not None:
            self.do(self._delete(self.chosen_id))

    async def _delete(self, session_id: str) -> None:
        await self._vault.sessions.delete(session_id)
        self._put_away(session_id, "Brought back.", self._vault.sessions.restore)
        self._say(f"Deleted. {self.key_of('sessions.undo')} brings it back.")
        self._changed(session_id)

    def action_undo(self) -> None:
        """Brings back what was deleted or archived last."""
        if self._undoing:
            self.do(self._undo(*self._undoing.pop()))

    async def _undo(self, session_id: str, said: str, back: Callable[[str], Awaitable[None]]) -> None:
        await back(session_id)
        self._say(said)
        self._changed(session_id)

    def action_restore(self) -> None:
        """Takes the conversation out of the bin."""
        if self.chosen_id is not None:
            self.do(self._undo(self.chosen_id, "Brought back.", self._vault.sessions.restore))

    def action_purge(self) -> None:
        """Removes the conversation for good, after a question."""
        if self.chosen_id is not None:
            self.do(self._ask_to_purge(self.chosen_id))

    async def _ask_to_purge(self, session_id: str) -> None:
        from app.tui.dialogs.confirm import ConfirmScreen

        session = await self._vault.sessions.get(session_id)

        def answered(yes: bool | None) -> None:
            if yes:
                self.do(self._purge(session_id))

        question = f"“{_short(session.title)}” and all its messages are removed. Nothing brings them back but a backup."
        self.app.push_screen(ConfirmScreen("Delete for good?", question), answered)

    async def _purge(self, session_id: str) -> None:
        await self._vault.sessions.purge(session_id)
        self._undoing = [undo for undo in self._undoing if undo[0] != session_id]
        self._say("Deleted for good.")
        self._changed(session_id)

    # Out and in

    def action_export(self) -> None:
        """Asks for a form and a file, and writes the conversation there."""
        if self.chosen_id is not None:
            self.do(self._ask_to_export(self.chosen_id))

    async def _ask_to_export(self, session_id: str) -> None:
        from app.chat.formats import suggested_name

        from .export_dialog import FORMS, ExportDialog

        session = await self._vault.sessions.get(session_id)
        names = {form: suggested_name(session, form) for form, _ in FORMS}

        def answered(destination: Destination | None) -> None:
            if destination is not None:
                self.do(self._export(session_id, destination))

        self.app.push_screen(ExportDialog(_short(session.title), names, Path.cwd()), answered)

    async def _export(self, session_id: str, destination: Destination) -> None:
        from app.chat.formats import export

        from .export_dialog import shortened
        from .files import write_private

        whole = await self._vault.sessions.load(session_id)

        def write() -> None:
            write_private(destination.path, export(whole, destination.form))

        await asyncio.to_thread(write)
        self._say(f"Exported to {clean(shortened(destination.path))}.")

    def action_import(self) -> None:
        """Asks for a file, and takes its conversations in."""
        from .line_prompt import LinePrompt

        def wrong(written: str) -> str:
            if not written.strip():
                return "Name a file."
            return "" if Path(written.strip()).expanduser().is_file() else "There is no such file."

        def answered(written: str | None) -> None:
            if written is not None:
                self.do(self._import(Path(written.strip()).expanduser()), "import", exclusive=True)

        about = "Our own JSON, or an export from ChatGPT or Claude: the .zip as it came, or its conversations.json."
        self.app.push_screen(
            LinePrompt("Import", about=about, placeholder="~/Downloads/export.zip", does="import", check=wrong),
            answered,
        )

    async def _import(self, path: Path) -> None:
        from app.chat.formats import read_export

        from .files import read_bounded

        self._say(f"Reading {clean(path.name)} …")
        found = await asyncio.to_thread(lambda: read_export(read_bounded(path), path.name))
        taken = 0
        for whole in found.sessions:
            session = await self._vault.sessions.add(whole)
            taken += 1
            if taken % 100 == 0:
                self._say(f"{words.count(taken)} of {words.count(len(found.sessions))} taken in …")
            self.post_message(self.Changed(session.id))
        self.reload()
        left = f" {words.count(len(found.skipped))} left out: {clean(found.skipped[0])}" if found.skipped else ""
        self.app.notify(
            f"{words.plural(taken, 'conversation')} taken in.{left}",
            title="Imported",
            severity="warning" if found.skipped else "information",
            timeout=8,
            markup=False,
        )

    # Words

    def key_of(self, binding_id: str) -> str:
        """The key that a binding has now, as the person moved it."""
        return self.app.key_of(self, binding_id)


def split_tags(written: str) -> tuple[str, ...]:
    """Tags as a person wrote them: commas between, ``#`` before or not, each once."""
    tags = (" ".join(tag.strip().lstrip("#").split()) for tag in written.split(","))
    return tuple(dict.fromkeys(tag for tag in tags if tag))


def _short(title: str) -> str:
    plain, _ = title_words(title)
    return plain if len(plain) <= _SHORT else plain[: _SHORT - 1].rstrip() + "…"
