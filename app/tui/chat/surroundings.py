"""What the parts of the chat may ask of the pane that holds them."""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from textual.message import Message
    from textual.worker import Worker

    from app.tui.face import Face

Result = TypeVar("Result")


class Surroundings(Protocol):
    """The application around a part, and work beside it. A part knows this, never the pane and all that is in it."""

    @property
    def app(self) -> Face:
        """The application: notes, dialogs, the clipboard."""
        ...

    def key_of(self, name: str, otherwise: str = "") -> str:
        """How the key of that name is written here; ``otherwise`` if there is none."""
        ...

    async def act(self, action: str) -> None:
        """Does an action of the pane or, after ``app.``, of the application."""
        ...

    def do(self, work: Coroutine[Any, Any, None], group: str) -> None:
        """Runs ``work`` beside the interface, and says what went wrong."""
        ...

    def post_message(self, message: Message) -> bool:
        """Tells those outside, see ``news``."""
        ...

    def refresh_bindings(self) -> None:
        """What the keys can do may have changed."""
        ...

    def run_worker(
        self, work: Awaitable[Result], *, group: str, exclusive: bool = False, exit_on_error: bool = True
    ) -> Worker[Result]:
        """Runs ``work`` beside the interface; ``exclusive`` calls off what runs in its group."""
        ...
