"""``@path`` in a prompt: where it stands, how it is written, and what path a terminal pasted.

A mention begins with ``@`` at the beginning of a word and ends with the word; a path with a space in it stands in
double quotes, in which a backslash takes the sign behind it as it is.
"""

from __future__ import annotations

import re

from msgspec import Struct

_OPENING = "([{<'‘“«"
_QUOTED = r'"((?:\\.|[^"\\\n]){1,500})"'
_MENTION = re.compile(rf'(?:^|(?<=[\s{re.escape(_OPENING)}]))@(?:{_QUOTED}|([^\s"@][^\s"]*))')
_BEGUN = re.compile(rf'(?:^|(?<=[\s{re.escape(_OPENING)}]))@(?:"((?:\\.|[^"\\])*)|([^\s"@][^\s"]*)?)$')
_ENDING = ".,;:!?)]}>'’”»"
_PLAIN = re.compile(r'[^\s"@\\][^\s"\\]*')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_LONGEST = 4096
_MOST_LIKELY = 6


class Mention(Struct, frozen=True):
    """A mention: where it begins and ends in the text, and the paths that it may mean, the likeliest first.

    There are several where signs at the end may belong to the sentence: ``look at @notes.md.``
    """

    start: int
    end: int
    paths: tuple[str, ...]


def mentions(text: str) -> tuple[Mention, ...]:
    """Every ``@`` in a text that a path may follow."""
    return tuple(
        Mention(found.start(), found.end(), (_plain(found[1]),) if found[1] else _likely(found[2]))
        for found in _MENTION.finditer(text)
    )


def written(path: str) -> str:
    """The mention that means ``path``."""
    if _PLAIN.fullmatch(path) and path[-1] not in _ENDING:
        return f"@{path}"
    escaped = re.sub(r'(["\\])', r"\\\1", path)
    return f'@"{escaped}"'


def begun(line: str) -> tuple[int, str] | None:
    """Where the mention begins that ``line`` ends in the midst of, and what is there of its path; else ``None``."""
    found = _BEGUN.search(line)
    if found is None:
        return None
    return found.start(), _plain(found[1]) if found[1] is not None else found[2] or ""


def pasted_path(text: str) -> str | None:
    """The path that a pasted text is: plain, quoted, with backslashes before its spaces, or as ``file://``."""
    import shlex
    from urllib.parse import unquote, urlsplit

    line = text.strip()
    if not line or len(line) > _LONGEST or "\n" in line or "\r" in line:
        return None
    if line.startswith("file://"):
        address = urlsplit(line)
        return unquote(address.path) or None if address.netloc in ("", "localhost") else None
    try:
        words = shlex.split(line)
    except ValueError:
        words = []
    if len(words) == 1:
        return words[0]
    # Some terminals paste a path with spaces as it is.
    return line if line.startswith(("/", "~/", "./", "../")) else None


def _plain(quoted: str) -> str:
    return _ESCAPED.sub(r"\1", quoted)


def _likely(path: str) -> tuple[str, ...]:
    found = [path]
    while len(path) > 1 and path[-1] in _ENDING and len(found) < _MOST_LIKELY:
        path = path[:-1]
        found.append(path)
    return tuple(found)
