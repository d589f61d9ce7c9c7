"""What a request's body has wrong, in OpenAI's words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .errors import RefusedError

_FIELD = re.compile(r"[a-z][a-z0-9_]*")
_CHOICES = frozenset(
    ("str", "int", "float", "bool", "dict", "list", "none", "nullable", "function", "any", "text", "literal")
)
"""What pydantic puts into a place to tell the members of a union apart."""

_EXPECTED = {
    "string": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "a boolean",
    "list": "an array",
    "dict": "an object",
    "model": "an object",
    "model_attributes": "an object",
    "tuple": "an array",
}


def refusal_of(errors: Sequence[Mapping[str, Any]]) -> RefusedError:
    """The first of pydantic's ``errors`` as OpenAI says it."""
    error = max((one for one in errors if one["loc"][:2] == errors[0]["loc"][:2]), key=_telling)
    kind = str(error["type"])
    param = _param(error["loc"])
    if kind == "json_invalid":
        return RefusedError("We could not parse the JSON body of your request.")
    if not param:
        return RefusedError("The body of the request must be a JSON object, sent as application/json.")
    if kind == "missing":
        return RefusedError(f"Missing required parameter: '{param}'.", param, "missing_required_parameter")
    if kind == "extra_forbidden":
        return RefusedError(f"Unknown parameter: '{param}'.", param, "unknown_parameter")
    expected = _EXPECTED.get(kind.removesuffix("_type").removesuffix("_parsing"))
    if expected is not None:
        found = _found(error.get("input"))
        return RefusedError(f"Invalid type for '{param}': expected {expected}, but got {found}.", param, "invalid_type")
    reason = str(error["msg"]).removeprefix("Value error, ")
    return RefusedError(f"Invalid value for '{param}': {reason[:1].lower()}{reason[1:]}.", param, "invalid_value")


def _telling(error: Mapping[str, Any]) -> tuple[int, bool]:
    """How much an error says: one member of a union has another type than what was sent, and says no more."""
    return len(_param(error["loc"])), not str(error["type"]).endswith("_type")


def _param(place: Sequence[int | str]) -> str:
    words = ""
    for step in place[1:] if place and place[0] in ("body", "query", "path") else place:
        if isinstance(step, int):
            # JSON that does not parse has the place of its letter here, which is no parameter's name.
            words += f"[{step}]" if words else ""
        elif not words:
            words = _shown(step)
        elif step not in _CHOICES and _FIELD.fullmatch(step):
            words += f".{step}"
    return words


def _shown(name: str) -> str:
    """A name that the client made up, short and without control characters."""
    return "".join(character for character in name[:64] if character.isprintable())


def _found(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case int():
            return "an integer"
        case float():
            return "a decimal number"
        case list():
            return "an array"
        case dict():
            return "an object"
        case _:
            return "something else"
