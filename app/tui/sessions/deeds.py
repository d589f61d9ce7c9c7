"""What can be done with a conversation in the list: pin, tag, rename, put away, bring back, delete for good."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.privacy.terminal import clean

from .tags import split_tags, tag_words
from .titles import short_title

if TYPE_CHECKING:
    from app.tui.surroundings import Surroundings
    from app.vault.conversations.sessions import Sessions

_UNDONE_AT_MOST = 50
_TAGS_NAMED = 8
_WORKERS = "deeds"


@dataclass(frozen=True)
class _PutAway:
    """A conversation that was put away, how it comes back, and what is said then."""

    session_id: str
    said: str
    back: Callable[[str], Awaitable[None]]


class Deeds:
    """Does it in the vault, says so, and remembers what can be undone."""

    def __init__(self, sessions: Sessions, around: Surroundings, changed: Callable[[str], None]) -> None:
        """``changed``: gets the id of each conversation that is not as it was."""
        self._sessions, self._around, self._changed = sessions, around, changed
        self._put_away: list[_PutAway] = []

    @property
    def can_undo(self) -> bool:
        """Whether something was put away that can be brought back."""
        return bool(self._put_away)

    def forget(self) -> None:
        """Stops, and nothing can be undone any more: the vault is being locked."""
        self._around.stop(_WORKERS)
        self._put_away.clear()

    # Small changes

    async def pin(self, session_id: str) -> None:
        """Keeps the conversation at the top, or lets it go."""
        pinned = (await self._sessions.get(session_id)).pinned
        await self._sessions.pin(session_id, not pinned)
        self._around.say("No longer pinned." if pinned else "Pinned: it stands at the top.")
        self._changed(session_id)

    async def rename(self, session_id: str) -> None:
        """Asks for a title."""
        from .line_prompt import LinePrompt

        title = (await self._sessions.get(session_id)).title

        async def save(written: str) -> None:
            await self._sessions.rename(session_id, written)
            self._changed(session_id)

        def answered(written: str | None) -> None:
            if written is not None and written.strip() != title:
                self._around.do(save(written))

        self._around.ask(LinePrompt("Rename", clean(title), placeholder="title"), answered)

    async def tag(self, session_id: str) -> None:
        """Asks for tags."""
        from .line_prompt import LinePrompt

        tags = (await self._sessions.get(session_id)).tags
        known = " ".join(tag_words(tag) for tag, _ in (await self._sessions.tags())[:_TAGS_NAMED])

        async def save(written: str) -> None:
            await self._sessions.set_tags(session_id, split_tags(written))
            self._changed(session_id)

        def answered(written: str | None) -> None:
            if written is not None and set(split_tags(written)) != set(tags):
                self._around.do(save(written))

        about = f"Separate them with commas. In use: {known}" if known else "Separate them with commas."
        prompt = LinePrompt("Tags", clean(", ".join(tags)), about=about, placeholder="travel, work")
        self._around.ask(prompt, answered)

    # Put away and brought back

    async def archive(self, session_id: str) -> None:
        """Puts the conversation out of the usual list, or takes it back."""
        archived = (await self._sessions.get(session_id)).archived
        await self._sessions.archive(session_id, not archived)
        if archived:
            self._around.say("Back among the sessions.")
        else:
            self._remember(_PutAway(session_id, "Back among the sessions.", self._unarchive))
            self._around.say(f"Archived. {self._undo_key} brings it back.")
        self._changed(session_id)

    async def _unarchive(self, session_id: str) -> None:
        await self._sessions.archive(session_id, False)

    async def delete(self, session_id: str) -> None:
        """Puts the conversation into the bin."""
        await self._sessions.delete(session_id)
        self._remember(_PutAway(session_id, "Brought back.", self._sessions.restore))
        self._around.say(f"Deleted. {self._undo_key} brings it back.")
        self._changed(session_id)

    def _remember(self, put_away: _PutAway) -> None:
        self._put_away.append(put_away)
        del self._put_away[:-_UNDONE_AT_MOST]

    @property
    def _undo_key(self) -> str:
        return self._around.key_of("sessions.undo")

    def undo(self) -> None:
        """Brings back what was deleted or archived last."""
        if self._put_away:
            self._around.do(self._bring_back(self._put_away.pop()))

    async def restore(self, session_id: str) -> None:
        """Takes the conversation out of the bin."""
        await self._bring_back(_PutAway(session_id, "Brought back.", self._sessions.restore))

    async def _bring_back(self, put_away: _PutAway) -> None:
        await put_away.back(put_away.session_id)
        self._around.say(put_away.said)
        self._changed(put_away.session_id)

    async def purge(self, session_id: str) -> None:
        """Removes the conversation for good, after a question."""
        from app.tui.dialogs.confirm import ConfirmScreen

        title = short_title((await self._sessions.get(session_id)).title)

        def answered(yes: bool | None) -> None:
            if yes:
                self._around.do(self._purge(session_id))

        question = f"“{title}” and all its messages are removed. Nothing brings them back but a backup."
        self._around.ask(ConfirmScreen("Delete for good?", question), answered)

    async def _purge(self, session_id: str) -> None:
        await self._sessions.purge(session_id)
        self._put_away = [one for one in self._put_away if one.session_id != session_id]
        self._around.say("Deleted for good.")
        self._changed(session_id)
