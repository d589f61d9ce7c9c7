"""The list of everything that can be done, and what stands in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any, ClassVar

from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.theme import ThemeProvider

from .chat.commands import COMMANDS, Command
from .chat.pane import ChatPane
from .panes import PANES


class Palette(CommandPalette):
    """Textual's list of commands, left by Ctrl+C as well."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "escape", "Close", show=False, id="palette.interrupt"),
    ]


def palette_of_themes() -> Palette:
    """The list of the themes."""
    return Palette(providers=[ThemeProvider], placeholder="Search for themes…")


def palette_commands(chat: ChatPane, show: Callable[[str], Awaitable[None]]) -> Iterator[SystemCommand]:
    """The commands that can be typed, and the panes that none of them shows, each with its key.

    Args:
        chat: does the commands.
        show: shows the pane of a name.
    """
    keys = _keys_by_action(chat)
    for command in COMMANDS:
        key = keys.get(command.action.removeprefix("app."), "")
        yield SystemCommand(command.title, f"{command.help} {key}".rstrip(), _runner(command, chat, show))
    named = {command.action for command in COMMANDS}
    for entry in PANES:
        if f"app.pane('{entry.name}')" not in named:
            key = keys.get(f"pane('{entry.name}')", "")
            yield SystemCommand(entry.title, f"{entry.help} {key}".rstrip(), partial(show, entry.name))


def _keys_by_action(chat: ChatPane) -> dict[str, str]:
    """How the first key of each action of the chat and of the program is written."""
    keys: dict[str, str] = {}
    for binding in chat.app.keys_by_id(chat).values():
        keys.setdefault(binding.action, f"· {chat.app.get_key_display(binding)}")
    return keys


def _runner(command: Command, chat: ChatPane, show: Callable[[str], Awaitable[None]]) -> Any:
    async def run() -> None:
        if not command.action.startswith("app."):
            await show("chat")
        await chat.run_command(command, "")

    return run
