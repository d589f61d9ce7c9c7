"""What memory recalled for the answers: given the keys, opened where it was said, forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widget import Widget

from app.errors import VaultError

from .composer import Composer
from .news import PostWanted, SessionChanged
from .open_conversation import OpenConversation
from .surroundings import Surroundings
from .transcript import Transcript

if TYPE_CHECKING:
    from .recalled_view import RecalledView


class RecalledPassages:
    """Does what is asked for in the views of the recalled."""

    def __init__(
        self, current: OpenConversation, transcript: Transcript, composer: Composer, around: Surroundings
    ) -> None:
        self._current = current
        self._transcript = transcript
        self._composer = composer
        self._around = around

    def toggle(self) -> None:
        """Shows what was recalled for the chosen answer, and gives it the keys; again, folds it away."""
        view = self._transcript.recalled_view()
        if view is None:
            self._around.app.notify("Nothing was recalled for this answer.", timeout=2)
        elif view.open and view.has_focus:
            view.action_leave()
        else:
            view.unfold(True)

    def give_back_keys(self, back: Widget | None) -> None:
        """The view was left for what had the keys before it."""
        if back is not None and back.is_attached and back.focusable:
            back.focus()
        else:
            self._composer.focus()

    async def open(self, wanted: RecalledView.OpenWanted) -> None:
        """Shows the conversation or the post that a passage is from."""
        passage = wanted.passage
        if passage.source == "post":
            self._around.post_message(PostWanted(passage.source_id))
        elif self._current.answering:
            self._around.app.notify("The answer is still coming; esc stops it.", timeout=2)
        elif await self._current.resume(passage.session_id, passage.source_id):
            self._transcript.focus()

    async def forget(self, wanted: RecalledView.ForgetWanted) -> None:
        """Never recalls a passage again, or takes that back."""
        if self._current.keeping is None:
            return
        vectors, passage = self._current.keeping.vault.vectors, wanted.passage
        try:
            if wanted.undo:
                await vectors.remember_again(passage.source, [passage.source_id])
            else:
                await vectors.forget(passage.source, [passage.source_id])
        except VaultError as error:
            self._around.app.notify_error(error)
            return
        wanted.view.passage_changed(passage, forgotten=not wanted.undo)
        if wanted.undo:
            self._around.post_message(SessionChanged())  # it is to be embedded again
        else:
            undo = self._around.app.key_of(wanted.view, "recalled.undo", "u")
            self._around.app.notify(
                f"It is not recalled again; the message itself stays. {undo} takes that back.", title="Forgotten"
            )
