"""One turn of a conversation."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from .parts import Image, Part, Text, Thinking

Role = Literal["system", "user", "assistant", "tool"]


class Message(Struct, frozen=True, gc=False):
    """Who spoke, and what was said, in order."""

    role: Role
    parts: tuple[Part, ...]

    @classmethod
    def system(cls, text: str) -> Message:
        """Instructions that hold for the whole conversation."""
        return cls("system", (Text(text),))

    @classmethod
    def user(cls, text: str) -> Message:
        """What the person says."""
        return cls("user", (Text(text),))

    @classmethod
    def assistant(cls, text: str, thinking: str = "") -> Message:
        """What a model answered, and what it thought before."""
        parts: tuple[Part, ...] = (Text(text),)
        return cls("assistant", (Thinking(thinking), *parts) if thinking else parts)

    @property
    def text(self) -> str:
        """The words alone: every text part, joined; thinking, tool traffic and what was attached left out."""
        return "".join(part.text for part in self.parts if isinstance(part, Text) and not part.name)

    @property
    def attached(self) -> tuple[Text | Image, ...]:
        """The files that were attached, in order."""
        return tuple(part for part in self.parts if isinstance(part, Text | Image) and part.name)

    @property
    def shows_images(self) -> bool:
        """Whether there is a picture in it."""
        return any(isinstance(part, Image) for part in self.parts)
