"""What helps while writing."""

from __future__ import annotations

from msgspec import Struct


class WritingSettings(Struct, frozen=True, kw_only=True):
    """Posts and the help with them.

    Attributes:
        suggestions: whether a model of this machine suggests the next words while you pause; nothing is sent anywhere.
        model: who helps with posts; empty takes the one that the chat used last.
        export: the folder that posts are written to when none is named; empty is the one you are in.
    """

    suggestions: bool = True
    model: str = ""
    export: str = ""
