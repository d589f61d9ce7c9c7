"""A kept conversation into which memory recalls earlier passages: they are shown, opened, and forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message as TextualMessage

from app.errors import VaultError

from .composer import Composer
from .kept_conversation import KeptConversation
from .transcript import Transcript

if TYPE_CHECKING:
    from .recalled_view import RecalledView


class RecallingConversation(KeptConversation):
    """Gives the keys to what was recalled above an answer, and does what is asked for there."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("alt+m", "recalled", "Recalled", id="chat.recalled")]

    class PostWanted(TextualMessage):
        """A post is to be shown."""

        def __init__(self, post_id: str) -> None:
            super().__init__()
            self.post_id = post_id

    @property
    def recalled(self) -> RecalledView | None:
        """What memory recalled for the chosen answer, or for the last for which it recalled anything."""
        return self.query_one(Transcript).recalled_view()

    def action_recalled(self) -> None:
        """Shows what was recalled, and gives it the keys; again, folds it away."""
        view = self.recalled
        if view is None:
            self.app.notify("Nothing was recalled for this answer.", timeout=2)
        elif view.open and view.has_focus:
            view.action_leave()
        else:
            view.unfold(True)

    def on_recalled_view_left(self, event: RecalledView.Left) -> None:
        """Gives the keys back."""
        event.stop()
        if event.back is not None and event.back.is_attached and event.back.focusable:
            event.back.focus()
        else:
            self.query_one(Composer).focus()

    async def on_recalled_view_open_wanted(self, event: RecalledView.OpenWanted) -> None:
        """Shows the conversation or the post that a passage is from."""
        event.stop()
        if event.passage.source == "post":
            self.post_message(self.PostWanted(event.passage.source_id))
        elif self.answering:
            self.app.notify("The answer is still coming; esc stops it.", timeout=2)
        elif await self.open_session(event.passage.session_id, event.passage.source_id):
            self.query_one(Transcript).focus()

    async def on_recalled_view_forget_wanted(self, event: RecalledView.ForgetWanted) -> None:
        """Never recalls a passage again, or takes that back."""
        event.stop()
        if self._keeping is None:
            return
        vectors, passage = self._keeping.vault.vectors, event.passage
        try:
            if event.undo:
                await vectors.remember_again(passage.source, [passage.source_id])
            else:
                await vectors.forget(passage.source, [passage.source_id])
        except VaultError as error:
            self.app.notify_error(error)
            return
        event.view.passage_changed(passage, forgotten=not event.undo)
        if event.undo:
            self.post_message(self.SessionChanged())  # it is to be embedded again
        else:
            undo = self.app.key_of(event.view, "recalled.undo", "u")
            self.app.notify(
                f"It is not recalled again; the message itself stays. {undo} takes that back.", title="Forgotten"
            )
