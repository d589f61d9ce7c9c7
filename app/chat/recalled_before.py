"""What memory recalled for answers of earlier days: known by its place, read again where it was said."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from app.messages import Node, Quoted

if TYPE_CHECKING:
    from app.memory.recall import Recalled, Why
    from app.vault.recall.recollection import Recollection
    from app.vault.recall.vectors import Source

MOST = 100
"""Answers of a conversation, the latest ones, for which it is looked up."""

_DIGEST_BYTES = 8


class Recollects(Protocol):
    """What finds messages and posts: ``app.vault.recall.recollection.Recollections``."""

    async def of_sources(self, sources: Sequence[tuple[Source, str]]) -> tuple[Recollection, ...]:
        """See ``Recollections.of_sources``."""
        ...


def quoted(passage: Recalled) -> Quoted:
    """The passage as an answer's node keeps it: without its words."""
    return Quoted(passage.source, passage.source_id, passage.why, _digest(passage.text))


async def recalled_before(nodes: Iterable[Node], recollects: Recollects) -> dict[str, tuple[Recalled, ...]]:
    """What was recalled for each of these answers, by their ids.

    What was changed, deleted or forgotten since is left out.

    Raises:
        VaultLockedError: while the vault is locked.
    """
    answers = [node for node in nodes if node.quoted][-MOST:]
    if not answers:
        return {}
    wanted = dict.fromkeys((each.source, each.source_id) for node in answers for each in node.quoted)
    found = {(each.source, each.source_id): each for each in await recollects.of_sources(tuple(wanted))}
    # In a thread: texts may be long, and there may be hundreds.
    return await asyncio.to_thread(_all_of, answers, found)


def _all_of(
    answers: Sequence[Node], found: Mapping[tuple[Source, str], Recollection]
) -> dict[str, tuple[Recalled, ...]]:
    texts: dict[tuple[Source, str], dict[bytes, str]] = {}
    recalled: dict[str, tuple[Recalled, ...]] = {}
    for node in answers:
        passages: list[Recalled] = []
        for each in node.quoted:
            place = (each.source, each.source_id)
            source = found.get(place)
            if source is None:
                continue
            if place not in texts:
                texts[place] = _by_digest(source.text)
            if each.digest in texts[place]:
                passages.append(_passage(each, source, texts[place][each.digest]))
        recalled[node.id] = tuple(passages)
    return recalled


def _by_digest(text: str) -> dict[bytes, str]:
    from app.memory.pieces import pieces_of

    return {_digest(piece): piece for piece in (text, *pieces_of(text))}


def _passage(kept: Quoted, source: Recollection, text: str) -> Recalled:
    from app.memory.recall import Recalled

    return Recalled(
        source=kept.source,
        source_id=kept.source_id,
        session_id=source.session_id,
        title=source.title,
        role=source.role,
        date=source.created_at,
        text=text,
        why=_why(kept.why),
        score=0.0,
    )


def _why(word: str) -> Why:
    return word if word in ("meaning", "words") else "meaning and words"  # type: ignore[return-value]


def _digest(text: str) -> bytes:
    import hashlib  # not needed until something is recalled

    return hashlib.sha256(text.encode("utf-8", "replace")).digest()[:_DIGEST_BYTES]
