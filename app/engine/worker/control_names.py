"""Names of control tokens in what people write: they are read as words, never as the tokens.

A template writes ``<|im_start|>system`` to say who speaks. What a person pastes, or a page that a tool has read, may
hold the same letters; taken for the token they would speak in the name of the system. So they are hidden while the
template is rendered, and what holds them is split into tokens apart, as plain text.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

_Branches = dict[str, "_Branches"]
_END = ""
_MOST_NAMES_AT_ONCE = 1024
"""Names of tokens in one call of the library, whose time grows with their square."""


class Piece(NamedTuple):
    """A part of a prompt.

    Attributes:
        special: whether names of control tokens in it stand for the tokens.
    """

    text: str
    special: bool


class TokenNames:
    """The names of tokens that the library looks for in a text, before it splits the rest into words.

    Args:
        control: those of control tokens.
        words: those of tokens that are found in plain text as well.
    """

    def __init__(self, control: Iterable[str], words: Iterable[str] = ()) -> None:
        names = sorted({name for name in control if name})
        self._control = _one_of(names)
        self._any = _one_of(sorted({*names, *(word for word in words if word)}))

    def hiding(self) -> Hiding:
        """What hides them during one rendering."""
        return Hiding(self._control)

    def count(self, text: str) -> int:
        """How many of them stand in a text; each becomes a token at least."""
        return sum(1 for _ in self._any.finditer(text))

    def in_parts(self, text: str) -> Iterator[str]:
        """A text cut at names, so that no part holds many: together they give the tokens of the whole."""
        begun = 0
        for number, found in enumerate(self._any.finditer(text)):
            if number and number % _MOST_NAMES_AT_ONCE == 0:
                yield text[begun : found.start()]
                begun = found.start()
        yield text[begun:]


class Hiding:
    """Hides the names of control tokens in the words of one conversation, and finds the words again.

    A name becomes a word that nobody can guess, of letters and digits, which templates pass on as they are.
    """

    def __init__(self, names: re.Pattern[str]) -> None:
        self._names = names
        self._mark = f"q{secrets.token_hex(12)}q"
        self._hidden: list[str] = []

    def hide(self, value: Any) -> Any:
        """``value`` with the names hidden in each of its strings."""
        match value:
            case str():
                return self._names.sub(self._hide, value)
            case Mapping():
                return {self.hide(key): self.hide(inner) for key, inner in value.items()}
            case list() | tuple():
                return [self.hide(inner) for inner in value]
        return value

    def shown(self, text: str) -> str:
        """``text`` with the names where they were."""
        if not self._hidden:
            return text
        return re.sub(rf"{self._mark}(\d+)q", lambda found: self._hidden[int(found[1])], text)

    def pieces(self, text: str) -> list[Piece]:
        """A rendered prompt in parts: what holds a hidden name is plain, up to the template's tokens around it."""
        if not self._hidden:
            return [Piece(text, True)]
        pieces: list[Piece] = []
        taken = end = 0
        for start, until in (*(found.span() for found in self._names.finditer(text)), (len(text), len(text))):
            if self._mark in (words := text[end:start]):
                if end > taken:
                    pieces.append(Piece(text[taken:end], True))
                pieces.append(Piece(self.shown(words), False))
                taken = start
            end = until
        if taken < len(text):
            pieces.append(Piece(text[taken:], True))
        return pieces

    def _hide(self, found: re.Match[str]) -> str:
        self._hidden.append(found[0])
        return f"{self._mark}{len(self._hidden) - 1}q"


def _one_of(names: list[str]) -> re.Pattern[str]:
    """A pattern for the longest of ``names``; thousands of them are read along their common beginnings."""
    tree: _Branches = {}
    for name in names:
        branch = tree
        for letter in name:
            branch = branch.setdefault(letter, {})
        branch[_END] = {}
    return re.compile(_written(tree) if tree else r"(?!)")


def _written(tree: _Branches) -> str:
    branches = [re.escape(letter) + _written(below) for letter, below in tree.items() if letter != _END]
    if not branches:
        return ""
    together = branches[0] if len(branches) == 1 and _END not in tree else f"(?:{'|'.join(branches)})"
    return together + "?" if _END in tree else together
