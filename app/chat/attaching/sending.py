"""What was attached, in a message and on its way to a model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from app.errors import NotSupportedError
from app.messages import Image, Message, Part, Text

from .pictures import picture

if TYPE_CHECKING:
    from .files import Attachment

_BYTES_A_TOKEN = 3.5


def with_attached(text: str, attached: Sequence[Attachment] = (), kept: Iterable[Text | Image] = ()) -> Message:
    """What the person says with the files that go with it. They stand before the words, as models read them best.

    Args:
        text: their words.
        attached: read just now.
        kept: attached before, to another version of this message.
    """
    parts: list[Part] = [*kept, *(each.part for each in attached)]
    return Message("user", (*parts, Text(text)) if text or not parts else tuple(parts))


def as_sent(part: Part) -> Part:
    """A part as a model gets it: without our name for it."""
    if isinstance(part, Text):
        return Text(part.text) if part.name else part
    if isinstance(part, Image) and part.name:
        return Image(part.media_type, part.data, part.url)
    return part


def unseen(image: Image) -> Text:
    """What stands in a picture's place for a model that sees none, where the picture is not what is asked about."""
    return Text(f"[A picture was here{f', {image.name}' if image.name else ''}, which you cannot see.]")


def refused_images(model: str) -> NotSupportedError:
    """What is said when a picture was to go to a model that sees none."""
    return NotSupportedError(
        f"{model} cannot see pictures, so nothing was sent.",
        "Take the picture out of the prompt, or choose a model that sees (vision = true in the catalogue).",
    )


def tokens_of(part: Text | Image) -> int:
    """What a part takes of a context window, roughly."""
    if isinstance(part, Text):
        return round(len(part.text.encode("utf-8", "replace")) / _BYTES_A_TOKEN)
    seen = picture(part.data) if part.data is not None else None
    return seen.tokens if seen is not None else 0
