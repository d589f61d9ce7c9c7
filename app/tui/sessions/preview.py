"""A look into the chosen conversation, beside the list where the terminal is wide enough."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from app.messages import Node
from app.privacy.terminal import clean
from app.vault.conversations.records import WholeSession

from .hit_list import speaker
from .titles import title_words

_MESSAGES = 6
_CHARACTERS = 600


class Preview(VerticalScroll, can_focus=False):
    """The last messages of a conversation, or the ones around a message that was found."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: tuple[str, str | None] | None = None
        """The session and the message that can be seen here."""

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static(id="preview-text")

    def show_session(self, whole: WholeSession, node_id: str | None) -> None:
        """Shows the end of the branch in use, or the message ``node_id`` with what led to it."""
        self.shown = (whole.session.id, node_id)
        self.query_one(Static).update(_words(whole, node_id))
        if node_id is None:
            self.call_after_refresh(self.scroll_end, animate=False)
        else:
            self.scroll_home(animate=False)

    def forget(self) -> None:
        """Shows nothing."""
        self.shown = None
        self.query_one(Static).update("")


def _words(whole: WholeSession, node_id: str | None) -> Content:
    title, colour = title_words(whole.session.title)
    lines = [Content.styled(title, f"bold {colour}")]
    shown = 2 if node_id is not None else _MESSAGES
    for node in _branch(whole, node_id)[-shown:]:
        name = clean(node.model) if node.message.role == "assistant" and node.model else speaker(node.message.role)
        lines.append(Content.styled(f"\n{name}", "$primary" if node.message.role == "user" else "$secondary"))
        lines.append(Content(_shortened(clean(node.message.text).strip())))
    if len(lines) == 1:
        lines.append(Content.styled("\nNothing was said yet.", "$text-muted"))
    return Content("\n").join(lines)


def _branch(whole: WholeSession, node_id: str | None) -> list[Node]:
    """The messages from the first one to ``node_id``, or to the end of the branch in use."""
    nodes = {node.id: node for node in whole.nodes}
    place = node_id or whole.session.head_id or (whole.nodes[-1].id if whole.nodes else None)
    path: list[Node] = []
    while place is not None and place in nodes and len(path) < _MESSAGES:
        path.append(nodes[place])
        place = nodes[place].parent_id
    return path[::-1]


def _shortened(text: str) -> str:
    return text if len(text) <= _CHARACTERS else text[:_CHARACTERS].rstrip() + "…"
