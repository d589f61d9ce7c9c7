"""Work that may be called off before it begins."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")


class Later(Generic[Result]):
    """Makes its coroutine when it is awaited, and none when it never is.

    A worker that is cancelled before it begins lets go what it was given; Python warns of a coroutine that nobody
    awaited.
    """

    def __init__(self, begin: Callable[[], Coroutine[Any, Any, Result]]) -> None:
        self._begin = begin

    def __await__(self) -> Generator[Any, Any, Result]:
        return self._begin().__await__()
