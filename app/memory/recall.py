"""Recall: by meaning and by words at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from app.vault import Vault
from app.vault.recall.recollection import Recollection
from app.vault.recall.vectors import Source

from .embedding import Embedder
from .index import Index, Near, cosines, without_near_copies
from .pieces import first_piece_of, pieces_of
from .telling import is_personal, only_asks, speaks_of_self

Why = Literal["meaning", "words", "meaning and words"]

_RANK_OFFSET = 20
"""Of reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009, who take 60 for lists of a thousand)."""

_WORDS_WEIGHT = 0.6
_RECENCY_WEIGHT = 0.05
_RECENCY_SECONDS = 30 * 86_400.0
_NEAREST = 120
_LISTED = 60
_QUESTION_COSTS = 0.10
_OWN_WORDS_GAIN = 0.06
_OF_SELF_GAIN = 0.10
_ASKS_ONLY_STRENGTH = 0.6
_LEAST_STRENGTH = 0.4
"""A message found by words that holds less than this of the question's is one that shares a common word."""

_FITTING_COSINE = 0.3
_FITTING_STRENGTH = 0.6
_BYTES_A_TOKEN = 3.5


class Recalled(Struct, frozen=True, kw_only=True):
    """A passage that fits a question.

    Attributes:
        source: a message or a post, and its id.
        session_id: where a message stands; empty for a post.
        title: of the session or the post; may be empty.
        role: who said it.
        date: seconds since 1970.
        text: the passage: a short text whole, of a long one the piece that fits.
        why: how it was found.
        score: its place among the others; only comparable within one recall.
        cosine: how alike its meaning is to the question's, -1 to 1; 0 when it has no vector yet.
        strength: how much of the question's words it holds, 0 to 1.
    """

    source: Source
    source_id: str
    session_id: str
    title: str
    role: str
    date: float
    text: str
    why: Why
    score: float
    cosine: float = 0.0
    strength: float = 0.0

    @property
    def fits(self) -> bool:
        """Whether it is near enough to stand in a prompt unasked; a search shows the others too."""
        return self.cosine >= _FITTING_COSINE or self.strength >= _FITTING_STRENGTH


class Recall:
    """Finds what was said before that fits a question.

    Args:
        vault: has everything.
        embedder: turns the question into a vector.
        index: the vectors of the embedder's model.
        clock: seconds since 1970.
    """

    def __init__(self, vault: Vault, embedder: Embedder, index: Index, clock: Callable[[], float] = time.time) -> None:
        self._vault, self._embedder, self._index, self._clock = vault, embedder, index, clock

    async def search(
        self, question: str, limit: int = 10, *, without: Collection[str] = frozenset()
    ) -> tuple[Recalled, ...]:
        """The passages that fit best, the best first, each message once.

        Args:
            question: in the person's words.
            limit: how many.
            without: ids of messages that are not wanted, because the model sees them already.

        Raises:
            VaultLockedError: while the vault is locked.
            PlaygroundError: when the question cannot be embedded.
        """
        question = question.strip()
        if not question:
            return ()
        await self._index.follow()
        if not len(self._index):
            # Nothing is embedded yet: no reason to load a model, and to keep somebody waiting for it.
            said = await self._vault.recollections.by_words(question)
            return await asyncio.to_thread(self._joined, question, {}, list(said), {}, set(without), limit)
        # Words are looked up while a worker computes the vector.
        vectors, told = await asyncio.gather(
            self._embedder.embed([first_piece_of(question)]),
            self._vault.recollections.by_words(question, least=_LEAST_STRENGTH),
        )
        vector = vectors[0]
        near = await self._index.nearest(vector, _NEAREST + len(without))
        about = await self._vault.recollections.of_vectors([each.number for each in near]) if near else {}
        known = [each for each in near if each.number in about]
        # In threads: of long texts the reading alone would hold up the screen for a sixth of a second.
        meant, worded = await asyncio.to_thread(_by_both, question, known, about, told)
        unknown = [each.source_id for each in worded if each.source_id not in meant]
        rows = await self._vault.vectors.vectors_of_messages(self._embedder.model, unknown) if unknown else []

        def ranked() -> tuple[Recalled, ...]:
            by_words: dict[str, tuple[int, float]] = {}
            for (source_id, piece, _), cosine in zip(rows, cosines([row[2] for row in rows], vector), strict=True):
                if source_id not in by_words or cosine > by_words[source_id][1]:
                    by_words[source_id] = (piece, cosine)
            kept = {about[each.number].source_id: each.vector for each in reversed(known)}
            kept.update({source_id: vector for source_id, _, vector in reversed(rows)})
            found = self._joined(question, meant, worded, by_words, set(without), limit * 4)
            return _varied(found, kept, limit)

        return await asyncio.to_thread(ranked)

    def _joined(
        self,
        question: str,
        meant: dict[str, tuple[Recollection, float]],
        worded: list[Recollection],
        by_words: dict[str, tuple[int, float]],
        without: set[str],
        limit: int,
    ) -> tuple[Recalled, ...]:
        found: dict[str, Recalled] = {}
        scores: dict[str, float] = {}
        for rank, (source_id, (each, cosine)) in enumerate(meant.items()):
            scores[source_id] = 1 / (_RANK_OFFSET + rank + 1)
            found[source_id] = _recalled(each, "meaning", cosine)
        for rank, each in enumerate(worded):
            scores[each.source_id] = scores.get(each.source_id, 0.0) + _WORDS_WEIGHT * each.strength / (
                _RANK_OFFSET + rank + 1
            )
            if each.source_id in found:
                found[each.source_id] = msgspec.structs.replace(
                    found[each.source_id], why="meaning and words", strength=each.strength
                )
            else:
                piece, cosine = by_words.get(each.source_id, (None, 0.0))
                found[each.source_id] = _recalled(msgspec.structs.replace(each, piece=piece), "words", cosine)
        now = self._clock()
        asked = _plain(question)
        texts: set[str] = set()
        answer: list[Recalled] = []
        for source_id in sorted(scores, key=lambda each: -scores[each] * self._recency(now, found[each].date)):
            passage = found[source_id]
            plain = _plain(passage.text)
            # What was said twice is told once; the question itself, asked before, is no answer to it.
            if source_id in without or plain in texts or plain == asked:
                continue
            texts.add(plain)
            score = scores[source_id] * self._recency(now, passage.date)
            answer.append(msgspec.structs.replace(passage, score=score))
            if len(answer) == limit:
                break
        return tuple(answer)

    def _recency(self, now: float, date: float) -> float:
        return float(1 + _RECENCY_WEIGHT * 2 ** (-max(0.0, now - date) / _RECENCY_SECONDS))


