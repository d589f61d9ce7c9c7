"""One note of a request, whole: to read, and as JSON."""

from __future__ import annotations

import time

import msgspec
from textual.content import Content

from app.privacy.masking import Masker
from app.privacy.terminal import clean
from app.tui import words
from app.tui.models.remote_words import dollars
from app.vault.activity.audit import AuditNote

from .json_words import json_words, pretty
from .note_list import FACES, ended_words
from .sheet import Sheet


def note_sheet(note: AuditNote, masker: Masker) -> Sheet:
    """A sheet of everything that is kept of a request; what looks like a secret is masked once more."""
    whole = masker.text(pretty(msgspec.json.encode(note)))
    lines = note_lines(note, masker)
    plain = "\n".join(line.plain for line in lines)
    bodies = []
    for name, body in (("asked", note.request), ("answered", note.answer)):
        if body is not None:
            text = masker.text(pretty(msgspec.json.encode(body)))
            bodies += [Content(""), Content.styled(name, "bold $primary"), json_words(text)]
            plain += f"\n\n{name}\n{clean(text)}"
    if not bodies:
        bodies = [
            Content(""),
            Content.styled(
                "What was asked and answered is not kept here; the setting routing.audit_bodies changes that.",
                "$text-disabled",
            ),
        ]
    return Sheet(
        f"Request {note.number}",
        note_summary(note),
        (("easy to read", Content("\n").join([*lines, *bodies]), plain), ("JSON", json_words(whole), clean(whole))),
    )


def note_summary(note: AuditNote) -> Content:
    """Who answered, when, how it ended: one line."""
    ended, colour = ended_words(note)
    at = time.strftime("%d %b %Y, %H:%M:%S", time.localtime(note.at))
    return Content.assemble((clean(note.model or note.asked), "bold $foreground"), f" · {at} · ", (ended, colour))


def note_lines(note: AuditNote, masker: Masker) -> list[Content]:
    """What is known of it, a line for each thing."""
    tokens = [
        f"{words.count(note.prompt_tokens)} read" if note.prompt_tokens else "",
        f"{words.count(note.cached_tokens)} of them known already" if note.cached_tokens else "",
        f"{words.count(note.completion_tokens)} written" if note.completion_tokens else "",
    ]
    times = [
        words.seconds(note.total_s),
        f"{words.seconds(note.queued_s)} waiting" if note.queued_s else "",
        f"first token after {words.seconds(note.first_token_s)}" if note.first_token_s is not None else "",
    ]
    told = [
        ("asked by", FACES.get(note.face, note.face) + (", passed through as it came" if note.kind == "raw" else "")),
        ("asked for", clean(note.asked)),
        ("answered by", f"{clean(note.model)} · {clean(note.backend)}" if note.model else "nobody"),
        *(
            ("instead", f"{clean(way.model)} could not: {clean(masker.text(way.reason))} → {clean(way.next_model)}")
            for way in note.detours
        ),
        ("attempts", str(note.attempts) if note.attempts > 1 else ""),
        ("took", ", ".join(filter(None, times))),
        ("tokens", ", ".join(filter(None, tokens))),
        ("cost", dollars(note.cost) if note.cost is not None else ""),
        ("went wrong", clean(masker.text(note.message))),
    ]
    return [
        Content.assemble((f"{name:<13}", "$text-muted"), (value, "$text-error" if name == "went wrong" else ""))
        for name, value in told
        if value
    ]
