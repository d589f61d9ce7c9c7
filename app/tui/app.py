"""The terminal interface: panes, bars, themes, and what holds them together."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from textual import events, on
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.css.query import NoMatches
from textual.dom import DOMNode
from textual.screen import Screen
from textual.types import CSSPathType

from app.errors import PlaygroundError
from app.privacy.terminal import clean

from . import themes
from .bars.keys import KeyBar
from .bars.status import StatusBar
from .bars.tabs import TabBar
from .chat.commands import COMMANDS, Command
from .chat.composer import Composer
from .chat.pane import ChatPane
from .downloads import Download
from .face import Face
from .model_desk import ModelDesk
from .quick_screen import QuickScreen
from .state import StateFile
from .terminal_keys import teach_alt_enter
from .vault_desk import VaultDesk

if TYPE_CHECKING:
    from app.playground import Playground

PANES = (("chat", "Chat"), ("sessions", "Sessions"), ("models", "Models"))


class PlaygroundApp(Face):
    """The interface of one ``Playground``; whoever opened that closes it."""

    TITLE = "Playground"
    CSS_PATH: ClassVar[CSSPathType] = ["app.tcss", "chat/pane.tcss", "models/pane.tcss", "sessions/pane.tcss"]
    NOTIFICATION_TIMEOUT = 4
    AUTO_FOCUS = "Composer"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "pane('chat')", "Chat", priority=True, id="app.chat"),
        Binding("f7", "pane('sessions')", "Sessions", priority=True, id="app.sessions"),
        Binding("f8", "pane('models')", "Models", priority=True, id="app.models"),
        Binding("f1", "help", "Help", id="app.help"),
        Binding("question_mark", "help", "Help", show=False, id="app.help_when_not_typing"),
        Binding("ctrl+p", "command_palette", "Palette", priority=True, id="app.palette"),
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True, id="app.quit"),
        Binding("ctrl+c", "help_quit", "Stop or quit", show=False, id="app.interrupt"),
    ]

    def __init__(self, playground: Playground, environ: dict[str, str] | None = None) -> None:
        teach_alt_enter()
        super().__init__()
        self._playground = playground
        self._environ = dict(os.environ) if environ is None else environ
        self._state_file = StateFile(playground.folders.data)
        self._state = self._state_file.load()
        self._desk = ModelDesk(playground, self._download_changed)
        self._vault_desk = VaultDesk(self, playground)
        self._asked_to_quit = False
        self._remembering = False
        for theme in themes.OURS:
            self.register_theme(theme)
        self.theme = self._first_theme()

    def _first_theme(self) -> str:
        wanted = self._state.theme or self._playground.settings.tui.theme
        if self._state.theme is None and themes.sixteen_colours(self._environ):
            return themes.TERMINAL.name
        return wanted if wanted in self.available_themes else themes.DEFAULT

    def _first_model(self) -> str:
        wanted = self._state.model
        return wanted if wanted and self._desk.known(wanted) else self._playground.settings.models.default

    def get_default_screen(self) -> QuickScreen:
        """The screen below all others."""
        return QuickScreen()

    def compose(self) -> ComposeResult:
        """Tabs, the pane, status, keys."""
        tabs = TabBar(PANES)
        tabs.current = "chat"
        tabs.local_only = self._playground.settings.privacy.local_only
        yield tabs
        with Container(id="panes"):
            yield ChatPane(self._desk, self._first_model(), self._environ, self._playground.settings.chat)
        yield StatusBar()
        yield KeyBar()

    def on_mount(self) -> None:
        """Applies the person's keys and spacing; everything slow waits for the first paint."""
        keys = self._playground.settings.tui.keys
        if keys:
            self.set_keymap(keys)
        density = self._state.density or self._playground.settings.tui.density
        self.set_class(density == "compact", "-compact")
        self._remembering = True
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.query_one(ChatPane).begin()
        self.run_worker(self._vault_desk.open(), group="vault", exit_on_error=False)
        self.set_interval(5.0, self._watch_idleness)
        unknown = sorted(set(self._playground.settings.tui.keys) - {name for name, _ in self._binding_ids()})
        if unknown:
            self.notify(
                f"No key is called {', '.join(unknown)}; the help shows the names.",
                title="Unknown key names in the settings",
                severity="warning",
                markup=False,
            )

    async def on_unmount(self) -> None:
        """Stops what this interface started, and sees that everything is kept."""
        for chat in self.query(ChatPane):
            if chat.keeper is not None:
                await chat.keeper.aclose()
        await self._desk.downloads.aclose()

    # What the parts ask for

    def notify_error(self, error: PlaygroundError) -> None:
        """Title, message and remedy in a toast."""
        words = clean(f"{error.message}\n{error.remedy}" if error.remedy else error.message)
        self.notify(words, title=clean(error.title), severity="error", timeout=10, markup=False)

    def report_fault(self, error: Exception) -> None:
        """A sentence on the screen, the details in the log."""
        self.log.error(repr(error))
        self._write_fault(error)
        self.notify_error(
            PlaygroundError(
                f"This is a fault in the program: {type(error).__name__}.",
                "What was said is kept; the details are in the log folder.",
            )
        )

    def _write_fault(self, error: Exception) -> None:
        import time
        import traceback

        folder = self._playground.folders.logs
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with (folder / "faults.log").open("a", encoding="utf-8") as file:
                # Where it happened, not what was being said: a log is plain text on disk.
                file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {type(error).__name__}\n")
                file.writelines(traceback.format_tb(error.__traceback__))
        except OSError as problem:
            self.log.error(repr(problem))

    def use_theme(self, name: str) -> None:
        """Changes the colours; ``light`` means our light theme."""
        full = name if name in self.available_themes else f"playground-{name}"
        if full not in self.available_themes:
            ours = ", ".join(theme.name.removeprefix("playground-") for theme in themes.OURS)
            self.notify(f"There is no theme {name!r}. Ours: {ours}.", severity="warning", markup=False)
            return
        self.theme = full

    def keys_by_id(self, node: DOMNode) -> dict[str, Binding]:
        """The bindings of a node and of those around it, nearest first, by id."""
        found: dict[str, Binding] = {}
        for binding_id, binding in self._binding_ids(node):
            found.setdefault(binding_id, binding)
        return found

    def _binding_ids(self, node: DOMNode | None = None) -> Iterator[tuple[str, Binding]]:
        keymap = self._playground.settings.tui.keys
        nodes: Iterable[DOMNode] = (
            [node, *node.ancestors] if node is not None else [self, *self.screen.walk_children(with_self=True)]
        )
        for owner in nodes:
            for binding in owner._bindings.key_to_bindings.values():
                for one in binding:
                    if one.id:
                        moved = keymap.get(one.id)
                        yield one.id, one.with_key(moved.split(",")[0]) if moved else one

    def get_key_display(self, binding: Binding) -> str:
        """Short names: ``^r``, ``F1``, ``⏎``."""
        if binding.key == "enter":
            return "⏎"
        if binding.key[:1] == "f" and binding.key[1:].isdecimal():
            return binding.key.upper()
        return super().get_key_display(binding)

    # Panes

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The key of the pane that is shown is not offered."""
        if action == "pane":
            return all(bar.current not in parameters for bar in self.query(TabBar))
        return True

    @on(TabBar.Chosen)
    async def _tab_chosen(self, event: TabBar.Chosen) -> None:
        await self.action_pane(event.pane)

    async def action_pane(self, pane: str) -> None:
        """Shows a pane; one that was never shown is made now."""
        if len(self.screen_stack) > 1:
            return
        panes = self.query_one("#panes", Container)
        if pane == "sessions" and not self.query("#sessions"):
            from .sessions.pane import SessionsPane

            await panes.mount(SessionsPane(self._playground.vault))
        if pane == "models" and not self.query("#models"):
            from .models.pane import ModelsPane

            await panes.mount(ModelsPane(self._desk))
        for child in panes.children:
            child.display = child.id == pane
        self.query_one(TabBar).current = pane
        self.refresh_bindings()
        if pane == "models":
            from .models.pane import ModelsPane

            models = self.query_one(ModelsPane)
            models.refresh_rows()
            models.take_focus()
        elif pane == "sessions":
            from .sessions.pane import SessionsPane

            sessions = self.query_one(SessionsPane)
            sessions.reload()
            sessions.take_focus()
        else:
            self.query_one(Composer).focus()

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

    async def on_session_deeds_changed(self, event: Any) -> None:
        """The chat follows what was done to the conversation that it shows."""
        chat = self.query_one(ChatPane)
        if not chat.answering:
            await chat.session_changed_elsewhere(event.session_id)

    @on(ChatPane.SessionChanged)
    def _session_changed(self) -> None:
        for sessions in self.query("#sessions"):
            if sessions.display:
                sessions.reload()  # type: ignore[attr-defined]  # imported only when it is shown

    # The vault

    async def vault_opened(self) -> None:
        """The vault can be read: shows what was open last."""
        self.protection_changed()
        await self.query_one(ChatPane).attach(self._playground.vault)
        for sessions in self.query("#sessions"):
            sessions.reload()  # type: ignore[attr-defined]  # imported only when it is shown

    async def vault_closing(self) -> None:
        """The vault is about to be locked: nothing of it may stay in memory or on the screen."""
        self.clear_notifications()
        await self.query_one(ChatPane).detach()
        for sessions in self.query("#sessions"):
            sessions.clear()  # type: ignore[attr-defined]  # imported only when it is shown

    def protection_changed(self) -> None:
        """Says in the top line whether a passphrase guards what is kept."""
        for bar in self.query(TabBar):
            bar.unprotected = self._playground.vault.protection == "file"

    async def on_event(self, event: events.Event) -> None:
        """Every key and click says that somebody is there."""
        if isinstance(event, events.InputEvent):
            self._vault_desk.used()
        await super().on_event(event)

    async def _watch_idleness(self) -> None:
        await self._vault_desk.lock_when_idle(busy=self.query_one(ChatPane).answering)

    def action_lock(self) -> None:
        """Locks the vault now."""
        self.run_worker(self._vault_desk.lock(), group="vault", exit_on_error=False)

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

    @on(ChatPane.StatusChanged)
    def _status_changed(self, event: ChatPane.StatusChanged) -> None:
        for bar in self.query(StatusBar):
            bar.status = event.status

    @on(ChatPane.ModelChosen)
    def _model_chosen(self, event: ChatPane.ModelChosen) -> None:
        self._remember(model=event.model)

    def _download_changed(self, _download: Download) -> None:
        try:
            self.query_one(ChatPane).download_changed()
        except NoMatches:
            # The interface is closing; there is nobody to tell.
            return
        for models in self.query("#models"):
            models.refresh_rows()  # type: ignore[attr-defined]

    # Actions

    def action_help(self) -> None:
        """Shows what the focused part is for, and its keys."""
        from .dialogs.help_screen import HelpScreen

        if len(self.screen_stack) > 1:
            return
        texts: list[str] = []
        node: DOMNode | None = self.focused or self.query_one("#panes")
        while node is not None:
            text = getattr(node, "HELP", None)
            if isinstance(text, str) and text and text.strip() not in texts:
                texts.append(text.strip())
            node = node.parent
        seen: dict[tuple[str, str], str] = {}
        for active in sorted(self.screen.active_bindings.values(), key=lambda active: not active.binding.show):
            binding = active.binding
            if binding.id and binding.description:
                key = (binding.description, binding.id)
                shown = self.get_key_display(binding)
                seen[key] = f"{seen[key]}, {shown}" if key in seen and shown not in seen[key] else shown
        keys = [(display, description, name) for (description, name), display in seen.items()]
        self.push_screen(HelpScreen(texts, keys))

    def action_help_quit(self) -> None:
        """Ctrl+C: stops the answer; twice, leaves."""
        chat = self.query_one(ChatPane) if self.query(ChatPane) else None
        if chat is not None and chat.answering:
            self.run_worker(chat.action_stop(), exit_on_error=False)
        elif self._asked_to_quit:
            self.exit()
        else:
            self._asked_to_quit = True
            self.notify("Once more to leave.", timeout=2)
            self.set_timer(2, self._forget_quit)

    def _forget_quit(self) -> None:
        self._asked_to_quit = False

    def action_theme(self) -> None:
        """Opens the list of themes."""
        self.search_themes()

    def action_density(self) -> None:
        """Changes between comfortable and compact spacing."""
        compact = not self.has_class("-compact")
        self.set_class(compact, "-compact")
        self._remember(density="compact" if compact else "comfortable")

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Everything that can be done, for the palette."""
        for command in COMMANDS:
            yield SystemCommand(command.title, command.help, self._runner(command))
        yield SystemCommand("Chat", "Go to the chat.", lambda: self.action_pane("chat"))
        yield SystemCommand("Remove the passphrase", "Let the vault open without one.", self.action_remove_passphrase)
        yield SystemCommand("Recovery key", "Make a key to print and put away.", self.action_recovery_key)
        yield SystemCommand("Screenshot", "Save a picture of the screen.", lambda: self.set_timer(0.1, self._picture))

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
