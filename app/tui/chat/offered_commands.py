"""The commands that fit what is being typed after a slash."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from .commands import Command

MOST = 8


class OfferedCommands(Widget):
    """A few lines above the composer. The composer keeps the focus and moves the highlight."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    OfferedCommands { height: auto; max-height: 8; width: 1fr; padding: 0 2; background: $surface; display: none;
        text-wrap: nowrap; text-overflow: ellipsis; }
    """

    class Taken(Message):
        """A command was clicked."""

        def __init__(self, command: Command) -> None:
            super().__init__()
            self.command = command

    def __init__(self) -> None:
        super().__init__(id="commands")
        self._commands: tuple[Command, ...] = ()
        self._place = 0

    def offer(self, commands: tuple[Command, ...]) -> None:
        """Shows these; hides itself when there are none."""
        if commands != self._commands:
            self._commands, self._place = commands, 0
            self.display = bool(commands)
            self.refresh(layout=True)

    @property
    def highlighted(self) -> Command | None:
        """The command that Enter would take."""
        return self._commands[self._place] if self._commands else None

    def move(self, step: int) -> None:
        """Moves the highlight, round the ends."""
        if self._commands:
            self._place = (self._place + step) % len(self._commands)
            self.refresh()

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """One line a command."""
        return min(MOST, len(self._commands))

    def render(self) -> Content:
        """Name, argument, sentence."""
        start = self._start()
        lines = []
        for place, command in enumerate(self._commands[start : start + MOST], start):
            name = f"/{command.name} {command.argument}".ljust(16)
            line = Content.assemble((name, "bold $primary"), (command.help, "$text-muted"))
            if place == self._place:
                line = Content.styled(
                    f"{name}{command.help}".ljust(self.content_size.width),
                    "$block-cursor-foreground on $block-cursor-background",
                )
            lines.append(line)
        return Content("\n").join(lines)

    def _start(self) -> int:
        return max(0, min(self._place - MOST + 2, len(self._commands) - MOST)) if len(self._commands) > MOST else 0

    def on_click(self, event: events.Click) -> None:
        """A click takes the command."""
        place = self._start() + event.y
        if 0 <= place < len(self._commands):
            self.post_message(self.Taken(self._commands[place]))
