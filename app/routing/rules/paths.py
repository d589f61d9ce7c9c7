"""JSONPaths (RFC 9535) dropped from a body, or added to it.

Patterns within a path's filters run on RE2, as all that a user or a provider may write.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from jsonpath_rfc9535 import JSONPathEnvironment, JSONPathQuery
from jsonpath_rfc9535.exceptions import JSONPathError, JSONPathRecursionError
from jsonpath_rfc9535.function_extensions import ExpressionType, FilterFunction
from jsonpath_rfc9535.selectors import IndexSelector, NameSelector

from app.backends.rules import JsonObject

from .replacing import BadPatternError, compiled


class BadPathError(ValueError):
    """A path cannot be used; the message says why."""


class TooDeepError(ValueError):
    """A body nests deeper than a path with ``..`` follows."""


class Dropping:
    """Takes out whatever a path names.

    Args:
        path: any JSONPath but the whole body's.

    Raises:
        BadPathError: when it is none.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._query = _query(path)
        self._steps = tuple(_steps(self._query)) if self._query.singular_query() else ()

    def apply(self, body: JsonObject, *, create: bool = False) -> None:
        """Changes ``body`` in place. ``create`` is of no meaning here.

        Raises:
            TooDeepError: when the body nests too deeply.
        """
        if self._steps:
            self._drop_one(body)
            return
        try:
            found = {node.location: node for node in self._query.finditer(body)}
        except (JSONPathRecursionError, RecursionError) as error:
            raise TooDeepError(self._path) from error
        # From the end to the beginning, so that what is left to drop keeps its place.
        for location in sorted(found, key=_order, reverse=True):
            parent = found[location].parent
            assert parent is not None
            holder: Any = parent.value
            del holder[location[-1]]

    def _drop_one(self, body: JsonObject) -> None:
        """What a path of names and indexes alone names, found by walking there."""
        here: Any = body
        for step in self._steps[:-1]:
            if not _has(here, step):
                return
            here = here[step]
        if _has(here, self._steps[-1]):
            del here[self._steps[-1]]


class Adding:
    """Puts a value in one place: a field is set, whatever was there; in a list it comes before what has that index.

    ``[-1]`` comes after the last.

    Args:
        path: names and indexes alone.
        value: JSON; every body gets a copy of its own.

    Raises:
        BadPathError: when the path is not of one place, or the value is not JSON.
    """

    def __init__(self, path: str, value: object) -> None:
        query = _query(path)
        if not query.singular_query():
            raise BadPathError("it may name several places; expected names and indexes alone, such as $.metadata.team")
        self._steps: tuple[str | int, ...] = tuple(_steps(query))
        try:
            self._value = msgspec.json.encode(value)
        except (TypeError, ValueError) as error:
            raise BadPathError(f"its value is not JSON: {error}") from error

    def apply(self, body: JsonObject, *, create: bool = False) -> None:
        """Changes ``body`` in place. Without the place's holder nothing is added.

        Args:
            body: what is changed.
            create: makes objects on the way that are missing.
        """
        here: Any = body
        for step in self._steps[:-1]:
            if isinstance(step, str) and isinstance(here, dict):
                if create and here.get(step) is None:
                    here[step] = {}
                if step not in here:
                    return
            elif not (isinstance(step, int) and isinstance(here, list) and -len(here) <= step < len(here)):
                return
            here = here[step]
        last = self._steps[-1]
        if isinstance(last, str) and isinstance(here, dict):
            here[last] = msgspec.json.decode(self._value)
        elif isinstance(last, int) and isinstance(here, list):
            place = last if last >= 0 else len(here) + last + 1
            if 0 <= place <= len(here):
                here.insert(place, msgspec.json.decode(self._value))


class _Matches(FilterFunction):
    """``match`` and ``search`` of the standard."""

    def __init__(self, *, anywhere: bool) -> None:
        self._anywhere = anywhere

    arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012 - as its base has it
    return_type = ExpressionType.LOGICAL

    def __call__(self, text: object, pattern: object) -> bool:
        """Whether ``text`` matches; what is no text, or no pattern, does not."""
        if not isinstance(text, str) or not isinstance(pattern, str):
            return False
        try:
            regexp = compiled(pattern)
        except BadPatternError:
            return False
        raw = text.encode("utf-8", "surrogatepass")
        return (regexp.search(raw) if self._anywhere else regexp.fullmatch(raw)) is not None


class _Environment(JSONPathEnvironment):
    max_recursion_depth = 200

    def setup_function_extensions(self) -> None:
        """The standard's own, with patterns on RE2."""
        super().setup_function_extensions()
        self.function_extensions["match"] = _Matches(anywhere=False)
        self.function_extensions["search"] = _Matches(anywhere=True)


def _query(path: str) -> JSONPathQuery:
    try:
        query = _Environment().compile(path)
    except (JSONPathError, RecursionError) as error:
        raise BadPathError(str(error).partition(", line")[0]) from error
    if query.empty():
        raise BadPathError("it names the whole body; expected something in it, such as $.user")
    return query


def _steps(query: JSONPathQuery) -> Iterable[str | int]:
    for segment in query.segments:
        selector = segment.selectors[0]
        if isinstance(selector, NameSelector):
            yield selector.name
        elif isinstance(selector, IndexSelector):
            yield selector.index


def _has(holder: object, step: str | int) -> bool:
    if isinstance(step, str):
        return isinstance(holder, dict) and step in holder
    return isinstance(holder, list) and -len(holder) <= step < len(holder)


def _order(location: tuple[int | str, ...]) -> tuple[tuple[int, int | str], ...]:
    return tuple((0, step) if isinstance(step, int) else (1, step) for step in location)
