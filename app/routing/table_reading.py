"""A table of a catalogue file made into a struct, its mistakes told by field, found and expected."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec

S = TypeVar("S", bound=msgspec.Struct)

_AT = re.compile(r" - at `\$\.?(?P<field>[^`]*)`$")
_ENUM = re.compile(r"invalid enum value (?P<found>.*)", re.DOTALL)


def converted(table: Mapping[str, Any], name: str, kind: type[S]) -> S:
    """``table`` as a struct with ``name`` in it.

    Raises:
        ValueError: what is wrong with it, as the end of a sentence.
    """
    if "name" in table:
        raise ValueError("the name stands in the table's heading; `name` is no field of it")
    try:
        return msgspec.convert({**table, "name": name}, kind)
    except msgspec.ValidationError as error:
        raise ValueError(_sentence(str(error), kind)) from error


def _sentence(message: str, kind: type[msgspec.Struct]) -> str:
    """The words of msgspec, the field first: "`connect_s`: expected `float`, got `str`"."""
    field = _AT.search(message)
    words = message[: field.start()] if field else message
    words = words[:1].lower() + words[1:]
    if field and (enum := _ENUM.fullmatch(words)):
        choices = get_args(get_type_hints(kind).get(field["field"]))
        words = f"found {enum['found']}; expected {' or '.join(map(repr, choices))}" if choices else words
    return f"`{field['field']}`: {words}" if field and field["field"] else words
