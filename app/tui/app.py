"""The terminal interface: panes, bars, themes, and what holds them together."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from textual import on
from textual.actions import ActionParseResult
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.dom import DOMNode
from textual.screen import Screen
from textual.types import CSSPathType

from app.errors import PlaygroundError

from .bars.bars import Bars
from .bars.keys import KeyBar
from .bars.status import StatusBar
from .bars.tabs import TabBar
from .chat.commands import COMMANDS, Command
from .chat.pane import ChatPane
from .downloads import Download
from .key_map import KeyMap
from .key_names import short_name
from .model_desk import ModelDesk
from .panes import PANES, Parts
from .privacy_desk import PrivacyDesk
from .quick_screen import QuickScreen
from .reporter import Reporter
from .server.desk import ServerDesk
from .shown_panes import ShownPanes
from .state import StateFile
from .terminal_keys import forgive_bytes, teach_alt_enter
from .themed import ThemedFace

if TYPE_CHECKING:
    from app.playground import Playground


class PlaygroundApp(ThemedFace):
    """The interface of one ``Playground``; whoever opened that closes it."""

    TITLE = "Playground"
    CSS_PATH: ClassVar[CSSPathType] = ["app.tcss", "chat/pane.tcss", "models/pane.tcss", "sessions/pane.tcss"]
    NOTIFICATION_TIMEOUT = 4
    AUTO_FOCUS = "Composer"
    # A class variable there too, written so that mypy takes it for an instance's.
    VERTICAL_BREAKPOINTS: ClassVar[list[tuple[int, str]]] = [(0, "-short"), (16, "-tall")]  # type: ignore[misc]

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            # Not in the line of keys: the tabs name them.
            Binding(entry.key, f"pane('{entry.name}')", entry.title, show=False, priority=True, id=f"app.{entry.name}")
            for entry in PANES
        ),
        Binding("f1", "help", "Help", id="app.help"),
        Binding("question_mark", "help", "Help, when not typing", show=False, id="app.help_when_not_typing"),
        Binding("ctrl+p", "command_palette", "Palette", priority=True, id="app.palette"),
        Binding("alt+l", "local_only", "Local only", show=False, priority=True, id="app.local_only"),
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True, id="app.quit"),
    ]

    def __init__(self, playground: Playground, environ: dict[str, str] | None = None) -> None:
        teach_alt_enter()
        forgive_bytes()
        super().__init__(playground)
        self._reporter = Reporter(self.notify, playground.folders.logs)
        self._keys = KeyMap(playground.settings.tui.keys, self.notify)
        self._panes = ShownPanes(self, self.parts)
        self._bars = Bars(self)
        self._environ = dict(os.environ) if environ is None else environ
        self._state_file = StateFile(playground.folders.data)
        self._state = self._state_file.load()
        self._desk = ModelDesk(playground, self._download_changed)
        self._privacy = PrivacyDesk(playground)
        if self._state.local_only:
            self._privacy.switch(True)
        self._server_desk = ServerDesk(playground, self._server_changed)
        self._remembering = False
        self.theme = self.first_theme(self._state.theme, self._environ)

    def _first_model(self) -> str:
        wanted = self._state.model
        return wanted if wanted and self._desk.known(wanted) else self._playground.settings.models.default

    def get_default_screen(self) -> QuickScreen:
        """The screen below all others."""
        return QuickScreen()

    def compose(self) -> ComposeResult:
        """Tabs, the pane, status, keys."""
        tabs = TabBar(tuple((entry.name, entry.title) for entry in PANES))
        tabs.current = "chat"
        yield tabs
        with Container(id="panes"):
            yield ChatPane(self._desk, self._first_model(), self._environ, self._playground.settings.chat)
        status = StatusBar()
        status.local_only = self._privacy.local_only
        yield status
        yield KeyBar()

    def on_mount(self) -> None:
        """Applies the person's keys and spacing; everything slow waits for the first paint."""
        if self._keys.moved:
            self.set_keymap(self._keys.moved)
        density = self._state.density or self._playground.settings.tui.density
        self.set_class(density == "compact", "-compact")
        self._remembering = True
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.query_one(ChatPane).begin()
        self.run_worker(self._vault_desk.open(), group="vault", exit_on_error=False)
        self.set_interval(5.0, self._watch_idleness)
        self._keys.warn([self, *self.screen.walk_children(with_self=True)])
        self.say_wrong_themes()

    async def on_unmount(self) -> None:
        """Stops what this interface started, and sees that everything is kept."""
        await self.memory_desk.end()
        for chat in self.query(ChatPane):
            if chat.keeper is not None:
                await chat.keeper.aclose()
        await self._server_desk.aclose()
        await self._desk.downloads.aclose()

    def parts(self) -> Parts:
        """What panes are made of."""
        return Parts(self._playground, self._desk, self._server_desk, self.memory_desk)

    @property
    def models(self) -> ModelDesk:
        """What is known of the models."""
        return self._desk

    @property
    def answering(self) -> bool:
        """Whether an answer is being waited for."""
        return any(chat.answering for chat in self.query(ChatPane))

    async def stop_answering(self) -> None:
        """Ends the answer that is being waited for, and keeps what came of it."""
        for chat in self.query(ChatPane):
            await chat.action_stop()

    # What went wrong

    def notify_error(self, error: PlaygroundError) -> None:
        """Shows an error beside what is going on."""
        self._reporter.error(error)

    def report_fault(self, error: Exception) -> None:
        """Shows that the program itself failed, and writes the details to the log."""
        self._reporter.fault(error)

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Does what a key says; what cannot be done now is said."""
        with self.telling():
            return await super().run_action(action, default_namespace, namespaces)
        return True

    # Keys

    def keys_by_id(self, node: DOMNode) -> dict[str, Binding]:
        """The bindings of a node and of those around it, nearest first, by id."""
        return self._keys.by_id(node)

    def get_key_display(self, binding: Binding) -> str:
        """Short names: ``^r``, ``F1``, ``⏎``."""
        return short_name(binding.key) or super().get_key_display(binding)

    def action_help(self) -> None:
        """Shows what the focused part is for, and its keys."""
        from .help_here import help_here

        if len(self.screen_stack) == 1:
            self.push_screen(help_here(self, self.focused or self.query_one("#panes")))

    # Panes

    @on(TabBar.Chosen)
    async def _tab_chosen(self, event: TabBar.Chosen) -> None:
        await self.action_pane(event.pane)

    async def action_pane(self, pane: str) -> None:
        """Shows a pane; one that was never shown is made now."""
        await self._panes.show(pane)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The key of the pane that is shown is not offered."""
        if action == "pane":
            return not self._panes.in_front(parameters)
        return super().check_action(action, parameters)

    # The vault

    async def vault_opened(self) -> None:
        """The vault can be read: shows what was open last."""
        self.protection_changed()
        for pane in self._panes:
            await pane.vault_opened(self._playground.vault)
        self.memory_desk.begin()

    async def vault_closing(self) -> None:
        """The vault is about to be locked: nothing of it may stay in memory or on the screen, and nothing is heard."""
        self.stop_listening()
        self.clear_notifications()
        await self.memory_desk.end()
        for pane in self._panes:
            await pane.vault_closing()

    @on(TabBar.Resized)
    def protection_changed(self) -> None:
        """Says whether a passphrase guards what is kept."""
        self._bars.say_unprotected(self._playground.vault.protection == "file")

    # What the parts ask for

    async def on_models_pane_used(self, event: Any) -> None:
        """Goes to the chat with the chosen model."""
        self.query_one(ChatPane).use_model(event.model)
        await self.action_pane("chat")

    async def on_sessions_pane_open_wanted(self, event: Any) -> None:
        """Goes on with the chosen conversation."""
        chat = self.query_one(ChatPane)
        if chat.answering:
            await chat.action_stop()
        if await chat.open_session(event.session_id, event.node_id):
            await self.action_pane("chat")

    async def on_sessions_pane_new_wanted(self) -> None:
        """Begins a conversation."""
        await self.query_one(ChatPane).action_new_chat()
        await self.action_pane("chat")

    @on(ChatPane.PostWanted)
    async def _post_wanted(self, event: ChatPane.PostWanted) -> None:
        """Goes to the post that a recalled passage is from."""
        from .blog.pane import BlogPane

        await self.action_pane("blog")
        self.query_one(BlogPane).open_post(event.post_id)

    async def on_session_deeds_changed(self, event: Any) -> None:
        """The chat follows what was done to the conversation that it shows."""
        chat = self.query_one(ChatPane)
        if not chat.answering:
            await chat.session_changed_elsewhere(event.session_id)

    @on(ChatPane.SessionChanged)
    def _session_changed(self) -> None:
        self.memory_desk.wake()
        for pane in self._panes:
            pane.session_changed()

    @on(ChatPane.StatusChanged)
    def _status_changed(self, event: ChatPane.StatusChanged) -> None:
        self._bars.say_status(event.status)

    @on(ChatPane.ModelChosen)
    def _model_chosen(self, event: ChatPane.ModelChosen) -> None:
        self._remember(model=event.model)

    def _download_changed(self, _download: Download) -> None:
        for pane in self._panes:
            pane.model_changed()

    def _server_changed(self) -> None:
        for pane in self._panes:
            pane.server_changed()
        self._bars.say_serving(self._server_desk.address if self._server_desk.state == "on" else "")

    # Actions

    @on(StatusBar.PrivacyClicked)
    def action_local_only(self) -> None:
        """Lets nothing leave this machine; again, after a question, allows it."""
        if not self._privacy.local_only:
            self._switch_local_only(True)
            return
        from .dialogs.confirm import ConfirmScreen

        try:
            self._privacy.require_allowed()
        except PlaygroundError as error:
            self.notify_error(error)
            return
        question = (
            "Models can be fetched then, and a remote model that you choose gets what you write to it."
            " Nothing is sent by itself."
        )
        self.push_screen(
            ConfirmScreen("Allow the network?", question), lambda yes: self._switch_local_only(False) if yes else None
        )

    def _switch_local_only(self, on_: bool) -> None:
        self._privacy.switch(on_)
        # What the settings say holds at every start: only more privacy than that is remembered.
        self._remember(local_only=on_ or None)
        self._bars.say_local_only(on_)
        for pane in self._panes:
            pane.model_changed()
        if on_:
            self.notify("Nothing leaves this machine now. Models that are not here are not asked.", title="Local only")
        else:
            self.notify("Models can be fetched and remote models be asked.", title="Network allowed")

    def action_density(self) -> None:
        """Changes between comfortable and compact spacing."""
        compact = not self.has_class("-compact")
        self.set_class(compact, "-compact")
        self._remember(density="compact" if compact else "comfortable")

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Everything that can be done, for the palette."""
        keys = self._keys_by_action()
        for command in COMMANDS:
            key = keys.get(command.action.removeprefix("app."), "")
            yield SystemCommand(command.title, f"{command.help} {key}".rstrip(), self._runner(command))
        named = {command.action for command in COMMANDS}
        for entry in PANES:
            if f"app.pane('{entry.name}')" not in named:
                key = keys.get(f"pane('{entry.name}')", "")
                yield SystemCommand(entry.title, f"{entry.help} {key}".rstrip(), partial(self.action_pane, entry.name))
        for pane in self._panes:
            if pane.display:
                yield from pane.commands()
        yield SystemCommand("Dictate", "Write what is said into the text that has the keys.", self.action_dictate)
        yield SystemCommand("Remove the passphrase", "Let the vault open without one.", self.action_remove_passphrase)
        yield SystemCommand("Recovery key", "Make a key to print and put away.", self.action_recovery_key)
        yield SystemCommand("Screenshot", "Save a picture of the screen.", lambda: self.set_timer(0.1, self._picture))

    def _keys_by_action(self) -> dict[str, str]:
        """How the first key of each action of the chat and of the program is written."""
        keys: dict[str, str] = {}
        for binding in self.keys_by_id(self.query_one(ChatPane)).values():
            keys.setdefault(binding.action, f"· {self.get_key_display(binding)}")
        return keys

    def _picture(self) -> None:
        self.deliver_screenshot()

    def _runner(self, command: Command) -> Any:
        async def run() -> None:
            if not command.action.startswith("app."):
                await self.action_pane("chat")
            await self.query_one(ChatPane).run_command(command, "")

        return run

    # Choices

    def _watch_theme(self, theme_name: str) -> None:
        super()._watch_theme(theme_name)
        if getattr(self, "_remembering", False):
            self._remember(theme=theme_name)

    def _remember(self, **choices: object) -> None:
        self._state = msgspec.structs.replace(self._state, **choices)
        try:
            self._state_file.save(self._state)
        except OSError as error:
            self.notify(f"The choice could not be saved: {error.strerror or error}.", severity="warning", markup=False)
