"""The Sessions pane: the list of conversations, and a field that searches them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message

from app.tui.row_list import RowList
from app.tui.unlock.notice import ProtectionNotice

from .hit_list import HitList
from .preview import Preview
from .search_field import SearchField
from .searching import Memories, SessionSearching
from .session_list import SessionList
from .settled_memory import settle_memory, unsettle_memory
from .shelf_bar import SHELVES, ShelfBar

if TYPE_CHECKING:
    from app.vault.sessions import Shelf
    from app.vault.vault import Vault

_ON_CHOSEN = frozenset({"open", "pin", "tag", "rename", "archive", "delete", "export", "restore", "purge"})
_IN_BIN = frozenset({"restore", "purge"})
_OUT_OF_BIN = frozenset({"open", "pin", "tag", "rename", "archive", "delete"})


class SessionsPane(SessionSearching):
    """Every conversation that is kept. The list is as long as it likes: what is not in view is not read."""

    HELP = """\
Every conversation that is kept in the vault. **Enter** opens the chosen one; **/** searches what was said and the
titles as you type, and opens a hit at its message. Below those stands what memory finds in other words. What is deleted
lies in the bin until it is deleted there too.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="sessions.open"),
        Binding("slash", "search", "Search", key_display="/", id="sessions.search"),
        Binding("o", "turn", "Other words", id="sessions.other_words"),
        Binding("b", "restore", "Bring back", id="sessions.restore"),
        Binding("p", "pin", "Pin", id="sessions.pin"),
        Binding("t", "tag", "Tag", id="sessions.tag"),
        Binding("r", "rename", "Rename", id="sessions.rename"),
        Binding("a", "archive", "Archive", id="sessions.archive"),
        Binding("d,delete", "delete", "Delete", id="sessions.delete"),
        Binding("d,delete", "purge", "Delete for good", id="sessions.purge"),
        Binding("u", "undo", "Undo", id="sessions.undo"),
        Binding("e", "export", "Export", id="sessions.export"),
        Binding("i", "import", "Import", id="sessions.import"),
        Binding("tab", "shelf(1)", "Next shelf", id="sessions.next_shelf"),
        Binding("shift+tab", "shelf(-1)", "Previous shelf", show=False, id="sessions.previous_shelf"),
        Binding("n", "new", "New", id="sessions.new"),
        Binding("escape", "leave_search", "All", key_display="esc", id="sessions.leave_search"),
    ]

    class OpenWanted(Message):
        """The person wants to go on with a conversation, at a message or at its end."""

        def __init__(self, session_id: str, node_id: str | None) -> None:
            super().__init__()
            self.session_id = session_id
            self.node_id = node_id

    class NewWanted(Message):
        """The person wants to begin a conversation."""

    def __init__(self, vault: Vault, clock: Callable[[], float] = time.time, memory: Memories | None = None) -> None:
        """``clock``: seconds since 1970, for "today" and "5 min"; ``memory``: finds what was said in other words."""
        super().__init__(vault, clock, memory, id="sessions")

    def compose(self) -> ComposeResult:
        """Shelves, the field, the list with the preview beside it."""
        yield ShelfBar()
        yield SearchField()
        with Horizontal(id="session-body"):
            yield SessionList(self._pages, self._clock)
            yield HitList(self._clock)
            yield Preview()
        yield ProtectionNotice()

    def on_show(self) -> None:
        """Scrolling begins soon."""
        settle_memory()

    def on_unmount(self) -> None:
        """The interface closes."""
        unsettle_memory()

    def take_focus(self) -> None:
        """Puts the keys to the list."""
        self._rows.focus()

    # Shelves

    def action_shelf(self, step: int) -> None:
        """Shows the next shelf."""
        names = [name for name, _ in SHELVES]
        self._show_shelf(names[(names.index(self._shelf) + step) % len(names)])

    @on(ShelfBar.Chosen)
    def _shelf_clicked(self, event: ShelfBar.Chosen) -> None:
        self._show_shelf(event.shelf)

    def _show_shelf(self, shelf: Shelf) -> None:
        if self._searching:
            self.action_leave_search()
        self._shelf = shelf
        self.query_one(ShelfBar).shelf = shelf
        self.begin_shelf()
        self.query_one(SessionList).focus()

    # Going there

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only keys that would do something here and now."""
        if not self.is_mounted:
            return True
        if self._vault.state != "open":
            return action not in _ON_CHOSEN | {"undo", "import", "shelf", "search", "leave_search", "turn"}
        in_bin = self._shelf == "bin" and not self._searching
        if (action in _IN_BIN and not in_bin) or (action in _OUT_OF_BIN and in_bin):
            return False
        if action in _ON_CHOSEN:
            return self.chosen_id is not None
        if action == "undo":
            return self.can_undo
        if action == "search":
            return not self.query_one(SearchField).has_focus
        if action == "leave_search":
            return bool(self._words)
        if action == "turn":
            return self._searching and self.query_one(HitList).can_turn
        return True

    @on(RowList.Taken)
    def _taken(self, event: RowList.Taken) -> None:
        event.stop()
        self.open_chosen()

    def action_open(self) -> None:
        """Goes on with the chosen conversation."""
        self.open_chosen()

    def open_chosen(self) -> None:
        """Goes on with the chosen conversation, at the message that was found."""
        chosen = self._chosen
        if chosen is None:
            return
        if self._shelf == "bin" and not self._searching:
            self._say(f"It lies in the bin: {self.key_of('sessions.restore')} brings it back.")
        else:
            self.post_message(self.OpenWanted(*chosen))

    def action_new(self) -> None:
        """Begins a conversation."""
        self.post_message(self.NewWanted())
