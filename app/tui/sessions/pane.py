"""The Sessions pane: the list of conversations, and a field that searches them."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.widgets import Input

from app.tui.pane import Pane
from app.tui.row_list import RowList
from app.tui.settled_memory import settle_memory, unsettle_memory
from app.tui.surroundings import PaneSurroundings
from app.tui.unlock.notice import ProtectionNotice

from .deeds import Deeds
from .exchange import Exchange
from .keys import KEYS, is_offered
from .listing import Listing
from .other_words import Memories, OtherWords
from .search import Search
from .search_field import SearchField
from .shelf_bar import ShelfBar

if TYPE_CHECKING:
    from app.vault.conversations.sessions import Shelf
    from app.vault.vault import Vault

_GUARD_SECONDS = 0.5


class SessionsPane(Pane):
    """Every conversation that is kept. The list is as long as it likes: what is not in view is not read."""

    HELP = """\
Every conversation that is kept in the vault. **Enter** opens the chosen one; **/** searches what was said and the
titles as you type, and opens a hit at its message. Below those stands what memory finds in other words. What is deleted
lies in the bin until it is deleted there too.
"""

    BINDINGS: ClassVar[list[BindingType]] = list(KEYS)

    class Changed(Message):
        """A conversation was changed, taken in, deleted or brought back here."""

        def __init__(self, session_id: str) -> None:
            super().__init__()
            self.session_id = session_id

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
        super().__init__(id="sessions")
        self._vault = vault
        self._around = around = PaneSurroundings(self)
        self._bar, self._field, self._notice = ShelfBar(), SearchField(), ProtectionNotice()
        self._listing = Listing(vault, clock, self._bar, around, counted=self._show_protection, mark=self.set_class)
        self._selection, self._hits = self._listing.selection, self._listing.hits
        self._other_words = OtherWords(memory)
        self.search = Search(
            vault, self._other_words, self._listing, around, found=self._show_found, open_chosen=self.action_open
        )
        self.deeds = Deeds(vault.sessions, around, self._changed)
        self._exchange = Exchange(
            vault.sessions, around, taken_in=lambda one: self.post_message(self.Changed(one)), ended=self.reload
        )

    def compose(self) -> ComposeResult:
        """Shelves, the field, the list with the preview beside it."""
        yield self._bar
        yield self._field
        yield self._listing
        yield self._notice

    # As the vault, the terminal and the shelves go by

    def on_mount(self) -> None:
        """Looks now and then whether the vault is still open."""
        self.set_interval(_GUARD_SECONDS, self._guard)

    def on_show(self) -> None:
        """Scrolling begins soon."""
        settle_memory()

    def on_unmount(self) -> None:
        """The interface closes."""
        unsettle_memory()

    def on_resize(self, event: events.Resize) -> None:
        """A preview only where there is room for it."""
        self._listing.make_room(event.size.width + 2)

    @on(SearchField.Left)
    def take_focus(self) -> None:
        """Puts the keys to the list."""
        self._selection.rows.focus()

    def shown(self) -> None:
        """Reads again."""
        self.reload()

    def session_changed(self) -> None:
        """Reads again, when it can be seen."""
        if self.display:
            self.reload()

    async def vault_opened(self, vault: Vault) -> None:
        """Reads what is there."""
        self.reload()

    async def vault_closing(self) -> None:
        """Forgets it."""
        self.clear()

    def reload(self) -> None:
        """Shows what the vault holds now: after it was unlocked, or after another part changed something."""
        self._listing.reload()
        self.search.again()

    def clear(self) -> None:
        """Forgets everything that was read, and everything that was typed: the vault is being locked."""
        # A notice may name a conversation, or a file that is called like one.
        self.app.clear_notifications()
        for part in (self.deeds, self._exchange, self.search):
            part.forget()
        with self.prevent(Input.Changed):
            self._field.value = ""
        self._listing.forget()

    def _guard(self) -> None:
        """What was still being read while the vault was locked is forgotten too; what guards it may have changed."""
        self._bar.aside = self._other_words.progress
        if self._vault.state == "open":
            self._show_protection()
        elif self._listing.holds_something:
            self.clear()

    def _show_protection(self) -> None:
        self._notice.show_protection(self._vault.protection)

    @on(ShelfBar.Chosen)
    def _shelf_clicked(self, event: ShelfBar.Chosen) -> None:
        self._show_shelf(event.shelf)

    def action_shelf(self, step: int) -> None:
        """Shows the next shelf."""
        self._show_shelf(self._listing.shelf_at(step))

    def _show_shelf(self, shelf: Shelf) -> None:
        if self._selection.of_hits:
            self.action_leave_search()
        self._listing.show_shelf(shelf)

    # The field

    def _show_found(self) -> None:
        self._field.other_words = self._hits.can_turn
        self._give_keys()
        self._listing.show_found()
        self.refresh_bindings()

    @on(Input.Changed, "#session-search")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.search.type(event.value)

    @on(Input.Submitted, "#session-search")
    def _submitted(self) -> None:
        self.search.submit()

    @on(SearchField.Moved)
    def _move(self, event: SearchField.Moved) -> None:
        self._selection.rows.action_step(event.step)

    @on(SearchField.Turned)
    def action_turn(self) -> None:
        """Goes to what was said in other words, and back."""
        if self._selection.of_hits:
            self._hits.turn()

    @on(events.DescendantFocus)
    @on(events.DescendantBlur)
    def _give_keys(self) -> None:
        """While one types in the field its arrow keys move through the list, which looks as if it had the focus."""
        self._listing.show_as_active(self._field.has_focus and bool(self.search.words))

    def action_search(self) -> None:
        """Goes to the field."""
        self._field.focus()

    def action_leave_search(self) -> None:
        """Empties the field: the whole list again."""
        self._field.value = ""
        self._listing.lines.focus()

    # The chosen conversation

    @property
    def chosen_id(self) -> str | None:
        """The chosen conversation."""
        chosen = self._selection.chosen if self.is_mounted else None
        return None if chosen is None else chosen[0]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only keys that would do something here and now."""
        if not self.is_mounted:
            return True
        return is_offered(
            action,
            vault_open=self._vault.state == "open",
            in_bin=self._listing.in_bin,
            chosen=self.chosen_id is not None,
            can_undo=self.deeds.can_undo,
            typing=self._field.has_focus,
            words=bool(self.search.words),
            other_words=self._selection.of_hits and self._hits.can_turn,
        )

    def _changed(self, session_id: str) -> None:
        self.post_message(self.Changed(session_id))
        self.reload()
        self.refresh_bindings()

    def _do_to_chosen(self, deed: Callable[[str], Coroutine[Any, Any, None]]) -> None:
        if self.chosen_id is not None:
            self.do(deed(self.chosen_id))

    @on(RowList.Taken)
    def action_open(self) -> None:
        """Goes on with the chosen conversation, at the message that was found."""
        chosen = self._selection.chosen
        if chosen is None:
            return
        if self._listing.in_bin:
            self._around.say(f"It lies in the bin: {self._around.key_of('sessions.restore')} brings it back.")
        else:
            self.post_message(self.OpenWanted(*chosen))

    def action_new(self) -> None:
        """Begins a conversation."""
        self.post_message(self.NewWanted())

    def action_pin(self) -> None:
        """Keeps the conversation at the top, or lets it go."""
        self._do_to_chosen(self.deeds.pin)

    def action_rename(self) -> None:
        """Asks for a title."""
        self._do_to_chosen(self.deeds.rename)

    def action_tag(self) -> None:
        """Asks for tags."""
        self._do_to_chosen(self.deeds.tag)

    def action_archive(self) -> None:
        """Puts the conversation out of the usual list, or takes it back."""
        self._do_to_chosen(self.deeds.archive)

    def action_delete(self) -> None:
        """Puts the conversation into the bin."""
        self._do_to_chosen(self.deeds.delete)

    def action_restore(self) -> None:
        """Takes the conversation out of the bin."""
        self._do_to_chosen(self.deeds.restore)

    def action_purge(self) -> None:
        """Removes the conversation for good, after a question."""
        self._do_to_chosen(self.deeds.purge)

    def action_undo(self) -> None:
        """Brings back what was deleted or archived last."""
        self.deeds.undo()

    def action_export(self) -> None:
        """Asks for a form and a file, and writes the conversation there."""
        self._do_to_chosen(self._exchange.ask_to_export)

    def action_import(self) -> None:
        """Asks for a file, and takes its conversations in."""
        self._exchange.ask_to_import()
