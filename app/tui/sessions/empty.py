"""What stands in the place of a list that has nothing in it: one line of what is so, one of what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.content import Content

from .tags import tag_words

if TYPE_CHECKING:
    from app.vault.conversations.sessions import Shelf


def empty_words(
    shelf: Shelf, *, locked: bool, searching: bool, pondering: bool, tag: str | None, key_of: Callable[[str], str]
) -> Content:
    """``pondering``: memory is still being asked; ``key_of``: the key that a binding has now, by its id."""
    if locked:
        return _lines("The vault is locked.", ("", "Nothing of it can be seen until it is opened."))
    if searching and pondering:
        return _lines("No message holds these words.", ("", "Looking for it in other words…"))
    if searching:
        return _lines("Nothing was found.", ("", "Every word must be in the message; the last one may be only begun."))
    if tag is not None:
        return _lines(
            f"Nothing here has the tag {tag_words(tag)}.", (key_of("sessions.search_clear") or "esc", "shows all")
        )
    if shelf == "archived":
        return _lines("Nothing is archived.", (key_of("sessions.archive"), "puts a session here, out of the way"))
    if shelf == "bin":
        return _lines("The bin is empty.", ("", "What is deleted lies here until it is deleted for good."))
    return _lines(
        "Nothing here yet. Every conversation is kept here, encrypted.",
        (key_of("sessions.new"), "begins one"),
        (key_of("sessions.import"), "takes in what another program has"),
    )


def _lines(what: str, *keys: tuple[str, str]) -> Content:
    pieces: list[tuple[str, str]] = [(what, "$foreground"), ("\n\n", "")]
    for place, (key, does) in enumerate(keys):
        pieces += [("    " if place else "", ""), (key, "bold $primary"), (f" {does}" if key else does, "$text-muted")]
    return Content.assemble(*pieces)
