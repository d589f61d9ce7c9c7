"""A table of a catalogue file made into a struct, its mistakes told by field, found and expected."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

S = TypeVar("S", bound=msgspec.Struct)

_AT = re.compile(r" - at `\$\.?(?P<field>[^`]*)`$")


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
        raise ValueError(_sentence(str(error))) from error


def _sentence(message: str) -> str:
    """The words of msgspec, the field first: "`connect_s`: expected `float`, got `str`"."""
    field = _AT.search(message)
    words = message[: field.start()] if field else message
    words = words[:1].lower() + words[1:]
    return f"`{field['field']}`: {words}" if field and field["field"] else words
