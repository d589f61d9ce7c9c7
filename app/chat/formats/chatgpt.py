"""Reads the ``conversations.json`` of a ChatGPT export: trees of messages, each with a current branch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, structs

from app.errors import ImportFormatError
from app.messages import Message, Node, Thinking, ToolResult
from app.vault.conversations.records import Session, WholeSession

from .chatgpt_content import ROLES, Said, said
from .collecting import collected
from .imported import Imported
from .reading import as_list, as_mapping, as_text, as_time, counted, parse_conversations
from .tree import nearest_kept, node_id, parents_first, session_id, without_loops


class _Tree(Struct, frozen=True):
    """The messages of one conversation by their keys in the export; empty ones are in all but ``said``."""

    said: dict[str, Said]
    parents: dict[str, str | None]
    times: dict[str, float]
    ordered: list[str]
    notes: list[str]


def read(content: str | bytes) -> Imported:
    """The conversations of an export, every branch of each; what cannot be read is left out and named.

    Raises:
        ImportFormatError: when the file is not JSON, or not a list of conversations.
    """
    return imported(parse_conversations(content, "ChatGPT"))


def imported(conversations: Sequence[object]) -> Imported:
    """What ``read`` gives, from a list that is parsed already."""
    return collected(conversations, "title", ("conversation_id", "id"), _conversation)


def _conversation(conversation: Mapping[str, Any], key: str) -> tuple[WholeSession | None, list[str]]:
    mapping = conversation.get("mapping")
    if not isinstance(mapping, dict):
        raise ImportFormatError("it has no tree of messages.")
    tree = _tree(mapping)
    turns = {at: found for at, found in tree.said.items() if not found.system}
    if not turns:
        return None, []
    nearest = nearest_kept(tree.ordered, tree.parents, turns)
    parents: dict[str, str | None] = {}
    for at in tree.ordered:
        if at in turns:
            above = tree.parents[at]
            parents[at] = None if above is None else nearest[above]
    current = conversation.get("current_node")
    head = nearest.get(current) if isinstance(current, str) else None
    calls = _open_calls(turns, parents)
    turns, parents, moved = _thoughts_joined(turns, parents)
    while head in moved:
        head = moved[head]

    session = session_id("chatgpt", key)
    nodes = tuple(
        Node(
            id=node_id(session, at),
            parent_id=None if above is None else node_id(session, above),
            message=_answering(turns[at].message, calls[at]),
            created_at=tree.times[at],
            status=turns[at].status,
            model=turns[at].model,
            finish=turns[at].finish,
        )
        for at, above in parents.items()
    )
    instructions = [tree.said[at].message.text for at in tree.ordered if at in tree.said and tree.said[at].system]
    shown = _session(conversation, session, nodes, instructions[0] if instructions else "")
    head = head or _latest_leaf(parents, tree.times)
    return WholeSession(structs.replace(shown, head_id=node_id(session, head)), nodes), [
        *tree.notes,
        *_notes(turns, instructions),
    ]


def _session(conversation: Mapping[str, Any], session: str, nodes: Sequence[Node], system: str) -> Session:
    times = [node.created_at for node in nodes if node.created_at]
    created = as_time(conversation.get("create_time")) or min(times, default=0.0)
    title = as_text(conversation.get("title"))
    return Session(
        id=session,
        title=title,
        titled_by="person" if title.strip() else "nobody",
        created_at=created,
        updated_at=as_time(conversation.get("update_time")) or max(times, default=created),
        pinned=conversation.get("is_starred") is True or as_time(conversation.get("pinned_time")) > 0,
        archived=conversation.get("is_archived") is True,
        system=system,
        remembers=conversation.get("is_do_not_remember") is not True,
    )


def _tree(mapping: Mapping[str, Any]) -> _Tree:
    entries = {key: as_mapping(value) for key, value in mapping.items()}
    parents, orphans = _parents(entries)
    parents, loops = without_loops(parents)
    found: dict[str, Said] = {}
    times: dict[str, float] = {}
    strange = sum(not isinstance(value, dict) for value in mapping.values())
    for key, entry in entries.items():
        given = entry.get("message")
        message = as_mapping(given)
        times[key] = as_time(message.get("create_time"))
        words = said(message, ascii(key)[1:-1])
        if words is not None:
            found[key] = words
        elif given is not None:
            strange += as_text(as_mapping(message.get("author")).get("role")) not in ROLES
    notes = []
    if strange:
        notes.append(f"{counted(strange, 'message')} could not be read.")
    if orphans:
        notes.append(f"{counted(orphans, 'message')} had lost the one before, and became the beginning of a branch.")
    if loops:
        notes.append(f"messages followed each other in a circle, which was opened ({counted(loops, 'time')}).")
    return _Tree(found, parents, times, parents_first(parents), notes)


def _parents(entries: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, str | None], int]:
    """What each message follows, by its own word or else its parent's, and how many follow one that is missing."""
    listed: dict[str, str] = {}
    for key, entry in entries.items():
        for child in as_list(entry.get("children")):
            if isinstance(child, str):
                listed.setdefault(child, key)
    parents: dict[str, str | None] = {}
    orphans = 0
    for key, entry in entries.items():
        above = entry.get("parent")
        if isinstance(above, str) and above in entries:
            parents[key] = above
        else:
            parents[key] = listed.get(key)
            orphans += above is not None and parents[key] is None
    return parents, orphans


