"""Variables in a prompt: ``{{name}}``, or ``{{name:default}}``. A backslash before it leaves it as it is written.

The way of writing is Fabric's (github.com/danielmiessler/fabric), with defaults added. Everything else between braces,
such as a loop of a template language, is text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from app.errors import MissingVariablesError

INPUT = "input"
"""The variable for the text that a prompt is about: what is piped in, or written behind the prompt's name."""

_VARIABLE = re.compile(r"(\\)?\{\{[ \t]*([^\W\d][\w-]{0,63})[ \t]*(?::([^{}\n]*))?\}\}")


class Variable(Struct, frozen=True):
    """One variable of a prompt.

    Attributes:
        default: what stands for it when nothing else is said; ``None`` where there must be a value.
    """

    name: str
    default: str | None = None


def variables(text: str) -> tuple[Variable, ...]:
    """The variables of a text in their order, each once, with the first default that is written for it."""
    found: dict[str, str | None] = {}
    for escaped, name, default in _written(text):
        if not escaped and found.get(name) is None:
            found[name] = default
    return tuple(Variable(name, default) for name, default in found.items())


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with a value, or the default, in the place of every variable. Values are not looked through again.

    Raises:
        MissingVariablesError: when one has neither, or when a value is for no variable of the text.
    """
    known = variables(text)
    names = {variable.name for variable in known}
    strange = [name for name in values if name not in names]
    if strange:
        there = f"It has {', '.join(sorted(names))}." if names else "It has none."
        raise MissingVariablesError(f"The prompt has no variable {_listed(strange)}.", there)
    defaults = {variable.name: variable.default for variable in known if variable.default is not None}
    whole = defaults | dict(values)
    missing = [variable.name for variable in known if variable.name not in whole]
    if missing:
        raise MissingVariablesError(f"The prompt has no value for {_listed(missing)}.", "Give every variable a value.")
    return _VARIABLE.sub(lambda found: found[0][1:] if found[1] else whole[found[2]], text)


def places(text: str) -> tuple[tuple[int, int], ...]:
    """Where its variables stand, each as (start, end) in characters."""
    return tuple(found.span() for found in _VARIABLE.finditer(text) if not found[1])


def ends_with_input(text: str) -> bool:
    """Whether the text that it is about comes last, and nowhere else: it can as well be written below."""
    found = [one for one in _VARIABLE.finditer(text) if not one[1] and one[2] == INPUT]
    return len(found) == 1 and not text[found[0].end() :].strip()


def needs_input(text: str) -> bool:
    """Whether a text says where the text that it is about goes."""
    return any(variable.name == INPUT for variable in variables(text))


def _written(text: str) -> list[tuple[bool, str, str | None]]:
    return [
        (found[1] is not None, found[2], None if found[3] is None else found[3].strip())
        for found in _VARIABLE.finditer(text)
    ]


def _listed(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
