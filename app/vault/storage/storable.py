"""Text as it can be kept: UTF-8 has no place for half a character."""

from __future__ import annotations

import msgspec

from app.messages import Message, Part
from app.privacy.characters import whole_characters

storable = whole_characters
"""A text as it can be kept."""


def storable_message(message: Message) -> Message:
    """The same message with every text of it storable."""
    parts = tuple(_storable_part(part) for part in message.parts)
    return message if parts == message.parts else Message(message.role, parts)


def _storable_part(part: Part) -> Part:
    texts = {name: getattr(part, name) for name in part.__struct_fields__}
    changes = {name: storable(value) for name, value in texts.items() if isinstance(value, str)}
    if all(changes[name] == texts[name] for name in changes):
        return part
    return msgspec.structs.replace(part, **changes)