def within(recalled: Iterable[Recalled], tokens: int, most: int) -> tuple[Recalled, ...]:
    """Those that fit the question and a budget, the best first. One that is too long makes room for a shorter one.

    What only asks is left out: no model answers a question by an earlier one.
    """
    chosen: list[Recalled] = []
    left = float(tokens)
    for each in recalled:
        length = tokens_of(each.text)
        if len(chosen) < most and each.fits and length <= left and not only_asks(each.text):
            chosen.append(each)
            left -= length
    return tuple(chosen)


def tokens_of(text: str) -> float:
    """About how many tokens a text is."""
    return len(text.encode("utf-8", "replace")) / _BYTES_A_TOKEN


def _by_both(
    question: str, near: Sequence[Near], about: Mapping[int, Recollection], told: Sequence[Recollection]
) -> tuple[dict[str, tuple[Recollection, float]], list[Recollection]]:
    """What is near by meaning, and what holds the words, without mere questions that hold few of them."""
    meant = _by_meaning(question, [(about[each.number], each.cosine) for each in near])
    return meant, [each for each in told if each.strength >= _ASKS_ONLY_STRENGTH or not only_asks(each.text)]


def _by_meaning(question: str, near: list[tuple[Recollection, float]]) -> dict[str, tuple[Recollection, float]]:
    """Each message once, with the piece of it that is nearest; in the order in which they fit.

    Questions are alike as questions, whatever they are about, and seldom answer each other; what a person asks about
    themselves they have told in their own words, not read in an answer.
    """
    personal = is_personal(question)

    def fit(pair: tuple[Recollection, float]) -> float:
        each, cosine = pair
        if only_asks(each.text):
            return cosine - _QUESTION_COSTS
        if not personal or each.role != "user":
            return cosine
        return cosine + (_OF_SELF_GAIN if speaks_of_self(each.text) else _OWN_WORDS_GAIN)

    found: dict[str, tuple[Recollection, float]] = {}
    for each, cosine in sorted(near, key=fit, reverse=True)[:_LISTED]:
        found.setdefault(each.source_id, (each, cosine))
    return found


def _varied(found: tuple[Recalled, ...], vectors: dict[str, bytes], limit: int) -> tuple[Recalled, ...]:
    """The first of them, with what says the same as an earlier one put behind what says something else."""
    known = [each for each in found if each.source_id in vectors]
    if len(known) < len(found):
        return found[:limit]  # something has no vector yet: there is nothing to compare by
    places = without_near_copies([vectors[each.source_id] for each in known], limit) if known else []
    return tuple(known[place] for place in places)


def _recalled(each: Recollection, why: Why, cosine: float) -> Recalled:
    pieces = pieces_of(each.text)
    place = min(each.piece or 0, len(pieces) - 1)
    return Recalled(
        source=each.source,
        source_id=each.source_id,
        session_id=each.session_id,
        title=each.title,
        role=each.role,
        date=each.created_at,
        text=pieces[place] if pieces else each.text,
        why=why,
        score=0.0,
        cosine=cosine,
        strength=each.strength,
    )


def _plain(text: str) -> str:
    return " ".join(text.lower().split()).rstrip("?.! ")
