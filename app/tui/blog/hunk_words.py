"""A change in colours: what goes, what comes, and the words that differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from app.privacy.terminal import clean

if TYPE_CHECKING:
    from app.writing.diffs import Hunk, Run


def hunk_words(hunk: Hunk, *, sixteen: bool = False) -> Content:
    """The old lines, then the new ones; the words that differ stand out.

    Args:
        hunk: the change.
        sixteen: whether the terminal's own sixteen colours are used, in which nothing can be a shade of another.
    """
    old, new = hunk.words()
    sides = []
    if hunk.old:
        mark = "strike" if sixteen else "strike on $error 25%"
        sides.append(_side(old, "−", "$text-error", mark if hunk.kind == "changed" else ""))
    if hunk.new:
        mark = "bold underline" if sixteen else "on $success 25%"
        sides.append(_side(new, "+", "$text-success", mark))
    return Content("\n").join(sides)


def _side(runs: tuple[Run, ...], sign: str, colour: str, mark: str) -> Content:
    whole = len(runs) == 1 and runs[0].changed
    pieces: list[tuple[str, str]] = [(f"{sign} ", f"bold {colour}")]
    for run in runs:
        style = "$foreground" if not run.changed else colour if whole else _joined(colour, mark)
        pieces.append((clean(run.text), style))
    side = Content.assemble(*pieces)
    return side[: len(side.plain.rstrip("\n"))].append("") if side.plain.endswith("\n") else side


def _joined(colour: str, mark: str) -> str:
    """A style as Textual reads it: attributes, the colour, what it stands on."""
    attributes, on_, background = mark.partition("on ")
    return f"{attributes} {colour} {on_}{background}".strip()
