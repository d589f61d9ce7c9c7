"""A conversation as a tree: every answer that was ever given is kept, one path through it is shown."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from app.errors import PlaygroundError
from app.messages import Message, Node, NodeStatus


def new_id() -> str:
    """A fresh node id."""
    return uuid.uuid4().hex


class UnknownNodeError(PlaygroundError):
    """A conversation was asked for a message that it does not hold."""

    title = "No such message"
    code = "unknown_node"


class Journal(Protocol):
    """Whoever wants to know of every change of a conversation, as it happens: what keeps it."""

    def saved(self, node: Node) -> None:
        """A message is new, or newer than it was."""
        ...

    def forgot(self, node_id: str) -> None:
        """A message was taken back."""
        ...

    def moved(self, head_id: str | None) -> None:
        """Another branch is shown, or another message is its last."""
        ...


class Conversation:
    """A tree of nodes and the path through it that is shown.

    ``head`` is the last node of the shown path. Nodes are immutable; ``save`` puts a newer version in a node's place.

    Attributes:
        system: instructions that stand before the first message; empty for none.
    """

    def __init__(
        self,
        nodes: Iterable[Node] = (),
        system: str = "",
        *,
        new_id: Callable[[], str] = new_id,
        journal: Journal | None = None,
    ) -> None:
        self.system = system
        self._new_id = new_id
        self._journal: Journal | None = None
        self._nodes: dict[str, Node] = {}
        self._children: dict[str | None, list[str]] = {}
        self._head: str | None = None
        self._path: list[str] | None = []
        for node in nodes:
            self._insert(node)
            self._move_head(node.id)
        self._journal = journal

    def __len__(self) -> int:
        """Nodes in the whole tree."""
        return len(self._nodes)

    def __contains__(self, node_id: str) -> bool:
        return node_id in self._nodes

    @property
    def head(self) -> Node | None:
        """The last message of the shown path."""
        return None if self._head is None else self._nodes[self._head]

    def follow(self, journal: Journal) -> None:
        """Tells ``journal`` everything that there is, and each change from now on."""
        for node in self._nodes.values():
            journal.saved(node)
        journal.moved(self._head)
        self._journal = journal

    def node(self, node_id: str) -> Node:
        """The newest version of a node.

        Raises:
            UnknownNodeError: when there is none of this id.
        """
        try:
            return self._nodes[node_id]
        except KeyError:
            raise UnknownNodeError(f"The conversation holds no message {node_id!r}.") from None

    def path(self) -> tuple[Node, ...]:
        """The shown messages, first to last."""
        return tuple(self._nodes[node_id] for node_id in self._path_ids())

    def path_to(self, node_id: str | None) -> tuple[Node, ...]:
        """The messages from the first up to this one; nothing for ``None``."""
        found: list[Node] = []
        while node_id is not None:
            node = self.node(node_id)
            found.append(node)
            node_id = node.parent_id
        return tuple(reversed(found))

    def append(self, message: Message, *, model: str = "", status: NodeStatus = "complete") -> Node:
        """Adds a message below the head; it becomes the head."""
        return self.branch(self._head, message, model=model, status=status)

    def branch(
        self, parent_id: str | None, message: Message, *, model: str = "", status: NodeStatus = "complete"
    ) -> Node:
        """Adds a message below any node, beside those that are already there; it becomes the head."""
        if parent_id is not None:
            self.node(parent_id)
        node = Node(
            id=self._new_id(), parent_id=parent_id, message=message, created_at=time.time(), model=model, status=status
        )
        self._insert(node)
        if self._journal is not None:
            self._journal.saved(node)
        self._move_head(node.id)
        return node

    def save(self, node: Node) -> Node:
        """Puts a newer version of a node in its place.

        Raises:
            UnknownNodeError: when the node was never added.
        """
        known = self.node(node.id)
        if known.parent_id != node.parent_id:
            node = msgspec.structs.replace(node, parent_id=known.parent_id)
        self._nodes[node.id] = node
        if self._journal is not None:
            self._journal.saved(node)
        return node

    def siblings(self, node_id: str) -> tuple[Node, ...]:
        """The versions of a message: itself and all that stand in the same place, oldest first."""
        return tuple(self._nodes[child] for child in self._children[self.node(node_id).parent_id])

    def below(self, node_id: str | None) -> tuple[Node, ...]:
        """The messages that follow one directly, oldest first; the first ones of all for ``None``."""
        return tuple(self._nodes[child] for child in self._children.get(node_id, ()))

    def show_sibling(self, node_id: str, step: int) -> Node:
        """Shows the version ``step`` places away from this one, and the newest messages below it.

        Stops at the first and the last version. Returns the version that is shown now.
        """
        siblings = [node.id for node in self.siblings(node_id)]
        chosen = siblings[max(0, min(len(siblings) - 1, siblings.index(node_id) + step))]
        if chosen != node_id:
            self._move_head(self._newest_leaf(chosen))
        return self._nodes[chosen]

    def show(self, node_id: str | None) -> None:
        """Makes this node the head; ``None`` shows an empty conversation. Nothing is lost."""
        if node_id is not None:
            self.node(node_id)
        self._move_head(node_id)

    def show_with(self, node_id: str) -> None:
        """Shows a branch that this node is on: the one that is shown, if it is, else the newest below it."""
        if node_id not in self._path_ids():
            self.node(node_id)
            self._move_head(self._newest_leaf(node_id))

    def roll_back(self, messages: int) -> tuple[Node, ...]:
        """Takes the last ``messages`` off the shown path and returns them. They stay in the tree."""
        ids = self._path_ids()
        kept = ids[: max(0, len(ids) - max(0, messages))]
        dropped = tuple(self._nodes[node_id] for node_id in ids[len(kept) :])
        self._move_head(kept[-1] if kept else None)
        return dropped

    def forget(self, node_id: str) -> None:
        """Removes a node that nothing stands below, as when a prompt goes back into the composer unanswered."""
        node = self.node(node_id)
        if self._children.get(node_id):
            raise UnknownNodeError(f"Message {node_id!r} has answers below it, so it is kept.")
        if self._head == node_id:
            self._move_head(node.parent_id)
        self._children[node.parent_id].remove(node_id)
        del self._nodes[node_id]
        if self._journal is not None:
            self._journal.forgot(node_id)

    def _insert(self, node: Node) -> None:
        self._nodes[node.id] = node
        self._children.setdefault(node.parent_id, []).append(node.id)

    def _move_head(self, node_id: str | None) -> None:
        if self._journal is not None:
            self._journal.moved(node_id)
        path = self._path
        if path is not None and node_id is not None:
            parent = self._nodes[node_id].parent_id
            if (path[-1] if path else None) == parent:
                path.append(node_id)
                self._head = node_id
                return
        self._head = node_id
        self._path = None

    def _path_ids(self) -> list[str]:
        if self._path is None:
            self._path = [node.id for node in self.path_to(self._head)]
        return self._path

    def _newest_leaf(self, node_id: str) -> str:
        while children := self._children.get(node_id):
            node_id = children[-1]
        return node_id
