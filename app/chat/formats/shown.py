"""What a reader sees of a conversation, for every form that is made to be read."""

from __future__ import annotations

from datetime import UTC, datetime

from app.messages import Image, Node
from app.vault.conversations.records import Session, WholeSession

_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})

_SPEAKERS = {"user": "You", "assistant": "Assistant", "tool": "Tool", "system": "System"}


def shown_branch(whole: WholeSession) -> tuple[Node, ...]:
    """The messages from the first one to the session's head."""
    nodes = {node.id: node for node in whole.nodes}
    branch: list[Node] = []
    at = whole.session.head_id
    while at is not None and (node := nodes.pop(at, None)) is not None:
        branch.append(node)
        at = node.parent_id
    return tuple(reversed(branch))


def title_of(session: Session) -> str:
    """The session's title, or what stands for one."""
    return " ".join(session.title.split()) or "Untitled conversation"


def speaker(node: Node) -> str:
    """Who speaks: a model by its name."""
    return node.model if node.message.role == "assistant" and node.model else _SPEAKERS[node.message.role]


def moment(seconds: float) -> str:
    """A time that reads the same everywhere, in UTC; empty when it is not known."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC" if seconds > 0 else ""
    except (ValueError, OverflowError, OSError):
        return ""


def ending(node: Node) -> str:
    """How an answer ended, when it is not whole; empty when it is."""
    if node.status == "failed":
        if node.error is None:
            return "Failed."
        return f"Failed: {node.error.title}. {node.error.message} {node.error.remedy}".strip()
    if node.status == "cut":
        return "Stopped before its end."
    if node.status == "streaming":
        return "Still being written when this was saved."
    if node.finish == "length":
        return "Ended at the limit of its length."
    return "Ended by a content filter." if node.finish == "content_filter" else ""


def data_address(image: Image) -> str | None:
    """A picture's bytes as an address that needs no network; ``None`` when there are none of a safe kind."""
    from base64 import b64encode

    if image.data is None or image.media_type not in _PICTURES:
        return None
    return f"data:{image.media_type};base64,{b64encode(image.data).decode()}"
