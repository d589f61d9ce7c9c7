"""The three file formats of the settings, each read into a plain mapping."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from app.errors import SettingsError


def _toml(text: str) -> Any:
    import tomllib

    return tomllib.loads(text)


def _json(text: str) -> Any:
    import json

    return json.loads(text)


def _yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error


_READERS: dict[str, Callable[[str], Any]] = {".toml": _toml, ".yaml": _yaml, ".yml": _yaml, ".json": _json}

SUFFIXES = tuple(_READERS)
"""What a settings file may be called, first choice first."""


def parse(file: Path) -> Mapping[str, Any]:
    """The mapping that a file holds; an empty file is an empty one.

    Raises:
        SettingsError: when the file cannot be read, or is not what its suffix says.
    """
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise SettingsError(f"{file} ends in {file.suffix!r}; expected one of {', '.join(SUFFIXES)}.")
    try:
        text = file.read_text("utf-8")
        found = reader(text) if text.strip() else {}
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}.", "Check its permissions.") from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{file} is not {file.suffix[1:].upper()}: {error}.", "Correct the file.") from error
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise SettingsError(f"{file} holds {type(found).__name__}; expected sections with settings.")
    if not all(isinstance(key, str) for key in found):
        raise SettingsError(f"{file} has a section whose name is not a text.")
    return found
