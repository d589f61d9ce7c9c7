"""Whether a text tells something or only asks, and whether somebody speaks of themselves in it.

English, by a few words: in other languages the question mark alone counts, and nothing is lost where nothing is known.
"""

from __future__ import annotations

import re

_LOOKED_AT = 600
_SENTENCE = re.compile(r"[^.!?…。！？]+[.!?…。！？]*")
_WORD = re.compile(r"[^\W\d_]+")
_OF_SELF = frozenset({"i", "my", "mine", "myself", "we", "our", "ours"})
_SELF = _OF_SELF | {"me", "us"}
_REQUESTS = frozenset(
    (
        *("add", "analyse", "analyze", "build", "calculate", "change", "check", "compare", "compose", "convert"),
        *("correct", "create", "describe", "design", "draft", "explain", "find", "fix", "generate", "give", "help"),
        *("implement", "improve", "list", "make", "outline", "plan", "please", "recommend", "refactor", "rephrase"),
        *("review", "rewrite", "show", "shorten", "suggest", "summarise", "summarize", "teach", "tell", "translate"),
        *("can", "could", "would", "write"),
    )
)


def only_asks(text: str) -> bool:
    """Whether every sentence of it is a question or a request, so that it holds no answer."""
    sentences = [sentence.strip() for sentence in _SENTENCE.findall(text[:_LOOKED_AT])]
    return all(_asks(sentence) for sentence in sentences if sentence)


def is_personal(question: str) -> bool:
    """Whether it is about the person who asks."""
    return not _SELF.isdisjoint(_words(question))


def speaks_of_self(text: str) -> bool:
    """Whether somebody tells of themselves in it."""
    return not _OF_SELF.isdisjoint(_words(text))


def _asks(sentence: str) -> bool:
    if sentence.endswith(("?", "？")):
        return True
    first = _WORD.search(sentence)
    return first is not None and first.group().lower() in _REQUESTS


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text[:_LOOKED_AT])}
