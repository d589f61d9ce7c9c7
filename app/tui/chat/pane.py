"""The Chat pane: asks, shows, and lets the person go back and try again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from app.messages import Node
from app.settings import ChatSettings

from .answers import Answers
from .commands import Command, as_typed, command, offered, parse
from .composer import Composer
from .offered_commands import OfferedCommands
from .stage import Stage
from .transcript import Transcript

if TYPE_CHECKING:
    from app.tui.model_desk import ModelDesk


class ChatPane(Answers):
    """A conversation with a model."""

    HELP = """\
Ask a model. It runs on this machine, unless the bottom line says where it sends what you write; the preview shows what
that is. Its answer streams in; **Esc** stops it and keeps what came.
Asking again, and editing an earlier prompt, keep both versions: walk between them with the version keys.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        # One key, and the line of keys says which of the three it does now.
        Binding("escape", "close_commands", "Close the list", key_display="esc", id="chat.close_commands"),
        Binding("escape", "leave_rewriting", "Leave it", key_display="esc", id="chat.leave_rewriting"),
        Binding("escape", "stop", "Stop", key_display="esc", id="chat.stop"),
        Binding("f2,ctrl+l", "pick_model", "Model", id="chat.model"),
        Binding("ctrl+r", "regenerate", "Again", id="chat.regenerate"),
        Binding("f3", "copy_message", "Copy", id="chat.copy"),
        Binding("f4", "copy_code", "Code block", show=False, id="chat.copy_code"),
        Binding("ctrl+n", "new_chat", "New", id="chat.new"),
        Binding("alt+left", "version(-1)", "Earlier version", show=False, id="chat.older_version"),
        Binding("alt+right", "version(1)", "Later version", show=False, id="chat.newer_version"),
        Binding("ctrl+t", "toggle_thinking", "Thoughts", show=False, id="chat.thoughts"),
        Binding("alt+c", "go_on", "Continue", id="chat.go_on"),
        Binding("alt+o", "toggle_original", "Original", show=False, id="chat.original"),
        Binding("alt+e", "edit_message", "Edit the last prompt", show=False, id="chat.edit"),
        Binding("alt+p", "preview", "What would be sent", show=False, id="chat.preview"),
        Binding("pageup", "scroll(-1)", "Scroll up", show=False, priority=True, id="chat.scroll_up"),
        Binding("pagedown", "scroll(1)", "Scroll down", show=False, priority=True, id="chat.scroll_down"),
        Binding("ctrl+end", "scroll_to_end", "To the end", show=False, priority=True, id="chat.scroll_end"),
    ]

    def __init__(
        self,
        desk: ModelDesk,
        model: str,
        environ: Mapping[str, str],
        choices: ChatSettings = ChatSettings(),  # noqa: B008 (immutable)
    ) -> None:
        super().__init__(desk, model, choices, id="chat")
        self._environ = environ
        self._beside: tuple[str, str] | None = None

    def compose(self) -> ComposeResult:
        """Transcript or welcome, and the composer below."""
        yield Transcript(lambda: self.conversation, filtered=self._choices.filter)
        yield Stage(self._welcome_keys())
        yield OfferedCommands()
        yield Composer()

    def on_mount(self) -> None:
        """Shows the empty state; what needs time comes after the first paint."""
        self.show_stage()

    def take_focus(self) -> None:
        """Puts the keys to the composer."""
        self.action_focus_composer()

    # What is shown

    def _welcome_keys(self) -> list[tuple[str, str]]:
        keys = {name: self.app.get_key_display(binding) for name, binding in self.app.keys_by_id(self).items()}
        return [
            ("⏎", "send"),
            (keys.get("chat.model", "f2"), "choose a model"),
            (keys.get("app.help", "f1"), "all keys"),
        ]

    def show_stage(self) -> None:
        """Shows the transcript, or the welcome while it is empty."""
        empty = not self.conversation.path()
        self.query_one(Stage).display = empty
        self.query_one(Transcript).display = not empty

    # Asking

    @on(Composer.Sent)
    async def _sent(self, event: Composer.Sent) -> None:
        event.stop()
        parsed = parse(event.text.strip())
        known = command(parsed[0]) if parsed else None
        composer = self.query_one(Composer)
        if parsed is not None and known is None:
            self.app.notify(
                f"There is no command /{parsed[0]}. Two slashes send the line as it is.",
                severity="warning",
                markup=False,
            )
            composer.give_back(event.text)
            return
        if self.answering and known is None:
            self.app.notify("The answer is still coming; esc stops it.", markup=False)
            composer.give_back(event.text)
            return
        composer.prompts.add(event.text)
        if known is not None and parsed is not None:
            await self.run_command(known, parsed[1])
            return
        text = event.text[1:] if event.text.startswith("//") else event.text
        rewritten, head = self._rewritten, self.conversation.head
        self.rewrite(None)
        if rewritten is None or head is None or rewritten not in self.conversation:
            self._beside = None
            await self.ask(text)
        else:
            self._beside = (rewritten, head.id)
            await self.ask(text, self.conversation.node(rewritten).parent_id, branch=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing are not offered."""
        if action == "close_commands":
            return self.query_one(Composer).offering
        if action == "leave_rewriting":
            return self.rewriting and not self.answering
        if action == "stop":
            return self.answering or self._desk.downloading(self.model)
        if action == "recalled":
            return self.recalled is not None
        if action == "go_on":
            return not self.answering and self._unfinished() is not None
        if action in ("regenerate", "copy_message"):
            if action == "regenerate" and self.answering:
                return False
            return bool(len(self.conversation)) or (action == "regenerate" and self._desk.missing(self.model))
        return True

    # Actions

    def action_close_commands(self) -> None:
        """Closes the list of commands; what is written stays."""
        self._offer(())

    def action_leave_rewriting(self) -> None:
        """Leaves an earlier prompt as it was."""
        self.leave_rewriting()

    async def _take_back(self, answer: Node, composer: Composer) -> None:
        """The prompt goes back into the composer; that of another version stands beside the one before it again."""
        if self.conversation.node(answer.id).message.text:
            # It was gone on with, and stopped before more came: what there was before stays.
            return
        asked, beside = answer.parent_id, self._beside
        await super()._take_back(answer, composer)
        if beside is not None and (asked is None or asked not in self.conversation):
            rewritten, head = beside
            self.conversation.show(head)
            self.rewrite(self.conversation.node(rewritten))
            self.show_stage()
            await self.query_one(Transcript).show()

    async def _show_conversation(self) -> None:
        """Another conversation: nothing of the last one is being rewritten."""
        self._beside = None
        self._draft = ""
        self.rewrite(None)
        asked = (node.message.text for node in self.conversation.path() if node.message.role == "user")
        self.query_one(Composer).prompts.show(map(as_typed, asked))
        await super()._show_conversation()

    async def detach(self) -> None:
        """Forgets the earlier prompts, too."""
        await super().detach()
        self.query_one(Composer).prompts.forget()

    async def action_version(self, step: int) -> None:
        """Shows an earlier or later version, and how much of the context window that one fills."""
        await super().action_version(step)
        if not self.answering:
            self.show_figures()

    async def action_roll_back(self, turns: int = 1) -> None:
        """Takes questions and answers off the end, and says how much of the context window is filled then."""
        await super().action_roll_back(turns)
        if not self.answering:
            self.show_figures()

    async def action_toggle_original(self) -> None:
        """Shows the chosen answer whole, or again without what the content filter leaves out."""
        if not await self.query_one(Transcript).toggle_original():
            self.app.notify("Nothing is left out of this answer.", timeout=2)

    def action_scroll(self, direction: int) -> None:
        """Scrolls the transcript by a page while the composer keeps the focus."""
        transcript = self.query_one(Transcript)
        if direction < 0:
            transcript.scroll_page_up(animate=False)
        elif not transcript.following:
            # There is nothing below the end that is being followed, wherever it is going to be when this is painted.
            transcript.scroll_page_down(animate=False)

    def action_scroll_to_end(self) -> None:
        """Shows the end, and follows it."""
        self.query_one(Transcript).to_end()

    def action_edit_in_editor(self) -> None:
        """Opens the prompt in the person's editor."""
        self._open_editor()

    def action_preview(self) -> None:
        """Shows what would leave this machine if what stands in the composer was asked now."""
        self.do(self.preview(self.query_one(Composer).prompt), "preview")

    # The composer's wishes

    @on(Composer.EditorWanted)
    def _open_editor(self) -> None:
        self.do(self._edit_outside(), "editor")

    async def _edit_outside(self) -> None:
        from app.tui.outside_editor import edit_outside

        composer = self.query_one(Composer)
        text = await edit_outside(self.app, composer.prompt, self._environ)
        if text is not None:
            composer.put(text)

    @on(Composer.Changed)
    def _text_changed(self) -> None:
        composer = self.query_one(Composer)
        line = composer.text if composer.document.line_count == 1 and len(composer.text) < 40 else ""
        self._offer(offered(line))

    def _offer(self, commands: tuple[Command, ...]) -> None:
        composer = self.query_one(Composer)
        self.query_one(OfferedCommands).offer(commands)
        if composer.offering != bool(commands):
            composer.offering = bool(commands)
            self.refresh_bindings()

    @on(Composer.CompletionMoved)
    async def _completion_moved(self, event: Composer.CompletionMoved) -> None:
        offered = self.query_one(OfferedCommands)
        if event.step:
            offered.move(event.step)
        elif offered.highlighted is not None:
            await self._take(offered.highlighted)

    @on(OfferedCommands.Taken)
    async def _command_clicked(self, event: OfferedCommands.Taken) -> None:
        await self._take(event.command)

    async def _take(self, taken: Command) -> None:
        composer = self.query_one(Composer)
        self._offer(())
        if taken.argument == "NAME":
            composer.put(f"/{taken.name} ")
        else:
            composer.put("")
            await self.run_command(taken, "")

    async def run_command(self, known: Command, argument: str) -> None:
        """Does what a command says."""
        if known.name in ("set", "system", "title", "memory"):
            await self.attached()  # these belong to the session
        if known.name == "model" and argument:
            self.use_model(argument)
        elif known.name == "system" and argument:
            self.set_system(argument)
        elif known.name == "title" and argument:
            self.set_title(argument)
        elif known.name == "memory" and argument:
            self.set_memory(argument)
        elif known.name == "set" and argument:
            self.set_sampling(argument)
        elif known.name == "preview" and argument:
            self.do(self.preview(argument), "preview")
        elif known.name == "theme" and argument:
            self.app.use_theme(argument)
        elif known.name == "back" and argument.isdecimal():
            await self.action_roll_back(int(argument))
        else:
            await self.app.run_action(known.action, self)
