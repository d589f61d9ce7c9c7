"""How a model is described in the list and below it."""

from __future__ import annotations

from textual.content import Content

from app.messages import Failure
from app.privacy.terminal import clean
from app.tui import words
from app.tui.chat.download_card import progress_words
from app.tui.error_card import failure_words
from app.tui.model_desk import ModelRow

_WIDE = 100
"""Columns from which licences are named whole."""

_NAME = 34
"""Columns for a name at most: from farther away, what stands behind it is not seen to be its."""

_ABOUT = 30
"""Columns from which a sentence about the model is begun."""

_STATE = 22
"""Columns for where a model stands: ``here · for dictation``."""


def row_words(row: ModelRow, width: int) -> Content:
    """One line: mark, name, size, licence, where it stands."""
    entry = row.entry
    state, colour = _state(row)
    mark = "●" if row.loaded else "◌" if row.state == "fetching" else "○" if row.installed else " "
    licence = 24 if width >= _WIDE else 12
    size = words.size(entry.size) if entry.size else "–"
    tail = f"  {size:>7}  {whole_words(clean(entry.licence), licence):<{licence}}"
    room = max(12, min(_NAME, width - len(tail) - _STATE))
    left = width - room - len(tail) - _STATE - 6
    about = words.cut(clean(entry.description), left) if left >= _ABOUT else ""
    return Content.assemble(
        (f"{mark} ", colour),
        (f"{words.cut(clean(entry.name), room):<{room}}", "$foreground"),
        (f"{tail}  ", "$text-muted"),
        (f"{state:<{_STATE}}" if about else state, colour),
        (about, "$text-muted"),
    )


def whole_words(text: str, width: int) -> str:
    """As many words from the beginning as fit: ``Llama 3.2`` of ``Llama 3.2 Community``."""
    if len(text) <= width:
        return text
    return text[: width + 1].rpartition(" ")[0] or words.cut(text, width)


def _state(row: ModelRow) -> tuple[str, str]:
    download = row.download
    if row.state == "fetching":
        progress = download.progress if download is not None else None
        if progress is not None and progress.total:
            return f"fetching {progress.done * 100 // progress.total} %", "$text-warning"
        return "fetching", "$text-warning"
    if row.loaded is not None:
        return f"loaded · {clean(row.loaded.loaded.device)}", "$text-success"
    if download is not None and download.state == "failed":
        return "download failed", "$text-error"
    if _stopped(row):
        progress = download.progress if download is not None else None
        share = f" at {progress.done * 100 // progress.total} %" if progress is not None and progress.total else ""
        return f"stopped{share}", "$text-warning"
    if row.recommended and not row.installed:
        return "★ recommended here", "$text-accent"
    if row.installed:
        return ("★ here · recommended" if row.recommended else f"here{_for(row)}"), "$text-success"
    if row.fits is False:
        return "too large", "$text-disabled"
    return f"{'fits' if row.fits else 'to fetch'}{_for(row)}", "$text-muted"


def _stopped(row: ModelRow) -> bool:
    """Whether its download was cancelled, and nobody began it again."""
    return row.download is not None and row.download.state == "cancelled" and not row.installed


def _for(row: ModelRow) -> str:
    """What a model is for that one cannot chat with."""
    return {"embed": " · for memory", "transcribe": " · for dictation"}.get(row.entry.role, "")


def detail_words(row: ModelRow, width: int) -> Content:
    """Some lines about the highlighted model; what happens to it, and what went wrong, before where it comes from."""
    entry = row.entry
    about = [_ROLES.get(entry.role, entry.role)]
    if row.window.tokens:
        about.append(f"{words.count(row.window.tokens)} tokens of context, {row.window.named}")
    if entry.licence:
        about.append(clean(entry.licence))
    lines = [
        Content.styled(words.cut(clean(entry.description), width), "$foreground"),
        Content(words.cut(" · ".join(about), width)),
    ]
    download = row.download
    if download is not None and download.state == "failed" and download.error is not None:
        return Content("\n").join([*lines, failure_words(Failure.of(download.error))])
    if download is not None and download.state == "running":
        lines += progress_words(download.progress, max(10, min(50, width - 8)))
    elif _stopped(row):
        lines.append(Content.styled("What came is kept: fetching it goes on from there.", "$text-warning"))
    elif row.recommended and not row.installed:
        lines.append(Content.styled("The best model for the memory of this machine; p fetches it.", "$text-accent"))
    lines.append(Content(words.cut(clean(entry.source), width)))
    lines.append(Content.styled(words.cut(_digest(row), width), "$text-muted"))
    return Content("\n").join(lines)


_ROLES = {"chat": "chat", "embed": "finds what was said before, by its meaning", "transcribe": "writes down speech"}


def _digest(row: ModelRow) -> str:
    if row.entry.sha256:
        return f"sha256 {row.entry.sha256[:16]}… from the catalogue"
    if row.installed:
        return "sha256 pinned when it was first fetched: the catalogue names none"
    return "sha256 not in the catalogue: the first download is pinned"
