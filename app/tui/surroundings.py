"""What a part of a pane may do beyond itself: work beside the interface, say something, ask, know a key."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from textual.dom import DOMNode
    from textual.screen import Screen

    from app.errors import PlaygroundError

    from .pane import Pane

Answer = TypeVar("Answer")


class Surroundings(Protocol):
    """The pane and the application around a part, as far as the part needs them."""

    def do(self, work: Coroutine[Any, Any, None], group: str = "deeds", *, exclusive: bool = False) -> None:
        """Runs ``work`` beside the interface, and says what went wrong; ``exclusive``: instead of its group's other."""
        ...

    def stop(self, group: str) -> None:
        """Calls off what runs in a group."""
        ...

    async def reported(self, work: Coroutine[Any, Any, None]) -> None:
        """Awaits ``work``, and says what went wrong."""
        ...

    def say(self, words: str, *, title: str = "", seconds: float = 4, warning: bool = False) -> None:
        """Shows a notice for a while."""
        ...

    def say_error(self, error: PlaygroundError) -> None:
        """Shows what went wrong, and what to do."""
        ...

    def ask(self, dialog: Screen[Answer], answered: Callable[[Answer | None], None]) -> None:
        """Shows a dialog; ``answered`` gets ``None`` when it was left without an answer."""
        ...

    def key_of(self, binding_id: str, otherwise: str = "") -> str:
        """How the key of a binding is written now, as the person moved it; ``otherwise`` if there is none."""
        ...


class PaneSurroundings:
    """The surroundings that a real pane gives."""

    def __init__(self, pane: Pane, keys_of: DOMNode | None = None) -> None:
        """``keys_of``: the node whose keys are meant, where it is not the pane."""
        self._pane = pane
        self._keys_of = keys_of or pane

    def do(self, work: Coroutine[Any, Any, None], group: str = "deeds", *, exclusive: bool = False) -> None:
        """Runs ``work`` as a worker of the pane."""
        self._pane.do(work, group, exclusive=exclusive)

    def stop(self, group: str) -> None:
        """Calls off a group of the pane's workers."""
        self._pane.workers.cancel_group(self._pane, group)

    async def reported(self, work: Coroutine[Any, Any, None]) -> None:
        """See ``Pane.reported``."""
        await self._pane.reported(work)

    def say(self, words: str, *, title: str = "", seconds: float = 4, warning: bool = False) -> None:
        """Shows a notice; what looks like markup in it is shown as it stands."""
        severity = "warning" if warning else "information"
        self._pane.app.notify(words, title=title, severity=severity, timeout=seconds, markup=False)  # type: ignore[arg-type]

    def say_error(self, error: PlaygroundError) -> None:
        """Shows an error as the application shows all of them."""
        self._pane.app.notify_error(error)

    def ask(self, dialog: Screen[Answer], answered: Callable[[Answer | None], None]) -> None:
        """Puts the dialog over the pane."""
        self._pane.app.push_screen(dialog, answered)

    def key_of(self, binding_id: str, otherwise: str = "") -> str:
        """See ``Face.key_of``."""
        return self._pane.app.key_of(self._keys_of, binding_id, otherwise)
