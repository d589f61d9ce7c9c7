"""The Chat pane: asks, shows, and lets the person go back and try again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from app.chat import Conversation
from app.errors import PlaygroundError
from app.settings import ChatSettings
from app.tui.bars.status import Status
from app.tui.pane import Pane

from . import news
from .commands import as_typed
from .composer import Composer
from .offered_commands import OfferedCommands
from .open_conversation import Resumed
from .parts import ChatParts

if TYPE_CHECKING:
    from app.chat.keeping import Keeper
    from app.tui.model_desk import ModelDesk
    from app.vault import Vault

    from .recalled_view import RecalledView


class ChatPane(Pane):
    """A conversation with a model: gives keys, wishes and news to the parts that do the work."""

    HELP = """\
Ask a model. It runs on this machine, unless the bottom line says where it sends what you write; the preview shows what
that is. Its answer streams in; **Esc** stops it and keeps what came.
Asking again, and editing an earlier prompt, keep both versions: walk between them with the version keys.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("alt+m", "recalled", "Recalled", id="chat.recalled"),
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

    SessionChanged = news.SessionChanged
    StatusChanged = news.StatusChanged
    ModelChosen = news.ModelChosen
    PostWanted = news.PostWanted

    def __init__(
        self,
        desk: ModelDesk,
        model: str,
        environ: Mapping[str, str],
        choices: ChatSettings = ChatSettings(),  # noqa: B008 (immutable)
    ) -> None:
        super().__init__(id="chat")
        self._environ = environ
        self.parts = parts = ChatParts(
            desk, model, choices, self, keys=self._welcome_keys, show=self._show_other, told=self._told
        )
        self.ask = parts.answers.ask
        self.use_model = parts.model.use
        self.open_session = parts.current.resume
        self.session_changed_elsewhere = parts.current.changed_elsewhere
        self.run_command = parts.commands.run
        # Textual looks for what a key does here, by its name: most of it is done by a part.
        self.action_close_commands = parts.commands.close
        self.action_leave_rewriting = parts.rewriting.leave
        self.action_stop = parts.turns.stop
        self.action_regenerate = parts.turns.again
        self.action_go_on = parts.turns.go_on
        self.action_edit_message = parts.turns.edit
        self.action_version = parts.versions.step
        self.action_roll_back = parts.versions.roll_back
        self.action_copy_message = parts.chosen.copy
        self.action_copy_code = parts.chosen.copy_code
        self.action_toggle_thinking = parts.chosen.toggle_thinking
        self.action_toggle_original = parts.chosen.toggle_original
        self.action_pick_model = parts.model.pick
        self.action_recalled = parts.recalled.toggle
        self.action_compare = parts.several.compare
        self.action_debate = parts.several.debate
        self.action_pick_prompt = parts.library.pick_prompt
        self.action_pick_persona = parts.library.pick_persona
        self.action_save_prompt = parts.library.save_prompt
        self.action_edit_title = parts.particulars.ask_title
        self.action_edit_system = parts.particulars.ask_system
        self.action_show_sampling = parts.particulars.ask_sampling
        self.action_memory = parts.particulars.say_memory
        self.action_archive = parts.putting_away.archive
        self.action_delete_chat = parts.putting_away.delete
        self.action_bring_back = parts.putting_away.bring_back
        self.action_scroll = parts.transcript.scroll_page
        self.action_scroll_to_end = parts.transcript.to_end

    def compose(self) -> ComposeResult:
        """Transcript or welcome, and the composer below."""
        yield self.parts.transcript
        yield self.parts.stage
        yield self.parts.offered
        yield self.parts.prompt_area

    def on_mount(self) -> None:
        """Shows the empty state; what needs time comes after the first paint."""
        self.parts.scene.arrange()

    def begin(self) -> None:
        """Called once after the first paint: fetches the model when it is not here, and prepares what comes next."""
        self.parts.composer.highlight_markdown()
        self.parts.model.refresh()
        self.parts.model.make_ready()
        self.do(self.parts.model.learn_lines(), "models")
        self.set_interval(0.5, self._follow_download)

    def key_of(self, name: str, otherwise: str = "") -> str:
        """How the key of that name is written here; ``otherwise`` if there is none."""
        return self.app.key_of(self, name, otherwise)

    async def act(self, action: str) -> None:
        """Does an action, as its key does."""
        await self.app.run_action(action, self)

    def _welcome_keys(self) -> list[tuple[str, str]]:
        keys = [("chat.model", "f2", "choose a model"), ("app.help", "f1", "all keys")]
        return [("⏎", "send"), *((self.key_of(name, otherwise), words) for name, otherwise, words in keys)]

    # How it stands

    @property
    def conversation(self) -> Conversation:
        """The messages of the conversation that is open."""
        return self.parts.current.conversation

    @property
    def keeper(self) -> Keeper | None:
        """What writes them to the vault, while that is open."""
        return self.parts.current.keeper

    @property
    def answering(self) -> bool:
        """Whether an answer is being waited for."""
        return self.parts.current.answering

    @property
    def model(self) -> str:
        """The model that is asked."""
        return self.parts.model.name

    @property
    def status(self) -> Status:
        """What the status line says."""
        return self.parts.model.status

    # What it hears of

    async def vault_opened(self, vault: Vault) -> None:
        """Shows what was open last."""
        await self.parts.current.attach(vault)

    async def vault_closing(self) -> None:
        """Stops an answer and keeps what came of it, then forgets everything and shows nothing of it."""
        if self.answering:
            await self.action_stop()
        self.parts.putting_away.forget()
        await self.parts.current.detach()
        self.parts.model.refresh(used=0, speed=0.0, first_token=0.0, note="")
        self.parts.composer.prompts.forget()

    def model_changed(self) -> None:
        """A download began or ended, or it was said what may leave this machine."""
        self.parts.model.download_changed()

    def _follow_download(self) -> None:
        if words := self.parts.model.follow_download():
            self.parts.answers.say_while_waiting(words)

    def _told(self, error: PlaygroundError | None) -> None:
        if error is None:
            self.app.notify("Everything is kept again.", timeout=4)
        else:
            self.app.notify_error(error)

    async def _show_other(self, resumed: Resumed | None) -> None:
        """Another conversation is open."""
        parts = self.parts
        parts.rewriting.forget()
        asked = (node.message.text for node in self.conversation.path() if node.message.role == "user")
        parts.composer.prompts.show(map(as_typed, asked))
        parts.transcript.know_recalled(resumed.recalled if resumed is not None else {})
        await parts.scene.show()
        if resumed is not None:
            if resumed.node_id is not None:
                await parts.transcript.reveal(resumed.node_id)
            parts.model.follow_session()

    @on(Composer.Sent)
    async def _sent(self, event: Composer.Sent) -> None:
        event.stop()
        await self.parts.commands.sent(event.text, event.mentions)

    @on(Composer.Changed)
    def _text_changed(self) -> None:
        self.parts.commands.follow_text()

    @on(Composer.CompletionMoved)
    async def _completion_moved(self, event: Composer.CompletionMoved) -> None:
        await self.parts.commands.move(event.step)

    @on(OfferedCommands.Taken)
    async def _command_clicked(self, event: OfferedCommands.Taken) -> None:
        await self.parts.commands.take(event.command)

    def on_recalled_view_left(self, event: RecalledView.Left) -> None:
        """Gives the keys back."""
        event.stop()
        self.parts.recalled.give_back_keys(event.back)

    async def on_recalled_view_open_wanted(self, event: RecalledView.OpenWanted) -> None:
        """Shows the conversation or the post that a passage is from."""
        event.stop()
        await self.parts.recalled.open(event)

    async def on_recalled_view_forget_wanted(self, event: RecalledView.ForgetWanted) -> None:
        """Never recalls a passage again, or takes that back."""
        event.stop()
        await self.parts.recalled.forget(event)

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing are not offered."""
        match action:
            case "close_commands":
                return self.parts.composer.offering
            case "leave_rewriting":
                return self.parts.rewriting.rewritten is not None and not self.answering
            case "stop":
                return self.answering or self.parts.model.downloading
            case "recalled":
                return self.parts.transcript.recalled_view() is not None
            case "go_on":
                return self.parts.turns.can_go_on
            case "regenerate":
                return self.parts.turns.can_ask_again
            case "copy_message":
                return len(self.conversation) > 0
        return True

    def take_focus(self) -> None:
        """Puts the keys to the composer."""
        self.parts.composer.focus()

    def action_focus_composer(self) -> None:
        """Back to writing."""
        self.take_focus()

    async def action_new_chat(self) -> None:
        """Begins an empty conversation."""
        await self.parts.turns.start_new()
        self.take_focus()
        self.refresh_bindings()

    def action_preview(self) -> None:
        """Shows what would leave this machine if what stands in the composer was asked now."""
        self.parts.preview(self.parts.composer.prompt, self.parts.composer.mentions)

    @on(Composer.EditorWanted)
    def action_edit_in_editor(self) -> None:
        """Opens the prompt in the person's editor."""
        self.do(self._edit_outside(), "editor")

    async def _edit_outside(self) -> None:
        from app.tui.outside_editor import edit_outside

        text = await edit_outside(self.app, self.parts.composer.prompt, self._environ)
        if text is not None:
            self.parts.composer.put(text)
