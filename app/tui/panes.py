"""The panes, in the order of their tabs. A new pane is one entry here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.playground import Playground

    from .memory_desk import MemoryDesk
    from .model_desk import ModelDesk
    from .pane import Pane
    from .server.desk import ServerDesk


@dataclass(frozen=True)
class Parts:
    """What panes are made of.

    Attributes:
        model: the one to begin with: what was chosen last, or what the settings say.
    """

    playground: Playground
    desk: ModelDesk
    server: ServerDesk
    memory: MemoryDesk
    model: str


@dataclass(frozen=True)
class PaneEntry:
    """One pane.

    Attributes:
        key: shows it; several are separated by commas.
        name: the id of its widget, and the word in ``app.pane('NAME')`` and in the names of keys.
        title: on its tab, in the line of keys and in the palette.
        help: one sentence for the palette.
        make: makes it when it is shown for the first time, and imports it only then; ``None`` for the chat, which is
            always there.
    """

    key: str
    name: str
    title: str
    help: str
    make: Callable[[Parts], Pane] | None = None


def _sessions(parts: Parts) -> Pane:
    from .sessions.pane import SessionsPane

    return SessionsPane(parts.playground.vault, memory=parts.memory)


def _models(parts: Parts) -> Pane:
    from .models.pane import ModelsPane

    return ModelsPane(parts.desk)


def _blog(parts: Parts) -> Pane:
    from .blog.pane import BlogPane

    playground = parts.playground
    return BlogPane(playground.vault, parts.desk, parts.model, playground.settings.writing, playground.environ)


def _dashboard(parts: Parts) -> Pane:
    from .dashboard.pane import DashboardPane

    return DashboardPane(parts.playground.vault)


def _server(parts: Parts) -> Pane:
    from .server.pane import ServerPane

    return ServerPane(parts.server)


def _requests(parts: Parts) -> Pane:
    from .requests.pane import RequestsPane

    return RequestsPane(parts.playground.vault, parts.playground.masker)


PANES: tuple[PaneEntry, ...] = (
    PaneEntry("f5", "chat", "Chat", "Go to the chat."),
    PaneEntry("f6", "blog", "Blog", "Write posts, and go on with earlier ones.", _blog),
    PaneEntry("f7", "sessions", "Sessions", "Find and go on with earlier conversations.", _sessions),
    PaneEntry("f8", "models", "Models", "See, fetch and remove models.", _models),
    PaneEntry("f9", "dashboard", "Dashboard", "See what models did over time: tokens, speed, cost.", _dashboard),
    # F10 opens the menu of some terminals, so there is another key.
    PaneEntry("f10,alt+s", "server", "Server", "Let other programs use your models.", _server),
    PaneEntry("f12,alt+r", "requests", "Requests", "Look through what was asked of models.", _requests),
)
