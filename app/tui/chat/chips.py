"""What is shown of a file that goes with a prompt: its name, how large it is, and what it takes of the context."""

from __future__ import annotations

from app.chat.attaching.pictures import picture
from app.chat.attaching.sending import tokens_of
from app.messages import Image, Text
from app.privacy.terminal import clean
from app.tui import words

LONGEST_NAME = 48


def chip(part: Text | Image) -> str:
    """``notes.md · 3.2 kB · about 812 tokens``."""
    name = clean(part.name)
    if len(name) > LONGEST_NAME:
        name = f"…{name[1 - LONGEST_NAME :]}"
    held = part.data or b"" if isinstance(part, Image) else content_of(part.text).encode("utf-8", "replace")
    pieces = [name]
    seen = picture(held) if isinstance(part, Image) else None
    if seen is not None:
        pieces.append(f"{seen.width} × {seen.height}")
    pieces += [words.size(len(held)), f"about {words.plural(tokens_of(part), 'token')}"]
    return " · ".join(pieces)


def content_of(fenced: str) -> str:
    """What stands between the fences of a text that was attached."""
    inside = fenced.split("\n", 3)[-1].rpartition("\n")[0]
    return f"{inside}\n"
