"""What the person chose in the interface, kept from one start to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from .reporter import Notify
    from .state import StateFile, UiState


class Choices:
    """Remembers each choice at once.

    Args:
        file: where they are kept.
        notify: shows a toast.
    """

    def __init__(self, file: StateFile, notify: Notify) -> None:
        self._file, self._notify = file, notify
        self._state = file.load()

    @property
    def state(self) -> UiState:
        """What was chosen until now."""
        return self._state

    def remember(self, **choices: object) -> None:
        """Changes some of them, and says when that cannot be kept: it holds until the program ends."""
        self._state = msgspec.structs.replace(self._state, **choices)
        try:
            self._file.save(self._state)
        except OSError as error:
            self._notify(f"The choice could not be saved: {error.strerror or error}.", severity="warning", markup=False)
