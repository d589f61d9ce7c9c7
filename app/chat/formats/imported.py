"""What an import gives."""

from __future__ import annotations

from msgspec import Struct

from app.vault.conversations.records import WholeSession


class Imported(Struct, frozen=True):
    """Conversations that were read, and what could not be.

    Attributes:
        sessions: every conversation that could be read. Their ids come from the ids of the source, so the same export
            read twice gives the same ids.
        skipped: a sentence for each thing that was left out, naming its conversation.
    """

    sessions: tuple[WholeSession, ...] = ()
    skipped: tuple[str, ...] = ()
