"""Tags as a person writes them."""

from __future__ import annotations


def split_tags(written: str) -> tuple[str, ...]:
    """Commas between, ``#`` before or not; each once."""
    tags = (" ".join(tag.strip().lstrip("#").split()) for tag in written.split(","))
    return tuple(dict.fromkeys(tag for tag in tags if tag))
