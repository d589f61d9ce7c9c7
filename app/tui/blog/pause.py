"""A wait that can be called off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class _Timer(Protocol):
    def stop(self) -> None: ...


class Pause:
    """One wait at a time; beginning another ends the one before."""

    def __init__(self, after: Callable[[float, Callable[[], None]], _Timer]) -> None:
        """``after``: calls something after so many seconds, unless it is stopped; ``Widget.set_timer`` does."""
        self._after = after
        self._timer: _Timer | None = None

    @property
    def waiting(self) -> bool:
        """Whether it runs."""
        return self._timer is not None

    def begin(self, seconds: float, then: Callable[[], None]) -> None:
        """Calls ``then`` when so much time has passed."""
        self.end()

        def passed() -> None:
            self._timer = None
            then()

        self._timer = self._after(seconds, passed)

    def end(self) -> None:
        """Nothing is waited for any more."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
