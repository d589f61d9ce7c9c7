"""Reads the ``conversations.json`` of a Claude export: lists of messages, newer ones with the message they follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.errors import ImportFormatError
from app.messages import FinishReason, Message, Node, NodeStatus
from app.vault.conversations.records import Session, WholeSession

from .claude_content import Turn, turns_of
from .collecting import Keys, collected
from .imported import Imported
from .reading import as_iso_time, as_mapping, as_text, counted, parse_conversations
from .tree import nearest_kept, node_id, parents_first, session_id, without_loops

_BEFORE_THE_FIRST = "00000000-0000-4000-8000-000000000000"

_FINISHES: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def read(content: str | bytes) -> Imported:
    """The conversations of an export, every branch of each; what cannot be read is left out and named.

    Raises:
        ImportFormatError: when the file is not JSON, or not a list of conversations.
    """
    return imported(parse_conversations(content, "Claude"))


def imported(conversations: Sequence[object]) -> Imported:
    """What ``read`` gives, from a list that is parsed already."""
    return collected(conversations, "name", ("uuid",), _conversation)


def _conversation(conversation: Mapping[str, Any], key: str) -> tuple[WholeSession | None, list[str]]:
    given = conversation.get("chat_messages")
    if not isinstance(given, list):
        raise ImportFormatError("it has no list of messages.")
    messages = _named(given)
    parents, orphans = _parents(messages)
    parents, loops = without_loops(parents)
    ordered = parents_first(parents)
    turns: dict[str, tuple[Turn, ...]] = {}
    missing, strange = 0, len(given) - len(messages)
    for at, message in messages.items():
        found, lost, unread = turns_of(message)
        missing, strange = missing + lost, strange + unread
        if found:
            turns[at] = found
    if not turns:
        return None, []
    nearest = nearest_kept(ordered, parents, turns)
    session = session_id("claude", key)
    nodes: list[Node] = []
    for at in ordered:
        if at in turns:
            above = parents[at]
            before = None if above is None else nearest[above]
            last = None if before is None else _node_id(session, before, len(turns[before]) - 1)
            nodes += _nodes(messages[at], turns[at], session, at, last, as_text(conversation.get("model")))
    leaf = as_text(conversation.get("current_leaf_message_uuid"))
    head = nearest.get(leaf) or next(at for at in reversed(messages) if at in turns)
    notes = []
    if strange:
        notes.append(f"{counted(strange, 'piece')} could not be read.")
    if missing:
        notes.append(f"{counted(missing, 'file')} left out; the export has only names of files.")
    if orphans:
        notes.append(f"{counted(orphans, 'message')} had lost the one before, and follow the one that stands above.")
    if loops:
        notes.append(f"messages followed each other in a circle, which was opened ({counted(loops, 'time')}).")
    whole = _session(conversation, session, nodes, _node_id(session, head, len(turns[head]) - 1))
    return WholeSession(whole, tuple(nodes)), notes


def _named(given: Sequence[object]) -> dict[str, Mapping[str, Any]]:
    """The messages by their ids, in their order; without an id, by their place."""
    keys = Keys()
    found: dict[str, Mapping[str, Any]] = {}
    for index, value in enumerate(given):
        message = as_mapping(value)
        if message:
            found[keys.free(as_text(message.get("uuid")) or f"#{index}")] = message
    return found


def _parents(messages: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, str | None], int]:
    """What each message follows, and how many follow one that is missing.

    Older exports do not say; there every message follows the one above it, as it does when the one it names is missing.
    """
    parents: dict[str, str | None] = {}
    orphans = 0
    previous: str | None = None
    for at, message in messages.items():
        named = as_text(message.get("parent_message_uuid"))
        if named in messages:
            parents[at] = named
        elif named == _BEFORE_THE_FIRST:
            parents[at] = None
        else:
            parents[at] = previous
            # The first message of an export may follow one that the service keeps to itself.
            orphans += bool(named) and previous is not None
        previous = at
    return parents, orphans


def _node_id(session: str, key: str, turn: int) -> str:
    first = node_id(session, key)
    return node_id(first, str(turn)) if turn else first


def _nodes(
    message: Mapping[str, Any], turns: Sequence[Turn], session: str, key: str, parent: str | None, model: str
) -> list[Node]:
    reason = as_text(message.get("stop_reason"))
    nodes: list[Node] = []
    for index, turn in enumerate(turns):
        answers, last = turn.role == "assistant", index == len(turns) - 1
        status: NodeStatus = "cut" if answers and last and reason == "user_canceled" else "complete"
        finish: FinishReason | None = None
        if answers:
            finish = _FINISHES.get(reason) if last else "tool_calls"
        nodes.append(
            Node(
                id=_node_id(session, key, index),
                parent_id=nodes[-1].id if nodes else parent,
                message=Message(turn.role, turn.parts),
                created_at=as_iso_time(message.get("created_at")),
                status=status,
                model=(as_text(message.get("model")) or model) if answers else "",
                finish=finish,
            )
        )
    return nodes


def _session(conversation: Mapping[str, Any], session: str, nodes: Sequence[Node], head: str) -> Session:
    times = [node.created_at for node in nodes if node.created_at]
    created = as_iso_time(conversation.get("created_at")) or min(times, default=0.0)
    title = as_text(conversation.get("name"))
    return Session(
        id=session,
        title=title,
        titled_by="person" if title.strip() else "nobody",
        created_at=created,
        updated_at=as_iso_time(conversation.get("updated_at")) or max(times, default=created),
        pinned=conversation.get("is_starred") is True,
        head_id=head,
    )
