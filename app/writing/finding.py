"""Finding and replacing in a text: words as they are, or RE2 patterns, which no text can make slow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from app.errors import InvalidRequestError

if TYPE_CHECKING:
    import re2


class Match(Struct, frozen=True):
    """A place in a text, in characters from its beginning: ``start`` up to but not with ``end``."""

    start: int
    end: int


class Search(Struct, frozen=True, kw_only=True):
    """What is looked for.

    Attributes:
        pattern: words, or with ``regex`` a pattern in RE2's syntax; ``^`` and ``$`` are of lines.
        case: whether capitals differ from small letters.
        whole_words: whether it must not begin or end inside a word.
    """

    pattern: str
    regex: bool = False
    case: bool = False
    whole_words: bool = False


def find(text: str, search: Search) -> tuple[Match, ...]:
    """Every match, in order, none overlapping; empty matches are left out.

    Raises:
        InvalidRequestError: when the pattern is none.
    """
    if not search.pattern:
        return ()
    return tuple(Match(m.start(), m.end()) for m in _compiled(search).finditer(text) if m.end() > m.start())


def replaced(text: str, search: Search, by: str, only: Sequence[Match] | None = None) -> tuple[str, int]:
    r"""The text with its matches replaced, and how many there were.

    Args:
        text: the whole text.
        search: what is looked for.
        by: what comes in its place; with ``regex``, ``\1`` to ``\9`` are what the groups matched.
        only: the matches that are replaced, of those that ``find`` gave; ``None`` replaces all.

    Raises:
        InvalidRequestError: when the pattern is none, or ``by`` names a group that it has not.
    """
    if not search.pattern:
        return text, 0
    compiled = _compiled(search)
    wanted = None if only is None else {match.start for match in only}
    pieces, at, count = [], 0, 0
    for match in compiled.finditer(text):
        if match.end() == match.start() or (wanted is not None and match.start() not in wanted):
            continue
        pieces += [text[at : match.start()], _expanded(match, by) if search.regex else by]
        at = match.end()
        count += 1
    return "".join((*pieces, text[at:])), count


def _expanded(match: re2._Match[str], by: str) -> str:
    import re2

    try:
        return str(match.expand(by))
    except (re2.error, IndexError, LookupError) as error:
        raise InvalidRequestError(
            f"The replacement {by!r} cannot be used: {error}.", "Groups are \\1 to \\9."
        ) from error


def _compiled(search: Search) -> re2._Regexp[str]:
    import re2

    options = re2.Options()
    options.case_sensitive = search.case
    options.log_errors = False
    options.one_line = False
    pattern = search.pattern if search.regex else re2.escape(search.pattern)
    if search.whole_words:
        pattern = rf"\b(?:{pattern})\b"
    try:
        return re2.compile(f"(?m){pattern}", options)
    except re2.error as error:
        found = error.args[0] if error.args else ""
        reason = found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found)
        raise InvalidRequestError(f"The pattern {search.pattern!r} is not one: {reason}.", "Correct it.") from error
