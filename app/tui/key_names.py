"""How keys are written in the settings: ``f4``, ``ctrl+s``, ``alt+shift+up``, ``question_mark`` or ``?``."""

from __future__ import annotations

import unicodedata

from textual.keys import KEY_NAME_REPLACEMENTS, Keys

_MODIFIERS = frozenset({"alt", "ctrl", "hyper", "meta", "shift", "super"})
_NAMES = frozenset(key.value.rpartition("+")[2] for key in Keys if not key.value.startswith("<"))
_SHORT = frozenset(KEY_NAME_REPLACEMENTS.values())


def is_key(written: str) -> bool:
    """Whether a terminal could send it, as Textual names it."""
    *modifiers, name = written.split("+")
    return _MODIFIERS.issuperset(modifiers) and (
        name in _NAMES or name in _SHORT or len(name) == 1 or (name == name.lower() and _is_character(name))
    )


def short_name(key: str) -> str:
    """What some keys are called where there is little room: ``⏎``, ``F1``; empty for the rest."""
    if key == "enter":
        return "⏎"
    return key.upper() if key[:1] == "f" and key[1:].isdecimal() else ""


def _is_character(name: str) -> bool:
    try:
        unicodedata.lookup(name.replace("_", " "))
    except KeyError:
        return False
    return True