def _open_calls(turns: Mapping[str, Said], parents: Mapping[str, str | None]) -> dict[str, str]:
    """For every message, the id of the last tool call before it in the same answer; empty when there is none."""
    calls: dict[str, str] = {}
    for at, above in parents.items():
        if above is None or turns[at].message.role == "user":
            calls[at] = ""
        else:
            calls[at] = turns[above].call_id or calls[above]
    return calls


def _answering(message: Message, call_id: str) -> Message:
    if message.role != "tool":
        return message
    parts = (structs.replace(part, call_id=call_id) if isinstance(part, ToolResult) else part for part in message.parts)
    return Message("tool", tuple(parts))


def _thoughts_joined(
    turns: Mapping[str, Said], parents: Mapping[str, str | None]
) -> tuple[dict[str, Said], dict[str, str | None], dict[str, str]]:
    """Thoughts, which the export keeps as messages of their own, put before the one answer that they led to.

    Gives the messages, what they follow, and into which message each one went that is no longer there.
    """
    children = Counter(above for above in parents.values() if above is not None)
    joined, follows = dict(turns), dict(parents)
    moved: dict[str, str] = {}
    for at in parents:  # parents come first, so thoughts gather on their way down
        above = follows[at]
        if above is None or children[above] != 1 or joined[at].message.role != "assistant":
            continue
        before = joined[above].message
        if before.role != "assistant" or not all(isinstance(part, Thinking) for part in before.parts):
            continue
        message = Message("assistant", (*before.parts, *joined[at].message.parts))
        joined[at] = structs.replace(joined[at], message=message)
        follows[at] = follows[above]
        moved[above] = at
        del joined[above], follows[above]
    return joined, follows, moved


def _latest_leaf(parents: Mapping[str, str | None], times: Mapping[str, float]) -> str:
    inner = set(parents.values())
    return max((at for at in reversed(list(parents)) if at not in inner), key=times.__getitem__)


def _notes(turns: Mapping[str, Said], instructions: Sequence[str]) -> list[str]:
    notes: list[str] = []
    missing = sum(found.missing for found in turns.values())
    if missing:
        notes.append(f"{counted(missing, 'picture, sound or file', 'pictures, sounds or files')} left out.")
    others = len(set(instructions)) - 1
    if others > 0:
        notes.append(f"{counted(others, 'further system message')} left out.")
    return notes
