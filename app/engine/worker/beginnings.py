"""Tokens by the byte that their text begins with, so that a grammar need not be asked about each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from .vocabulary import Vocabulary

Tokens = NDArray[np.int32]


class Beginnings:
    """A vocabulary, sorted by first bytes.

    A grammar that forbids a byte forbids every token that begins with it. Asking about the single bytes first leaves a
    few hundred tokens of 49,000 where little is allowed, as between the fields of a JSON schema: 0.1 ms instead of 8.

    Args:
        vocabulary: of the model.
        ends: tokens that end an answer; they have no text that a grammar could look at.
    """

    def __init__(self, vocabulary: Vocabulary, ends: Iterable[int]) -> None:
        by_byte: dict[int, list[int]] = {}
        single: dict[int, int] = {}
        ending = set(ends)
        for token in range(vocabulary.size):
            text = b"" if token in ending else vocabulary.written(token)
            if text:
                by_byte.setdefault(text[0], []).append(token)
                if len(text) == 1:
                    single.setdefault(text[0], token)
        self._tokens = {byte: np.array(tokens, np.int32) for byte, tokens in by_byte.items()}
        self._single = np.array(list(single.values()), np.int32)
        self._byte_of = {token: byte for byte, token in single.items()}
        # What cannot be asked about beforehand is always asked about itself.
        unasked = [token for byte, tokens in by_byte.items() if byte not in single for token in tokens]
        self._always = np.array([*unasked, *ending], np.int32)

    def possible(self, permitted: Callable[[Tokens], Tokens]) -> Tokens:
        """Every token that may be permitted, int32 [n], in ascending order; what is left out is not.

        Args:
            permitted: of some tokens those that the grammar permits next.
        """
        bytes_ = [self._byte_of[int(token)] for token in permitted(self._single)]
        return np.sort(np.concatenate([self._always, *(self._tokens[byte] for byte in bytes_)]))
