"""A key as the help shows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class KeyLine:
    """One thing that keys do.

    Attributes:
        displays: the keys that do it, as they are written.
        name: what it is called under ``[tui.keys]`` in the settings.
        now: whether it would do something now.
        everywhere: whether it does the same in every pane.
    """

    displays: tuple[str, ...]
    description: str
    name: str
    now: bool
    everywhere: bool
