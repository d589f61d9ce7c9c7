"""Tags, as they are shown and as a person writes them."""

from __future__ import annotations

from app.privacy.terminal import clean


def tag_words(tag: str) -> str:
    """A tag for a line."""
    return f"#{' '.join(clean(tag).split())}"


def split_tags(written: str) -> tuple[str, ...]:
    """Tags with commas between, ``#`` before or not; each once."""
    tags = (" ".join(tag.strip().lstrip("#").split()) for tag in written.split(","))
    return tuple(dict.fromkeys(tag for tag in tags if tag))
