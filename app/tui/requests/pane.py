"""The Requests pane: what was asked of models, by whom, and how it went."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, Static

from app.errors import VaultLockedError
from app.privacy.masking import Masker
from app.privacy.terminal import clean
from app.tui import words
from app.tui.pane import Pane
from app.tui.row_list import RowList

from .note_list import FACES, NoteList, ended_words

if TYPE_CHECKING:
    from app.vault.activity.audit import AuditNote
    from app.vault.vault import Vault

PAGE = 200
"""Notes that are read at once."""

MOST = 5_000
"""Notes that are looked through."""

_LOOK_EVERY = 2.0
_TYPING_PAUSE = 0.15


class RequestsPane(Pane):
    """A list that follows the vault, a field that filters it, and each note whole on a sheet."""

    HELP = """\
A note of every request to a model, from the chat, from commands and from programs that use the server: who answered,
how long it took, what it cost. Keys and tokens are masked. **Enter** shows one whole; **/** filters by model, by
endpoint, by who asked, or by how it ended: `failed`, `stopped`.
"""

    DEFAULT_CSS = """
    RequestsPane { height: 1fr; width: 1fr; padding: 1 1 0 1; background: $background; }
    RequestsPane > #requests-head { height: 1; margin: 0 1; color: $text-muted; }
    RequestsPane > Input {
        height: 1; width: 1fr; margin: 1 1 1 1; padding: 0 1; border: none; background: $surface;
    }
    RequestsPane > Input:focus { background: $panel; background-tint: transparent; border: none; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Look closer", id="requests.open"),
        Binding("slash", "filter", "Filter", key_display="/", id="requests.filter"),
        Binding("f", "failed", "Failed only", id="requests.failed"),
        Binding("escape", "all", "All", key_display="esc", id="requests.all"),
    ]

    def __init__(self, vault: Vault, masker: Masker | None = None) -> None:
        super().__init__(id="requests")
        self._vault = vault
        self._masker = masker or Masker()
        self._notes: tuple[AuditNote, ...] = ()
        self._total = 0
        self._wake = asyncio.Event()
        self._most = PAGE

    def compose(self) -> ComposeResult:
        """Counts, the field, the list."""
        yield Static(id="requests-head")
        yield Input(placeholder="/  filter by model, endpoint, who asked, failed", compact=True)
        yield NoteList()

    def on_mount(self) -> None:
        """Reads, and goes on reading."""
        self.do(self._keep_up(), "notes")
        self.set_interval(_LOOK_EVERY, self._look)

    def shown(self) -> None:
        """Reads again."""
        self._wake.set()

    def take_focus(self) -> None:
        """Puts the keys to the list."""
        self.query_one(NoteList).focus()

    async def vault_opened(self, vault: Vault) -> None:
        """Reads what is there."""
        self._wake.set()

    async def vault_closing(self) -> None:
        """Forgets what was read."""
        self._notes, self._total, self._most = (), 0, PAGE
        self.query_one(Input).value = ""
        self.query_one(NoteList).show_notes(())
        self.query_one(NoteList).forget()
        self._show()

    # Reading

    def _look(self) -> None:
        if self.display and self._vault.state == "open":
            self._wake.set()

    async def _keep_up(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._read()
            except VaultLockedError:
                # It was locked meanwhile; what was read before is forgotten already.
                continue
            await asyncio.sleep(_TYPING_PAUSE)

    async def _read(self) -> None:
        wanted = self._wanted
        total = await self._vault.audit.count()
        if total == self._total and self._notes and not wanted and len(self._notes) >= min(self._most, total):
            return
        found: list[AuditNote] = []
        offset = 0
        while offset < MOST and len(found) < self._most:
            page = await self._vault.audit.notes(offset, PAGE)
            found += [note for note in page if _fits(note, wanted)]
            offset += PAGE
            if len(page) < PAGE:
                break
        if self._vault.state != "open":
            return
        self._notes, self._total = tuple(found), total
        self.query_one(NoteList).show_notes(self._notes)
        self._show()

    @property
    def _wanted(self) -> tuple[str, ...]:
        return tuple(self.query_one(Input).value.lower().split())

    def _show(self) -> None:
        words_ = [words.plural(self._total, "request")]
        if self._wanted:
            words_.append(f"{words.count(len(self._notes))} shown")
        words_.append("keys and tokens are masked")
        self.query_one("#requests-head", Static).update(Content(" · ".join(words_)))
        if self._vault.state != "open":
            nothing = "The vault is locked."
        elif self._wanted:
            nothing = "Nothing fits."
        else:
            nothing = "Nothing was asked yet. Every request leaves a note here."
        self.query_one(NoteList).say_instead(Content.styled(nothing, "$text-muted"))
        self.refresh_bindings()

    @on(RowList.Moved)
    def _moved(self) -> None:
        rows = self.query_one(NoteList)
        if rows.count and rows.last_in_view >= rows.count - PAGE // 4 and rows.count == self._most < MOST:
            self._most += PAGE
            self._notes = ()
            self._wake.set()

    @on(Input.Changed)
    def _typed(self) -> None:
        self._most = PAGE
        self._total = -1
        self._wake.set()
        self.refresh_bindings()

    @on(Input.Submitted)
    def _to_list(self) -> None:
        self.take_focus()

    @on(RowList.Taken)
    def _taken(self, event: RowList.Taken) -> None:
        event.stop()
        self.action_open()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only keys that would do something now."""
        if not self.is_mounted:
            return True
        if action == "open":
            return self.query_one(NoteList).note is not None
        if action == "all":
            return bool(self._wanted) or self.query_one(Input).has_focus
        return True

    # Actions

    def action_open(self) -> None:
        """Shows the chosen note whole."""
        from .note_sheet import note_sheet

        note = self.query_one(NoteList).note
        if note is not None:
            self.app.push_screen(note_sheet(note, self._masker))

    def action_filter(self) -> None:
        """Puts the keys to the field."""
        self.query_one(Input).focus()

    def action_failed(self) -> None:
        """Shows those that failed alone; again, all."""
        field = self.query_one(Input)
        field.value = "" if field.value.strip() == "failed" else "failed"

    def action_all(self) -> None:
        """Shows all, and puts the keys to the list."""
        self.query_one(Input).value = ""
        self.take_focus()


def _fits(note: AuditNote, wanted: tuple[str, ...]) -> bool:
    """Whether every word is somewhere in what the list shows of a note."""
    if not wanted:
        return True
    told = (note.asked, note.model, note.backend, note.face, FACES.get(note.face, ""), note.kind, note.outcome)
    text = " ".join((*told, ended_words(note)[0], clean(note.message))).lower()
    return all(word in text for word in wanted)
