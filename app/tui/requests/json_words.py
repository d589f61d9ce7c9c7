"""JSON as a person reads it."""

from __future__ import annotations

import re

import msgspec
from textual.content import Content

from app.privacy.terminal import clean

MOST_SHOWN = 60_000
"""Characters that are laid out; what is copied is whole."""

_NAME = re.compile(r'^( *)("(?:[^"\\]|\\.)*")(:)', re.MULTILINE)
PLACEHOLDER = re.compile(r"\[[A-Z][A-Z0-9_]*_\d+_[0-9a-z]{4}\]")
"""What stands in the place of personal data: ``[EMAIL_1_k3f9]``."""

_MASK = re.compile("•{3,}")


def pretty(body: bytes) -> str:
    """``body`` with a line for each value; as it is when it is no JSON."""
    try:
        return msgspec.json.format(body, indent=2).decode("utf-8", "replace")
    except msgspec.MsgspecError:
        return body.decode("utf-8", "replace")


def json_words(text: str) -> Content:
    """JSON text in colours: names apart from values, what was replaced or masked marked."""
    shown = clean(text[:MOST_SHOWN])
    words = Content(shown)
    for found in _NAME.finditer(shown):
        words = words.stylize("$secondary", *found.span(2))
    for found in PLACEHOLDER.finditer(shown):
        words = words.stylize("bold $on-colour on $warning", *found.span())
    for found in _MASK.finditer(shown):
        words = words.stylize("bold $warning", *found.span())
    if len(text) > MOST_SHOWN:
        rest = f"\n… {len(text) - MOST_SHOWN:,} more characters; copying takes all of them"
        words = Content.assemble(words, (rest, "$text-muted"))
    return words
