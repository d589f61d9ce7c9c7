"""What the interface remembers from one start to the next: a small file of choices, never of content."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

Density = Literal["comfortable", "compact"]


class UiState(Struct, frozen=True, kw_only=True):
    """Choices made in the interface; ``None`` means that none was made and the settings hold."""

    theme: str | None = None
    density: Density | None = None
    model: str | None = None
    local_only: bool | None = None


class StateFile:
    """Keeps a ``UiState`` in ``state.json`` of one folder.

    A file that cannot be read is treated as empty: it holds nothing that is worth an error at start-up.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "state.json"

    def load(self) -> UiState:
        """The choices of last time."""
        try:
            state: UiState = msgspec.json.decode(self._path.read_bytes(), type=UiState)
        except (OSError, msgspec.MsgspecError):
            return UiState()
        return state

    def save(self, state: UiState) -> None:
        """Writes beside the file and renames, so that a crash leaves the old or the new one, whole.

        Raises:
            OSError: when the folder cannot be written to.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(prefix=".state-", dir=self._path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(state))
            Path(name).replace(self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
