"""What can be done with the messages of a conversation: copy, edit, walk versions, roll back."""

from __future__ import annotations

from app.chat import Conversation
from app.messages import Node
from app.tui import words
from app.tui.pane import Pane

from .composer import Composer
from .transcript import Transcript

REWRITING = "another version of an earlier prompt · esc leaves it"
"""On the composer's edge while an earlier prompt is in it."""


class ConversationActions(Pane):
    """A pane that holds a conversation, a transcript of it and a composer.

    Keys act on the message that is chosen in the transcript, else on the last one that they make sense for.
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.conversation = Conversation()
        self._code_place = 0
        self._rewritten: str | None = None
        self._draft = ""

    @property
    def answering(self) -> bool:
        """Whether an answer is being waited for."""
        return False

    def show_stage(self) -> None:
        """Shows the transcript, or what stands in its place while it is empty."""

    def action_edit_message(self) -> None:
        """Takes the chosen prompt into the composer; sending it makes a new version beside the old one."""
        question = self.question_of_choice()
        if question is None or self.answering:
            return
        composer = self.query_one(Composer)
        if self._rewritten is None:
            self._draft = composer.prompt
        self.rewrite(question)
        composer.put(question.message.text)
        self.action_focus_composer()

    @property
    def rewriting(self) -> bool:
        """Whether what stands in the composer is going to be another version of an earlier prompt."""
        return self._rewritten is not None

    def rewrite(self, question: Node | None) -> None:
        """What is sent next stands beside this prompt; ``None``: below the last message, as usual."""
        self._rewritten = question.id if question is not None else None
        self.query_one(Composer).border_title = REWRITING if question is not None else ""
        self.refresh_bindings()

    def leave_rewriting(self) -> None:
        """Lets the earlier prompt be as it was, and brings back what was being written before."""
        self.rewrite(None)
        self.query_one(Composer).put(self._draft)
        self._draft = ""

    async def action_version(self, step: int) -> None:
        """Shows an earlier or later version of the chosen message, or of the nearest one that has versions.

        What was rolled back is later than what is shown; where nothing is shown, any step brings it back.
        """
        if self.answering:
            return
        chosen = self.query_one(Transcript).chosen
        head = self.conversation.head
        if (step > 0 or head is None) and chosen == (head.id if head is not None else None):
            following = self.conversation.below(chosen)
            if following:
                self.conversation.show_with(following[-1].id)
                self.show_stage()
                await self.query_one(Transcript).show()
                self.refresh_bindings()
                return
        for node in reversed(self.conversation.path_to(chosen)):
            if len(self.conversation.siblings(node.id)) > 1:
                shown = self.conversation.show_sibling(node.id, step)
                transcript = self.query_one(Transcript)
                await transcript.show()
                if chosen == node.id and transcript.has_focus:
                    transcript.choose(shown.id)
                return

    async def action_roll_back(self, turns: int = 1) -> None:
        """Takes the last question and its answer off; they stay as a version."""
        if self.answering:
            return
        dropped = self.conversation.roll_back(2 * turns)
        self.show_stage()
        await self.query_one(Transcript).show()
        if dropped:
            key = self.app.key_of(self, "chat.newer_version", "alt+→")
            self.app.notify(
                f"{words.plural(len(dropped), 'message')} rolled back; {key} brings them back.", markup=False
            )

    def action_copy_message(self) -> None:
        """Copies the chosen message, or the last answer, whole."""
        from .copying import cleaned_text

        node = self.message_of_choice()
        if node is not None:
            self.app.copy_to_clipboard(cleaned_text(node))
            self.app.notify("Message copied.", timeout=2)

    def action_copy_code(self) -> None:
        """Copies the last code block of the chosen message; pressed again, the one before it."""
        from .copying import code_blocks

        node = self.message_of_choice()
        blocks = code_blocks(node) if node is not None else ()
        if not blocks:
            self.app.notify("There is no code block in this message.", timeout=2)
            return
        place = len(blocks) - 1 - self._code_place % len(blocks)
        self._code_place += 1
        self.app.copy_to_clipboard(blocks[place])
        self.app.notify(f"Code block {place + 1} of {len(blocks)} copied.", timeout=2)

    def action_toggle_thinking(self) -> None:
        """Folds or unfolds the thoughts of the chosen answer, or of the last."""
        from .message_view import AnswerView

        view = self.query_one(Transcript).view(self.query_one(Transcript).chosen or "")
        if isinstance(view, AnswerView):
            view.toggle_thinking()

    def action_focus_composer(self) -> None:
        """Back to writing."""
        self.query_one(Composer).focus()

    def question_of_choice(self) -> Node | None:
        """The chosen prompt, or the one that the chosen answer answers."""
        for node in reversed(self.conversation.path_to(self.query_one(Transcript).chosen)):
            if node.message.role == "user":
                return node
        return None

    def message_of_choice(self) -> Node | None:
        """The chosen message, or the last answer."""
        transcript = self.query_one(Transcript)
        path = self.conversation.path_to(transcript.chosen)
        if transcript.has_focus:
            return path[-1] if path else None
        return next((node for node in reversed(path) if node.message.role == "assistant" and node.message.text), None)
