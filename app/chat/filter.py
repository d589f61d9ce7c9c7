"""Leaves stock phrases and repeated sentences out of an answer, where it is shown; what is kept is the original.

Only sentences of running text are ever left out, and only in their place: an opener ("Certainly!") at the start, a
closer ("I hope this helps!") at the end, a disclaimer ("As an AI language model, I cannot ...") anywhere, a sentence
that was already said word for word anywhere after it. Code, lists, tables, quotes, headings and whatever else is not
plainly a sentence come out as they went in: when in doubt, text stays.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort

from . import boilerplate
from .markdown_lines import Fence, LineKind, closes, kind_of, opened_by

_MARK = re.compile(r"\n|`+|[\"“”]|[.!?…]+")
_BEHIND = re.compile(r"([\"”’')\]]*)[ \t]*")

_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:mr|mrs|ms|dr|prof|st|vs|etc|e\.g|i\.e|no|nos|fig|inc|ltd|co|jr|sr|gen|col|approx|cf|al|dept|"
    r"p|pp|vol|ed|est|[a-z]|(?:[a-z]\.)+[a-z])\.$",
    re.IGNORECASE,
)
"""A full stop that ends a word, not a sentence."""

LEAST_WORDS = 5
"""A shorter sentence may well be said twice on purpose."""


class ContentFilter:
    """A filter for one text that arrives in pieces: however it is cut, the same comes out together.

    Text is held back only while it could still turn out to be left out: usually for a word or two.

    Attributes:
        left_out: how many sentences, or beginnings of sentences, have been left out so far.
    """

    def __init__(self) -> None:
        self.left_out = 0
        self._buffer = ""
        self._out: list[str] = []
        self._emitted = False
        self._dropped_raw: list[str] = []  # until anything is shown: an answer is never left out whole
        self._gap = ""  # white space since the last text that is shown or held
        self._dropping = False  # whether something was left out since then
        self._closers: list[tuple[str, str]] = []  # white space before, and the sentence
        self._seen: list[str] = []  # sorted
        self._opened = False
        # The place in the document
        self._at_line_start = True
        self._kind: LineKind | None = None
        self._fence: Fence | None = None
        self._sticky = False
        # The place in the paragraph
        self._open_code = 0
        self._in_quotes = False
        self._fresh = True  # a sentence begins here
        # The sentence that is being read
        self._begin_sentence(at_line_start=True)

    def feed(self, text: str) -> str:
        """Takes the next piece; gives what can be shown by now."""
        if not self._emitted:
            self._dropped_raw.append(text)
        self._buffer += text
        return self._advance(final=False)

    def finish(self) -> str:
        """The text is over: gives what was held back."""
        shown = self._advance(final=True)
        if self._emitted:
            if not self._closers and not self._dropping:
                shown += self._gap
            self.left_out += len(self._closers)
        else:
            shown = "".join(self._dropped_raw)
            self.left_out = 0
        self._closers, self._gap = [], ""
        return shown

    # Lines

    def _advance(self, *, final: bool) -> str:
        while self._buffer and self._step(final):
            pass
        if self._emitted:
            self._dropped_raw.clear()
        shown = "".join(self._out)
        self._out.clear()
        return shown

    def _step(self, final: bool) -> bool:
        """Takes a part of the buffer; false when more must come first."""
        if self._at_line_start:
            return self._begin_line(final)
        if self._kind is LineKind.PROSE:
            return self._read_prose(final)
        return self._read_as_it_is()

    def _begin_line(self, final: bool) -> bool:
        line, newline, _ = self._buffer.partition("\n")
        complete = bool(newline) or final
        if self._fence is not None:
            closing = closes(self._fence, line, complete=complete)
            if closing is None:
                return False
            if closing:
                self._fence = None
                self._sticky = False
            self._start(LineKind.VERBATIM)
            return True
        if not self._emitted and not self._closers and line.strip(" \t") and 0 < _indent(line) < 4:
            # White space before the first word is not an indentation of anything.
            self._space(_indent(line))
            return True
        kind = kind_of(line, complete=complete, sticky=self._sticky)
        if kind is None:
            return False
        if kind is LineKind.BLANK:
            self._sticky = False
            self._end_paragraph()
            self._space(len(line) + len(newline))
            return True
        if kind is LineKind.FENCE:
            self._fence = opened_by(line)
        self._sticky = kind is LineKind.STICKY
        self._start(kind)
        return True

    def _start(self, kind: LineKind) -> None:
        if kind is not LineKind.PROSE:
            self._end_paragraph()
        self._kind = kind
        self._at_line_start = False
        self._begin_sentence(at_line_start=True)

    def _read_as_it_is(self) -> bool:
        line, newline, rest = self._buffer.partition("\n")
        self._buffer = rest
        self._keep(line)
        if newline:
            self._end_line()
        return True

    def _end_line(self) -> None:
        self._gap += "\n"
        self._at_line_start = True

    def _end_paragraph(self) -> None:
        self._open_code = 0
        self._in_quotes = False
        self._fresh = True

    # Sentences

    def _begin_sentence(self, *, at_line_start: bool) -> None:
        self._scanned = 0
        self._said = ""  # what of the sentence is shown already
        self._committed = False
        self._starts_line = at_line_start
        self._touchable = self._fresh and not self._open_code and not self._in_quotes

    def _read_prose(self, final: bool) -> bool:
        if not self._said and (space := _indent(self._buffer)):
            self._space(space)
            return True
        for mark in _MARK.finditer(self._buffer, self._scanned):
            text, what = self._buffer, mark.group()
            if what == "\n":
                self._end_sentence(mark.start(), ended=False, at_line_end=True)
                self._buffer = self._buffer[1:]
                self._end_line()
                return True
            if mark.end() == len(text) and not final and what not in '"“”':
                self._scanned = mark.start()
                return self._commit(mark.start())
            if what[0] == "`":
                self._touchable = False
                if self._open_code in (0, len(what)):
                    self._open_code = len(what) - self._open_code
            elif what in '"“”':
                self._in_quotes = what == "“" or (what == '"' and not self._in_quotes)
            elif not self._open_code:
                end, follows = _behind(text, mark.end())
                if follows == len(text) and not final:
                    self._scanned = mark.start()
                    return self._commit(mark.start())
                at_line_end = follows == len(text) or text[follows] == "\n"
                if at_line_end or (follows > end and self._breaks(mark, text[follows])):
                    for quote in text[mark.end() : end]:
                        if quote in '"”':
                            self._in_quotes = quote == '"' and not self._in_quotes
                    self._end_sentence(end, ended=True, at_line_end=at_line_end)
                    return True
            self._scanned = mark.end()
        if final:
            self._end_sentence(len(self._buffer), ended=False, at_line_end=True)
            return True
        self._scanned = len(self._buffer)
        return self._commit(len(self._buffer))

    def _breaks(self, mark: re.Match[str], following: str) -> bool:
        """Whether a sentence ends at a mark with a space and this character behind it."""
        # What would mean something else at the start of a line (a list, a fence, a heading) must not come to stand
        # there when the sentence before it is left out.
        if not (following in '"“(' or (following.isalpha() and not following.islower())):
            return False
        if mark.group() != ".":
            return True
        before = (self._said + self._buffer[: mark.end()])[-24:]
        return _ABBREVIATION.search(before) is None

    def _commit(self, upto: int) -> bool:
        """Shows the beginning of a sentence that cannot be left out any more. Always false: more must come."""
        part = self._buffer[:upto]
        if not part.strip() or (not self._committed and self._may_go(part)):
            return False
        self._committed = True
        self._said += part
        self._buffer = self._buffer[upto:]
        self._scanned -= upto
        self._keep(part)
        return False

    def _may_go(self, part: str) -> bool:
        if not self._touchable:
            return False
        words = " ".join(part.split())
        place = bisect_left(self._seen, words)
        if place < len(self._seen) and self._seen[place].startswith(words):
            return True
        return boilerplate.may_begin(words, at_start=not self._emitted and not self._closers)

    def _end_sentence(self, end: int, *, ended: bool, at_line_end: bool) -> None:
        rest, self._buffer = self._buffer[:end], self._buffer[end:]
        whole = self._said + rest
        words = " ".join(whole.split())
        if self._committed or not self._touchable or self._in_quotes or not words:
            self._keep(rest)
        else:
            self._decide(whole, words, ended=ended, at_line_end=at_line_end)
        if ended and self._touchable and not self._in_quotes and words.count(" ") + 1 >= LEAST_WORDS:
            place = bisect_left(self._seen, words)
            if self._seen[place : place + 1] != [words]:
                insort(self._seen, words)
        if words:
            self._fresh = ended or words.endswith(":")
        self._begin_sentence(at_line_start=False)

    def _decide(self, whole: str, words: str, *, ended: bool, at_line_end: bool) -> None:
        starts = not self._emitted and not self._closers
        alone = self._starts_line and at_line_end
        if starts and boilerplate.opens(words, again=self._opened, alone=alone, at_line_end=at_line_end):
            self._opened = True
            self._drop()
        elif not ended:
            self._keep(whole)
        elif self._has_seen(words) or boilerplate.disclaims(words):
            self._drop()
        elif boilerplate.closes(words):
            self._close(whole)
        elif (remainder := boilerplate.without_disclaimer(whole)) is not None:
            self.left_out += 1
            self._keep(remainder)
        else:
            self._keep(whole)

    def _has_seen(self, words: str) -> bool:
        place = bisect_left(self._seen, words)
        return self._seen[place : place + 1] == [words]

    # What comes out

    def _space(self, count: int) -> None:
        self._gap += self._buffer[:count]
        self._buffer = self._buffer[count:]
        self._scanned = 0

    def _keep(self, text: str) -> None:
        """Shows text, after the white space and the held closers before it."""
        body = text.rstrip()
        if body:
            for gap, closer in self._closers:
                self._out += (gap, closer)
            self._closers.clear()
            self._out += (self._settled_gap(), body)
            self._emitted = True
            self._gap = ""
            self._dropping = False
        self._gap += text[len(body) :]

    def _close(self, text: str) -> None:
        self._closers.append((self._settled_gap(), text))
        self._gap = ""
        self._dropping = False

    def _drop(self) -> None:
        self.left_out += 1
        self._gap = self._settled_gap()
        # Of the white space before and after what is left out, the wider stays: a paragraph does not run into another.
        self._gap += _SEAM
        self._dropping = True

    def _settled_gap(self) -> str:
        if not self._dropping:
            return self._gap
        if not self._emitted and not self._closers:
            return ""
        before, _, after = self._gap.partition(_SEAM)
        return after if after.count("\n") > before.count("\n") else before


_SEAM = "\0"
"""Stands in the white space where something was left out."""


def filtered(text: str) -> tuple[str, int]:
    """A whole text without boilerplate, and how many sentences were left out of it."""
    content = ContentFilter()
    shown = content.feed(text) + content.finish()
    return shown, content.left_out


def _behind(text: str, place: int) -> tuple[int, int]:
    """Where the quotes and brackets behind the end of a sentence end, and where the spaces behind those do."""
    found = _BEHIND.match(text, place)
    return (found.end(1), found.end()) if found else (place, place)


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip(" \t"))
