"""The keys that hold everywhere."""

from __future__ import annotations

from textual.binding import Binding

from .panes import PANES

KEYS: tuple[Binding, ...] = (
    *(
        # Not in the line of keys: the tabs name them.
        Binding(entry.key, f"pane('{entry.name}')", entry.title, show=False, priority=True, id=f"app.{entry.name}")
        for entry in PANES
    ),
    Binding("f11,alt+d", "dictate", "Dictate", show=False, priority=True, id="app.dictate"),
    Binding("ctrl+c", "help_quit", "Stop or quit", show=False, id="app.interrupt"),
    Binding("f1", "help", "Help", id="app.help"),
    Binding("question_mark", "help", "Help, when not typing", show=False, id="app.help_when_not_typing"),
    Binding("ctrl+p", "command_palette", "Palette", priority=True, id="app.palette"),
    Binding("alt+l", "local_only", "Local only", show=False, priority=True, id="app.local_only"),
    Binding("ctrl+q", "quit", "Quit", show=False, priority=True, id="app.quit"),
)
