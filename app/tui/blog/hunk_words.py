"""A change in colours: what goes, what comes, and the words that differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from app.privacy.terminal import clean

if TYPE_CHECKING:
    from app.writing.diffs import Hunk, Run


def hunk_words(hunk: Hunk) -> Content:
    """The old lines, then the new ones; the words that differ stand out."""
    old, new = hunk.words()
    sides = []
    if hunk.old:
        sides.append(_side(old, "−", "$text-error", "$error 25%", struck=hunk.kind == "changed"))
    if hunk.new:
        sides.append(_side(new, "+", "$text-success", "$success 25%", struck=False))
    return Content("\n").join(sides)


def _side(runs: tuple[Run, ...], sign: str, colour: str, background: str, *, struck: bool) -> Content:
    whole = len(runs) == 1 and runs[0].changed
    pieces: list[tuple[str, str]] = [(f"{sign} ", f"bold {colour}")]
    for run in runs:
        style = "$foreground" if not run.changed else colour if whole else f"{colour} on {background}"
        if run.changed and struck and not whole:
            style = f"{style} strike"
        pieces.append((clean(run.text), style))
    side = Content.assemble(*pieces)
    return side[: len(side.plain.rstrip("\n"))].append("") if side.plain.endswith("\n") else side
