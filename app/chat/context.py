"""What of a conversation goes into a request."""

from __future__ import annotations

from collections.abc import Sequence

from app.messages import Image, Message, Node, Part, Text, Thinking

from .attaching.sending import as_sent, unseen


def messages_for(path: Sequence[Node], system: str = "", *, sees: bool = True) -> tuple[Message, ...]:
    """The messages of ``path`` as a model should see them, ``system`` first.

    Files that were attached are text like any other from here on. A model that ``sees`` no pictures is told that there
    were some.

    Thoughts stay out: models are trained to answer without their earlier ones. An answer that holds nothing, because it
    was stopped or failed at once, stays out too; the questions around it become one, since many chat templates refuse
    two turns of one role in a row.
    """
    found: list[Message] = [Message.system(system)] if system.strip() else []
    for node in path:
        parts = _parts(node.message, sees=sees)
        if not any(not isinstance(part, Text) or part.text for part in parts):
            continue
        last = found[-1] if found else None
        if last is not None and last.role == node.message.role and last.role in ("user", "assistant"):
            found[-1] = Message(last.role, _joined(last.parts, parts))
        else:
            found.append(Message(node.message.role, parts))
    return tuple(found)


def _parts(message: Message, *, sees: bool) -> tuple[Part, ...]:
    """Without thoughts; texts that only a name held apart are one."""
    found: tuple[Part, ...] = ()
    before = False
    for part in message.parts:
        if isinstance(part, Thinking):
            continue
        sent = unseen(part) if isinstance(part, Image) and not sees else as_sent(part)
        changed = isinstance(sent, Text) and sent is not part
        found = _joined(found, (sent,)) if found and (changed or before) else (*found, sent)
        before = changed
    return found


def _joined(first: tuple[Part, ...], second: tuple[Part, ...]) -> tuple[Part, ...]:
    if isinstance(first[-1], Text) and isinstance(second[0], Text):
        return (*first[:-1], Text(f"{first[-1].text}\n\n{second[0].text}"), *second[1:])
    return (*first, *second)
