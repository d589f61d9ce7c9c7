"""From what was heard to what becomes of the text: spoken punctuation and commands, capitals, blanks.

Pure: the text before the cursor goes in, edits at the cursor come out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from .spoken_phrases import LANGUAGES, PLAIN, Language, Phrase

_MOST_PHRASES = 100
_PAUSES = ".,;:!?…"
_TOKEN = re.compile(r"([\"'“”„(\[]*)(.*?)([\"'“”)\].,;:!?…]*)", re.DOTALL)
_LAST_WORD = re.compile(r"\S+\s*\Z")
_LINE_BEGINS = re.compile(r"(?:\A|\n)(?:#{1,6} |[-*+] |> |\d+\. )?\Z")
_OPENERS = "([{„“‘«"
_CLOSERS = ",.;:!?…)]}%"


class Edit(Struct, frozen=True):
    """Take ``delete`` characters away before the cursor, then write ``insert`` there."""

    delete: int
    insert: str


class Interpretation(Struct, frozen=True):
    """What becomes of the text.

    Attributes:
        edits: in their order; none where nothing changes.
        phrases: what was written by this and the utterances before, for "scratch that"; to be given with the next.
        stop: whether the speaker ended the dictation.
    """

    edits: tuple[Edit, ...]
    phrases: tuple[str, ...]
    stop: bool = False


def interpret(heard: str, before: str, phrases: Sequence[str] = (), language: str = "en") -> Interpretation:
    """Reads one utterance.

    "comma", "full stop", "new paragraph", "open quote", "heading", "bullet", "scratch that", "delete last word" and
    "stop dictation" do what they say; after "literal" they are written.

    Args:
        heard: the words, as a model wrote them: with its own capitals and marks.
        before: the text before the cursor, or its end.
        phrases: of the interpretation before.
        language: a code such as ``en``; one without a table has no commands.
    """
    writing = _Writing(before, tuple(phrases), LANGUAGES.get(language, PLAIN))
    writing.read([_Token.of(word) for word in _printable(heard).split()])
    text = writing.text
    common = _common(before, text)
    edits = (Edit(len(before) - common, text[common:]),) if text != before else ()
    known = writing.phrases
    if writing.wrote and text[common:]:
        known = (*known, text[common:])[-_MOST_PHRASES:]
    return Interpretation(edits, known, writing.stop)


def apply(before: str, edits: Sequence[Edit]) -> str:
    """The text before the cursor after ``edits``."""
    for edit in edits:
        before = before[: len(before) - edit.delete] + edit.insert
    return before


class _Token(Struct, frozen=True):
    """A word with the marks around it."""

    lead: str
    word: str
    trail: str

    @classmethod
    def of(cls, text: str) -> _Token:
        found = _TOKEN.fullmatch(text)
        assert found is not None
        return cls(*found.groups()) if found[2] else cls("", text, "")

    @property
    def key(self) -> str:
        return self.word.casefold()

    @property
    def pauses(self) -> bool:
        return any(mark in _PAUSES for mark in self.trail)


class _Writing:
    def __init__(self, before: str, phrases: tuple[str, ...], language: Language) -> None:
        self.before, self.text, self.phrases, self.stop = before, before, phrases, False
        self.wrote = self._opened = False
        self._language = language
        self._resettled = True
        """Whether the next word's capital is ours to choose, because what the model saw before it is not there."""

    def read(self, tokens: list[_Token]) -> None:
        place, commanded = 0, True
        while place < len(tokens):
            token = tokens[place]
            if self._language.literal and token.key == self._language.literal and place + 1 < len(tokens):
                named = self._named(tokens, place + 1)
                if named is not None:
                    for word in tokens[place + 1 : place + 1 + len(named.words)]:
                        self._write(word)
                    place += 1 + len(named.words)
                    commanded = False
                    continue
            phrase = self._named(tokens, place)
            if phrase is not None and self._counts(phrase, tokens, place, commanded):
                self._do(phrase)
                place += len(phrase.words)
                commanded = True
                continue
            self._write(token)
            place += 1
            commanded = False

    def _named(self, tokens: list[_Token], place: int) -> Phrase | None:
        for phrase in self._language.phrases:
            there = tokens[place : place + len(phrase.words)]
            if tuple(token.key for token in there) == phrase.words:
                return phrase
        return None

    def _counts(self, phrase: Phrase, tokens: list[_Token], place: int, commanded: bool) -> bool:
        if phrase.where == "anywhere" or phrase.where == "before_pause":
            if place and not commanded and tokens[place - 1].key in self._language.determiners:
                return tokens[place - 1].pauses
            if phrase.where == "anywhere":
                return True
        end = place + len(phrase.words)
        pause_before = commanded or place == 0 or tokens[place - 1].pauses
        pause_after = end == len(tokens) or tokens[end - 1].pauses
        match phrase.where:
            case "before_pause":
                return pause_after or tokens[end].word[:1].isupper()
            case "after_pause":
                return pause_before
            case "at_end":
                return end == len(tokens)
            case _:
                return pause_before and pause_after

    def _do(self, phrase: Phrase) -> None:
        self._resettled = True
        match phrase.action:
            case "mark" | "close":
                self._end_words(_PAUSES if phrase.action == "mark" else ",")
                self._append(phrase.text)
            case "open":
                self._end_words("")
                self._append(self._blank() + phrase.text)
                self._opened = True
            case "line":
                self._begin("\n", always=True)
            case "paragraph":
                self._begin("\n\n")
            case "heading":
                self._begin("\n\n")
                self._append("#" * int(phrase.text) + " ")
            case "bullet":
                self._begin("\n")
                self._append("- ")
            case "scratch":
                self._scratch()
            case "delete_word":
                self.text = _LAST_WORD.sub("", self.text).rstrip(" \t")
            case "stop":
                self.stop = True

    def _scratch(self) -> None:
        """Takes back what this utterance wrote, or else the one before it, where that still stands at the cursor."""
        if self.text != self.before:
            self.text, self.wrote = self.before, False
        elif self.phrases and self.text.endswith(self.phrases[-1]):
            self.text = self.before = self.text.removesuffix(self.phrases[-1])
            self.phrases = self.phrases[:-1]

    def _end_words(self, marks: str) -> None:
        """Takes away the blank at the end, and the marks that the model put where the speaker says another."""
        ours = self._ours()
        while ours and self.text and (self.text[-1] in " \t" or self.text[-1] in marks):
            self.text, ours = self.text[:-1], ours - 1

    def _ours(self) -> int:
        """Characters at the end of the text that dictation wrote: those of a person are left as they are."""
        if not self.text.startswith(self.before):
            return 0
        ours = len(self.text) - len(self.before)
        if self.phrases and self.before.endswith(self.phrases[-1]):
            ours += len(self.phrases[-1])
        return ours

    def _begin(self, ends: str, *, always: bool = False) -> None:
        """Begins a line or paragraph; with ``always`` a further one where the text stands at the beginning of one."""
        self._end_words(",;." if self._in_heading() else ",;")
        there = len(self.text) - len(self.text.rstrip("\n"))
        missing = len(ends) - (0 if always else there)
        self._append("\n" * max(0, missing) if self.text.strip() else "")

    def _in_heading(self) -> bool:
        return self.text.rpartition("\n")[2].startswith("#")

    def _append(self, text: str) -> None:
        self.text += text
        self.wrote = self.wrote or bool(text)

    def _write(self, token: _Token) -> None:
        word = token.word
        begins = _sentence_begins(self.text)
        if begins:
            word = word[:1].upper() + word[1:]
        elif self._resettled and word.casefold() in self._language.small:
            word = word.casefold()
        written = token.lead + word + token.trail
        self._append(("" if written[0] in _CLOSERS else self._blank()) + written)
        self._resettled = self._opened = False

    def _blank(self) -> str:
        """What belongs between the text and a word."""
        if not self.text or self.text[-1].isspace() or self.text[-1] in _OPENERS:
            return ""
        return "" if self._opened else " "


def _sentence_begins(text: str) -> bool:
    if _LINE_BEGINS.search(text):
        return True
    ended = text.rstrip(" \t\"'“”„)]([")
    return not ended or ended[-1] in ".!?\n"


def _common(one: str, other: str) -> int:
    """Characters that two texts begin with alike."""
    length = min(len(one), len(other))
    if one[:length] == other[:length]:
        return length
    return next(place for place in range(length) if one[place] != other[place])


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
