"""What is told to the model in the place of messages that its context window has no room for."""

from __future__ import annotations

import msgspec
from msgspec import Struct


class Summary(Struct, frozen=True):
    """What was said in messages that are no longer sent.

    Attributes:
        covers: the ids of those messages.
    """

    text: str = ""
    covers: frozenset[str] = frozenset()

    def as_instructions(self, system: str) -> str:
        """The system prompt with the summary behind it; as quoted matter, because parts of it are a model's words."""
        if not self.text:
            return system
        quoted = "\n".join(f"> {line}" for line in self.text.splitlines())
        return f"{system}\n\nEarlier in this conversation, in summary:\n{quoted}".strip()

    def encode(self) -> bytes:
        """For keeping."""
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, kept: bytes | None) -> Summary:
        """What was kept; an empty one when nothing was."""
        return cls() if kept is None else msgspec.json.decode(kept, type=cls)
