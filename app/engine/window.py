"""The context window that a model is opened with, and who says so."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from app.errors import IntegrityError

from .fitting import shape_of

if TYPE_CHECKING:
    from app.settings import EngineSettings

    from .catalogues.catalogue import ModelEntry

CACHE_SHARE = 0.5
"""How much of the free memory the KV cache may take."""

_LEAST = 512
_STEP = 256


@dataclass(frozen=True)
class ContextWindow:
    """How many tokens one conversation may use, and why as many.

    Attributes:
        tokens: 0 is unknown, until the model's file is read.
        origin: who decided.
        reason: a sentence; empty where nothing is known.
    """

    tokens: int = 0
    origin: Literal["setting", "catalogue", "trained", "memory", "unknown"] = "unknown"
    reason: str = ""

    @property
    def named(self) -> str:
        """Who decided, in two or three words; empty where nothing is known."""
        return _NAMED[self.origin]


UNKNOWN = ContextWindow()

_NAMED = {
    "setting": "set by engine.context",
    "catalogue": "from the catalogue",
    "trained": "as it was trained",
    "memory": "all that memory holds",
    "unknown": "",
}


def planned(entry: ModelEntry, settings: EngineSettings, trained: int = 0, set_by: str = "") -> ContextWindow:
    """What a model would be opened with, were there memory enough.

    Args:
        entry: of the catalogue.
        settings: what the user wants. They are about conversations: another model must not read longer texts for them
            than it can.
        trained: tokens that its file says; 0 is unknown.
        set_by: where the setting comes from: a variable or a file.
    """
    if entry.role == "chat" and settings.context:
        where = f", which comes from {set_by}" if set_by else ""
        return ContextWindow(settings.context, "setting", f"The setting engine.context says so{where}.")
    if entry.context:
        return ContextWindow(entry.context, "catalogue", "The catalogue says so.")
    if trained:
        return _trained(trained)
    return UNKNOWN


def opened(window: ContextWindow, tokens: int, trained: int) -> ContextWindow:
    """What a model was opened with, after it was ``planned``.

    Args:
        window: what was planned.
        tokens: what its worker says it has.
        trained: what its worker says it was trained with.
    """
    wanted = window if window.tokens else _trained(trained)
    if tokens >= wanted.tokens:
        return replace(wanted, tokens=tokens)
    return _trained(tokens) if tokens >= trained else _short_of_memory(wanted, tokens)


def affordable(available_bytes: int, cell_bytes: int) -> int:
    """Tokens of KV cache for which there is memory.

    Args:
        available_bytes: of main memory.
        cell_bytes: one token's.
    """
    fitting = int(available_bytes * CACHE_SHARE / max(1, cell_bytes))
    return max(_LEAST, fitting // _STEP * _STEP)


def within(window: ContextWindow, tokens: int) -> ContextWindow:
    """The window where no more than ``tokens`` are affordable."""
    return _short_of_memory(window, tokens) if window.tokens > tokens else window


def foreseen(
    entry: ModelEntry, path: Path | None, settings: EngineSettings, available_bytes: int, set_by: str = ""
) -> ContextWindow:
    """What a model would be opened with now; reads its file's header.

    Args:
        entry: of the catalogue.
        path: its file; None where it is not here, and then only what is said of it counts.
        settings: what the user wants.
        available_bytes: of main memory.
        set_by: where the setting comes from: a variable or a file.
    """
    shape = None
    if path is not None and path.suffix == ".gguf":
        # A file that cannot be read tells nothing; what is wrong with it is said when it is loaded or verified.
        with suppress(IntegrityError, OSError):
            shape = shape_of(path)
    window = planned(entry, settings, shape.trained_context if shape else 0, set_by)
    if shape is None or entry.role != "chat":
        return window
    return within(window, affordable(available_bytes, shape.kv_bytes))


def _trained(tokens: int) -> ContextWindow:
    return ContextWindow(tokens, "trained", "The model was trained with it, and nothing else is said.")


def _short_of_memory(wanted: ContextWindow, tokens: int) -> ContextWindow:
    reason = f"Free memory holds no more; {wanted.tokens:,} are wanted. {wanted.reason}"
    return ContextWindow(tokens, "memory", reason.strip())
