"""What is wrong with a table of a catalogue file, told by field, found and expected."""

from __future__ import annotations

import re
from typing import get_args, get_type_hints

import msgspec

_AT = re.compile(r" - at `\$\.?(?P<field>[^`]*)`$")
_ENUM = re.compile(r"invalid enum value (?P<found>.*)", re.DOTALL)


def sentence(message: str, kind: type[msgspec.Struct]) -> str:
    """The words of msgspec, the field first: "`connect_s`: expected `float`, got `str`"."""
    field = _AT.search(message)
    words = message[: field.start()] if field else message
    words = words[:1].lower() + words[1:]
    if field and (enum := _ENUM.fullmatch(words)):
        choices = get_args(get_type_hints(kind).get(field["field"]))
        words = f"found {enum['found']}; expected {' or '.join(map(repr, choices))}" if choices else words
    return f"`{field['field']}`: {words}" if field and field["field"] else words
