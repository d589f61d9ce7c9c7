"""Where model files come from: a Python package, a model hub, a web address, a path."""

from __future__ import annotations

from app.errors import CatalogueError

from .base import Source
from .hub import HubSource
from .path import PathSource
from .web import WebSource
from .wheel import WheelSource


def source_of(text: str) -> Source:
    """The source that a catalogue's text names.

    Raises:
        CatalogueError: when the text is of none of the forms.
    """
    scheme, _, rest = text.partition(":")
    match scheme:
        case "wheel":
            return WheelSource.parse(rest)
        case "hf":
            return HubSource.parse(rest)
        case "https" | "http":
            return WebSource(text)
        case "path":
            return PathSource.parse(rest)
    raise CatalogueError(f"The source {text!r} is of no known kind; expected wheel:, hf:, https: or path:.")


__all__ = ["HubSource", "PathSource", "Source", "WebSource", "WheelSource", "source_of"]
