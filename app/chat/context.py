"""What of a conversation goes into a request."""

from __future__ import annotations

from collections.abc import Sequence

from app.messages import Message, Node, Part, Text, Thinking


def messages_for(path: Sequence[Node], system: str = "") -> tuple[Message, ...]:
    """The messages of ``path`` as a model should see them, ``system`` first.

    Thoughts stay out: models are trained to answer without their earlier ones. An answer that holds nothing, because it
    was stopped or failed at once, stays out too; the questions around it become one, since many chat templates refuse
    two turns of one role in a row.
    """
    found: list[Message] = [Message.system(system)] if system.strip() else []
    for node in path:
        parts = tuple(part for part in node.message.parts if not isinstance(part, Thinking))
        if not any(not isinstance(part, Text) or part.text for part in parts):
            continue
        last = found[-1] if found else None
        if last is not None and last.role == node.message.role and last.role in ("user", "assistant"):
            found[-1] = Message(last.role, _joined(last.parts, parts))
        else:
            found.append(Message(node.message.role, parts))
    return tuple(found)


def _joined(first: tuple[Part, ...], second: tuple[Part, ...]) -> tuple[Part, ...]:
    if isinstance(first[-1], Text) and isinstance(second[0], Text):
        return (*first[:-1], Text(f"{first[-1].text}\n\n{second[0].text}"), *second[1:])
    return (*first, *second)
