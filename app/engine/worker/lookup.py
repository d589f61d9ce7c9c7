"""Guesses how an answer goes on by what followed when its last words stood in the text before.

Rewriting and summarising repeat their input, word by word. After the idea of prompt lookup decoding (Saxena, 2023,
https://github.com/apoorvumang/prompt-lookup-decoding). Here a guess also knows how good it is: every token that an
answer goes on with tells whether it would have been guessed, whether or not anybody asked for the guess. So a text
without repeats costs a look into two dictionaries a token, and nothing else.
"""

from __future__ import annotations

_SHIFT = 21
"""Bits for a token's number in a key: more than any vocabulary needs."""

_LEVELS = (0, 0, 0, 1, 2, 2, *[3] * 4, *[4] * 6, *[5] * 8, 6)
"""Guesses that are about as good as each other, by how many tokens before them agree."""

_FURTHEST = len(_LEVELS) - 1
_FIRST_ODDS = (0.4, 0.5, 0.65, 0.8, 0.9, 0.94, 0.97)
"""How often a guess of each level is right, until an answer has shown its own habits."""

_WEIGHT = 0.06
"""Of the last guess in the running mean."""

_UNLIKELY = 0.02
"""Guesses below this are not worth a row anywhere."""

_FARTHEST_BACK = 32_768
"""Tokens of a prompt that are looked through: 8,000 take 3 ms, once, and a megabyte and a half."""


class PromptLookup:
    """Where the pairs and triples of a request's tokens stand, and the guess that follows from it.

    A guess goes on from where the last three tokens, else the last two, stood most recently; and on from there for as
    long as it is right.

    Args:
        prompt: how many of the request's tokens were asked; habits are learnt from those behind.
    """

    def __init__(self, prompt: int) -> None:
        self._prompt = prompt
        self._pairs: dict[int, int] = {}
        self._triples: dict[int, int] = {}
        self._seen = 0
        self._odds = list(_FIRST_ODDS)
        self.source = 0
        self.agreeing = 0

    def follow(self, tokens: list[int]) -> None:
        """Takes in what ``tokens`` has grown by: always the same list, which only grows."""
        self._seen = max(self._seen, len(tokens) - _FARTHEST_BACK)
        while self._seen < len(tokens):
            at = self._seen
            right = self.agreeing > 0 and tokens[self.source] == tokens[at]
            if self.agreeing and at >= self._prompt:
                level = _LEVELS[min(self.agreeing, _FURTHEST)]
                self._odds[level] += _WEIGHT * (right - self._odds[level])
            self._seen = end = at + 1
            pair = tokens[at - 1] << _SHIFT | tokens[at] if at else -1
            triple = tokens[at - 2] << 2 * _SHIFT | pair if at > 1 else -1
            if right:
                self.source += 1
                self.agreeing += 1
            elif end >= self._prompt:
                self._look(tokens, pair, triple)
            if at:
                self._pairs[pair] = end
            if at > 1:
                self._triples[triple] = end

    def _look(self, tokens: list[int], pair: int, triple: int) -> None:
        source = self._triples.get(triple) or self._pairs.get(pair)
        if source is None:
            self.agreeing = 0
            return
        agreeing, end = 2, self._seen
        while agreeing < min(source, _FURTHEST) and tokens[source - 1 - agreeing] == tokens[end - 1 - agreeing]:
            agreeing += 1
        self.source, self.agreeing = source, agreeing

    def odds(self, count: int) -> list[float]:
        """How likely it is that the first, the first two, and so on up to ``count`` tokens of a guess are right."""
        found: list[float] = []
        likely = 1.0
        for agreeing in range(self.agreeing, self.agreeing + count if self.agreeing else 0):
            likely *= self._odds[_LEVELS[min(agreeing, _FURTHEST)]]
            if likely < _UNLIKELY:
                break
            found.append(likely)
        return found

    def guess(self, tokens: list[int], count: int) -> list[int]:
        """The next ``count`` tokens as guessed; a source that comes to the end of the text begins again."""
        if not self.agreeing:
            return []
        guessed = tokens[self.source : self.source + count]
        while len(guessed) < count:
            guessed += guessed[: count - len(guessed)]
        return guessed
