"""The notes of requests, one a line, the newest on top."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

from msgspec import Struct
from rich.cells import cell_len
from textual.content import Content

from app.privacy.terminal import clean
from app.tui import words
from app.tui.models.remote_words import dollars
from app.tui.row_list import RowList
from app.tui.words import cut
from app.vault.activity.audit import AuditNote

WIDE = 100
"""Columns from which there is room for the backend and the cost."""

FACES = {"tui": "the chat", "cli": "a command", "server": "a program"}
"""What asked, as a person calls it."""


class _Row(Struct, frozen=True):
    number: int
    when: str
    face: str
    model: str
    detour: bool
    backend: str
    ended: tuple[str, str]
    seconds: str
    tokens: str
    cost: str


class NoteList(RowList):
    """When, by what, who answered, how it ended, how long, how much."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        super().__init__(id="notes")
        self._notes: tuple[AuditNote, ...] = ()
        self._clock = clock

    @property
    def note(self) -> AuditNote | None:
        """The chosen one."""
        return self._notes[self.chosen] if self.chosen < len(self._notes) else None

    def show_notes(self, notes: tuple[AuditNote, ...]) -> None:
        """Other notes; the choice stays on its own, and on the newest when it was there."""
        chosen = 0
        if self.chosen and self.note is not None:
            number = self.note.number
            chosen = next((place for place, note in enumerate(notes) if note.number == number), 0)
        self._notes = notes
        self.show(len(notes), chosen)

    def row(self, place: int) -> Hashable:
        """What of a note stands in the list."""
        note = self._notes[place]
        return _Row(
            number=note.number,
            when=when_words(note.at, self._clock()),
            face=FACES.get(note.face, note.face),
            model=clean(note.model or note.asked),
            detour=bool(note.detours),
            backend=clean(note.backend),
            ended=ended_words(note),
            seconds=words.seconds(note.total_s),
            tokens=words.count(note.completion_tokens) if note.completion_tokens else "",
            cost=dollars(note.cost) if note.cost is not None else "",
        )

    def paint(self, row: Hashable, line: int, width: int) -> Content:
        """The note as a line of ``width`` cells."""
        assert isinstance(row, _Row)
        wide = width >= WIDE
        ended, colour = row.ended
        backend = _cell(row.backend, 14) if wide else ""
        cost = f"{row.cost:>10}" if wide else ""
        room_ended = 24 if wide else 18
        room = max(10, width - 14 - 11 - len(backend) - room_ended - 8 - 7 - len(cost) - 1)
        return Content.assemble(
            (f" {row.when:<13}", "$text-muted"),
            (f"{row.face:<11}", "$secondary"),
            (_cell(f"{'↪ ' if row.detour else ''}{row.model}", room), "$foreground"),
            (backend, "$text-muted"),
            (_cell(ended, room_ended), colour),
            (f"{row.seconds:>8}{row.tokens:>7}{cost} ", "$text-muted"),
        )


def _cell(text: str, width: int) -> str:
    shown = cut(text, width - 1)
    return shown + " " * (width - cell_len(shown))


def when_words(at: float, now: float) -> str:
    """``14:05:09`` today, ``21 Nov 14:05`` before."""
    then, today = time.localtime(at), time.localtime(now)
    if then[:3] == today[:3]:
        return time.strftime("%H:%M:%S", then)
    return f"{then.tm_mday} {time.strftime('%b %H:%M', then)}"


def ended_words(note: AuditNote) -> tuple[str, str]:
    """How a request ended, and the colour of that."""
    if note.outcome == "failed":
        return f"failed: {clean(note.error).replace('_', ' ')}", "$text-error"
    if note.outcome == "stopped":
        return "stopped", "$text-warning"
    if note.from_cache:
        return "answered before", "$text-accent"
    return {"length": "length limit", "tool_calls": "tool calls", "content_filter": "filtered"}.get(
        note.finish, "answered"
    ), "$text-success"
