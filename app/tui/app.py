"""The terminal interface: panes, bars, themes, and what holds them together."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.screen import Screen
from textual.types import CSSPathType

from app.errors import PlaygroundError

from .app_keys import KEYS
from .bars.bars import Bars
from .bars.keys import KeyBar
from .bars.status import StatusBar
from .bars.tabs import TabBar
from .chat.news import ModelChosen, SessionChanged, StatusChanged
from .chat.pane import ChatPane
from .choices import Choices
from .face import Face
from .guard import Guard
from .interruption import Interruption, UnderWay
from .key_map import KeyMap
from .memory_desk import MemoryDesk
from .model_desk import ModelDesk
from .pane_stack import PaneStack
from .panes import PANES, Parts
from .privacy_desk import PrivacyDesk
from .quick_screen import QuickScreen
from .reporter import Reporter
from .server.desk import ServerDesk
from .state import StateFile
from .terminal_keys import forgive_bytes, teach_alt_enter
from .theme_choice import ThemeChoice
from .vault_desk import VaultDesk
from .vault_view import VaultView
from .voice.desk import VoiceDesk

if TYPE_CHECKING:
    from app.playground import Playground


class PlaygroundApp(Face):
    """The interface of one ``Playground``; whoever opened that closes it."""

    TITLE = "Playground"
    CSS_PATH: ClassVar[CSSPathType] = ["app.tcss", "chat/pane.tcss", "models/pane.tcss", "sessions/pane.tcss"]
    NOTIFICATION_TIMEOUT = 4
    AUTO_FOCUS = "Composer"
    # A class variable there too, written so that mypy takes it for an instance's.
    VERTICAL_BREAKPOINTS: ClassVar[list[tuple[int, str]]] = [(0, "-short"), (16, "-tall")]  # type: ignore[misc]

    BINDINGS: ClassVar[list[BindingType]] = list(KEYS)

    _remembering = False

    def __init__(self, playground: Playground, environ: dict[str, str] | None = None) -> None:
        teach_alt_enter()
        forgive_bytes()
        super().__init__()
        settings, folders, vault = playground.settings, playground.folders, playground.vault
        self._playground = playground
        self._environ = dict(os.environ) if environ is None else environ
        self._reporter = Reporter(self.notify, folders.logs)
        self._choices = Choices(StateFile(folders.data), self.notify)
        self._keys = KeyMap(settings.tui.keys, self.notify)
        self._bars = Bars(self, lambda: vault.protection)
        self._panes = PaneStack(self._chat, self._parts)
        self._desk = ModelDesk(playground, lambda _: self._models_changed())
        self._memory = MemoryDesk(playground, lambda: self._panes.answering)
        self._server_desk = ServerDesk(playground, self._server_changed)
        self._voice = VoiceDesk(self, playground, self._desk)
        self._vault_desk = VaultDesk(self, playground, self._bars.protection_changed)
        self._vault_view = VaultView(
            self, vault, self._panes, self._bars, self._memory, self._voice, self._vault_desk.daily_backup
        )
        self._guard = Guard(vault, self._vault_view, settings.vault.lock_after_s, self.notify)
        self._privacy = PrivacyDesk(self, playground, self._local_only_changed)
        if self._choices.state.local_only:
            self._privacy.forbid()
        answer = UnderWay(lambda: self._panes.answering, self._panes.stop_answering)
        self._interruption = Interruption(self, (UnderWay(lambda: self._voice.runs, self._voice.stop), answer))
        self._themes = ThemeChoice(self, folders.config / "themes", settings.tui.theme)
        self.theme = self._themes.first(self._choices.state.theme, self._environ)

    def _first_model(self) -> str:
        wanted = self._choices.state.model
        return wanted if wanted and self._desk.known(wanted) else self._playground.settings.models.default

    def get_default_screen(self) -> QuickScreen:
        """The screen below all others."""
        return QuickScreen()

    def compose(self) -> ComposeResult:
        """Tabs, the pane, status, keys."""
        yield TabBar(tuple((entry.name, entry.title) for entry in PANES))
        yield self._panes
        yield StatusBar(local_only=self._privacy.local_only)
        yield KeyBar()

    def on_mount(self) -> None:
        """Applies the person's keys and spacing; everything slow waits for the first paint."""
        if self._keys.moved:
            self.set_keymap(self._keys.moved)
        density = self._choices.state.density or self._playground.settings.tui.density
        self.set_class(density == "compact", "-compact")
        self._remembering = True
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self._panes.chat.begin()
        self.run_worker(self._guard.open(), group="vault", exit_on_error=False)
        self.set_interval(5.0, self._watch_idleness)
        self._keys.warn([self, *self.screen.walk_children(with_self=True)])
        self._themes.say_what_is_wrong()

    async def on_unmount(self) -> None:
        """Stops what this interface started, and sees that everything is kept."""
        await self._memory.end()
        await self._panes.aclose()
        await self._server_desk.aclose()
        await self._desk.downloads.aclose()

    def _chat(self) -> ChatPane:
        return ChatPane(self._desk, self._first_model(), self._environ, self._playground.settings.chat)

    def _parts(self) -> Parts:
        return Parts(self._playground, self._desk, self._server_desk, self._memory, self._first_model())

    # What parts may ask for

    def notify_error(self, error: PlaygroundError) -> None:
        """Shows an error beside what is going on."""
        self._reporter.error(error)

    def report_fault(self, error: Exception) -> None:
        """Shows that the program itself failed, and writes the details to the log."""
        self._reporter.fault(error)

    def keys_by_id(self, node: DOMNode) -> dict[str, Binding]:
        """The bindings of a node and of those around it by their ids, as the person moved them."""
        return self._keys.by_id(node)

    def use_theme(self, name: str) -> None:
        """Changes the colours and remembers the choice."""
        self._themes.use(name)

    # The vault

    async def on_event(self, event: events.Event) -> None:
        """Every key and click says that somebody is there."""
        if isinstance(event, events.InputEvent):
            self._guard.used()
            self._memory.typed()
        await super().on_event(event)

    def _watch_idleness(self) -> None:
        if self.terminal.lent:
            self._guard.used()  # somebody writes in an editor; nothing may be painted over it
        if self._guard.unattended and not self._panes.answering:
            self.action_lock()

    # What the panes and the lines tell

    @on(TabBar.Resized)
    def _tabs_resized(self) -> None:
        self._bars.protection_changed()

    @on(TabBar.Chosen)
    async def _tab_chosen(self, event: TabBar.Chosen) -> None:
        await self.action_pane(event.pane)

    @on(SessionChanged)
    def _session_changed(self) -> None:
        self._memory.wake()

    @on(StatusChanged)
    def _status_changed(self, event: StatusChanged) -> None:
        self._bars.say_status(event.status)

    @on(ModelChosen)
    def _model_chosen(self, event: ModelChosen) -> None:
        self._choices.remember(model=event.model)

    def _models_changed(self) -> None:
        for pane in self._panes.shown:
            pane.model_changed()

    def _server_changed(self) -> None:
        for pane in self._panes.shown:
            pane.server_changed()
        self._bars.say_serving(self._server_desk.address if self._server_desk.state == "on" else "")

    def _local_only_changed(self, on_: bool) -> None:
        # What the settings say holds at every start: only more privacy than that is remembered.
        self._choices.remember(local_only=on_ or None)
        self._bars.say_local_only(on_)
        self._models_changed()

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The key of the pane that is shown is not offered, nor that of dictation where nothing can be written."""
        if action == "pane":
            return self._panes.front not in parameters
        return self._voice.offered if action == "dictate" else True

    async def action_pane(self, pane: str) -> None:
        """Shows a pane; one that was never shown is made now."""
        await self._panes.show(pane)

    def action_help(self) -> None:
        """Shows what the focused part is for, and its keys."""
        from .help_here import help_here

        if len(self.screen_stack) == 1:
            self.push_screen(help_here(self, self.focused or self._panes))

    async def action_help_quit(self) -> None:  # type: ignore[override]  # actions may be of either kind
        """Ends what is under way, nearest to the keys first; where nothing is, twice leaves."""
        await self._interruption.handle()

    def action_dictate(self) -> None:
        """Begins to listen; again, stops once what was said is written."""
        self._voice.switch()

    def action_lock(self) -> None:
        """Locks the vault now."""
        self.run_worker(self._guard.lock(), group="vault", exit_on_error=False)

    def action_passphrase(self) -> None:
        """Sets or changes the passphrase."""
        self._vault_desk.choose_passphrase()

    def action_remove_passphrase(self) -> None:
        """Takes the passphrase away."""
        self._vault_desk.remove_passphrase()

    def action_recovery_key(self) -> None:
        """Makes a recovery key."""
        self._vault_desk.make_recovery_key()

    def action_backup(self) -> None:
        """Backs up now."""
        self.run_worker(self._vault_desk.backup(), group="backup", exit_on_error=False)

    @on(StatusBar.PrivacyClicked)
    def action_local_only(self) -> None:
        """Lets nothing leave this machine; again, after a question, allows it."""
        self._privacy.decide()

    def action_density(self) -> None:
        """Changes between comfortable and compact spacing."""
        compact = not self.has_class("-compact")
        self.set_class(compact, "-compact")
        self._choices.remember(density="compact" if compact else "comfortable")

    def action_theme(self) -> None:
        """Opens the list of themes."""
        from .palette import palette_of_themes

        self.push_screen(palette_of_themes())

    def _watch_theme(self, theme_name: str) -> None:
        super()._watch_theme(theme_name)
        if self._remembering:
            self._choices.remember(theme=theme_name)

    # The palette

    def action_command_palette(self) -> None:
        """Lists everything that can be done."""
        from .palette import Palette

        if self.use_command_palette and not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Everything that can be done, for the palette."""
        from .palette import palette_commands

        yield from palette_commands(self._panes.chat, self.action_pane)
        for pane in self._panes.shown:
            if pane.display:
                yield from pane.commands()
        yield SystemCommand("Dictate", "Write what is said into the text that has the keys.", self.action_dictate)
        yield SystemCommand("Remove the passphrase", "Let the vault open without one.", self.action_remove_passphrase)
        yield SystemCommand("Recovery key", "Make a key to print and put away.", self.action_recovery_key)
        yield SystemCommand(
            "Screenshot", "Save a picture of the screen.", lambda: self.set_timer(0.1, self.deliver_screenshot)
        )
