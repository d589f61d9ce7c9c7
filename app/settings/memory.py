"""What is recalled from earlier conversations."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class MemorySettings(Struct, frozen=True, kw_only=True):
    """Memory of conversations and posts. All of it stays in the vault.

    Attributes:
        enabled: whether what you say is remembered, and recalled when it fits a question.
        model: turns text into vectors; one of this machine. After a change everything is embedded anew.
        budget: tokens of recalled text that go with a question at most.
        most: passages that go with a question at most.
        remote: whether recalled text may go to models that are not on this machine.
    """

    enabled: bool = True
    model: str = "all-minilm-l6-v2"
    budget: Annotated[int, Meta(ge=0, le=100_000)] = 600
    most: Annotated[int, Meta(ge=1, le=50)] = 4
    remote: bool = False
