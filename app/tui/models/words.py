"""How a model is described in the list and below it."""

from __future__ import annotations

from textual.content import Content

from app.messages import Failure
from app.privacy.terminal import clean
from app.tui import words
from app.tui.chat.download_card import progress_words
from app.tui.error_card import failure_words
from app.tui.model_desk import ModelRow


def row_words(row: ModelRow, width: int) -> Content:
    """One line: mark, name, size, licence, where it stands."""
    entry = row.entry
    state, colour = _state(row)
    mark = "●" if row.loaded else "◌" if row.state == "fetching" else "○" if row.installed else " "
    name = clean(entry.name)
    tail = f"{words.size(entry.size) if entry.size else '–':>7}  {clean(entry.licence)[:12]:<12}"
    room = max(12, width - len(tail) - 30)
    return Content.assemble(
        (f"{mark} ", colour), (f"{name[:room]:<{room}}", "$foreground"), (f"{tail}  ", "$text-muted"), (state, colour)
    )


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
    if row.recommended:
        return "★ recommended here", "$text-accent"
    if row.installed:
        return "here", "$text-success"
    if row.fits is False:
        return "too large for this machine", "$text-disabled"
    return "fits here" if row.fits else "to fetch", "$text-muted"


def detail_words(row: ModelRow, width: int) -> Content:
    """Some lines about the highlighted model."""
    entry = row.entry
    first = [clean(entry.description), f"{entry.role} · {words.count(entry.context)} tokens of context"]
    lines = [
        Content.styled(first[0], "$foreground"),
        Content(f"{first[1]} · {clean(entry.licence)} · {clean(entry.source)}"[: 2 * width]),
        Content.styled(_digest(row), "$text-muted"),
    ]
    download = row.download
    if download is not None and download.state == "running":
        lines += progress_words(download.progress, max(10, min(50, width - 8)))
    elif download is not None and download.state == "failed" and download.error is not None:
        lines.append(failure_words(Failure.of(download.error)))
    elif row.recommended and not row.installed:
        lines.append(Content.styled("The best model for the memory of this machine; p fetches it.", "$text-accent"))
    return Content("\n").join(lines)


def _digest(row: ModelRow) -> str:
    if row.entry.sha256:
        return f"sha256 {row.entry.sha256[:16]}… from the catalogue"
    if row.installed:
        return "sha256 pinned when it was first fetched: the catalogue names none"
    return "no sha256 in the catalogue: the first download is pinned, later ones must equal it"
