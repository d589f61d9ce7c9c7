"""A table of a catalogue file made into a struct, its mistakes told by field, found and expected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from app.engine.catalogues.table_words import sentence

S = TypeVar("S", bound=msgspec.Struct)


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
        raise ValueError(sentence(str(error), kind)) from error
