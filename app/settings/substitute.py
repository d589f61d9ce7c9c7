"""``${NAME}`` and ``${NAME:-default}`` in the settings file stand for environment variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from app.errors import SettingsError

_REFERENCE = re.compile(r"\$(?:\$|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\})")


def substitute(value: Any, environ: Mapping[str, str], where: str) -> tuple[Any, bool]:
    """``value`` with every reference in its texts resolved, and whether there was one. ``$$`` is a dollar sign.

    As in a shell, the default also stands for a variable that is empty.

    Raises:
        SettingsError: when a variable without a default is not set; ``where`` names the place.
    """
    if isinstance(value, str):
        return _in_text(value, environ, where)
    if isinstance(value, list):
        parts = [substitute(part, environ, where) for part in value]
        return [part for part, _ in parts], any(changed for _, changed in parts)
    if isinstance(value, dict):
        resolved = {key: substitute(part, environ, where) for key, part in value.items()}
        return {key: part for key, (part, _) in resolved.items()}, any(changed for _, changed in resolved.values())
    return value, False


def _in_text(text: str, environ: Mapping[str, str], where: str) -> tuple[str, bool]:
    found = False

    def resolved(match: re.Match[str]) -> str:
        nonlocal found
        found = True
        name, default = match["name"], match["default"]
        if name is None:
            return "$"
        if environ.get(name) or (name in environ and default is None):
            return environ[name]
        if default is None:
            raise SettingsError(
                f"{where} refers to ${{{name}}}, which is not set.", f"Set {name}, or write ${{{name}:-default}}."
            )
        return str(default)

    return _REFERENCE.sub(resolved, text), found
