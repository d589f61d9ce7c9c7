"""Ctrl+C, the same everywhere: marked text is copied, what is open or under way is left, twice leaves the program."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.theme import ThemeProvider

from .voice.speaking_face import SpeakingFace

if TYPE_CHECKING:
    from app.playground import Playground

_LEAVING = frozenset(
    {
        "chat.close_commands",
        "chat.leave_rewriting",
        "chat.stop",
        "recalled.leave",
        "sessions.search_clear",
        "sessions.leave_search",
        "blog.all",
        "find.leave",
        "requests.all",
        "models.cancel",
    }
)
"""The names of the keys that end something: where one of them would do something now, Ctrl+C does the same.

A post that is written on is not among them: Ctrl+C there is mostly meant to copy, and finds nothing marked.
"""

_AGAIN_WITHIN = 2.0
"""Seconds within which the second Ctrl+C leaves the program."""


class InterruptibleFace(SpeakingFace):
    """Knows what Ctrl+C ends. Dialogs have the key themselves, and are left by it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "help_quit", "Stop or quit", show=False, id="app.interrupt"),
    ]

    def __init__(self, playground: Playground) -> None:
        super().__init__(playground)
        self._asked_to_quit = False

    @abstractmethod
    async def stop_answering(self) -> None:
        """Ends the answer that is being waited for, and keeps what came of it."""

    async def action_help_quit(self) -> None:  # type: ignore[override]  # actions may be of either kind
        """Ends what is under way, nearest to the keys first; where nothing is, twice leaves."""
        for active in self.screen.active_bindings.values():
            if active.enabled and active.binding.id in _LEAVING:
                await self.run_action(active.binding.action, active.node)
                return
        if self._dictation_runs:
            self.action_dictate()
        elif self.answering:
            await self.stop_answering()
        elif self._asked_to_quit:
            self.exit()
        else:
            self._asked_to_quit = True
            self.notify("Once more to leave.", timeout=_AGAIN_WITHIN)
            self.set_timer(_AGAIN_WITHIN, self._forget_quit)

    def _forget_quit(self) -> None:
        self._asked_to_quit = False

    def action_command_palette(self) -> None:
        """Lists everything that can be done."""
        if self.use_command_palette and not isinstance(self.screen, CommandPalette):
            self.push_screen(Palette(id="--command-palette"))

    def search_themes(self) -> None:
        """Lists the themes."""
        self.push_screen(Palette(providers=[ThemeProvider], placeholder="Search for themes…"))


class Palette(CommandPalette):
    """Textual's list of commands, left by Ctrl+C as well."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "escape", "Close", show=False, id="palette.interrupt"),
    ]
