"""The stock phrases of language models, and where in an answer each may stand to be one."""

from __future__ import annotations

import re

_AI = (
    r"(?:just |only )?(?:an? (?:ai|a\.i\.|artificial intelligence)(?: language)?|a (?:large )?language)"
    r"(?: model| assistant| system| program| chatbot)?(?: (?:developed|created|trained|made|built) by [\w ]{1,30})?"
)
_SOFTENERS = (
    *("however", "but", "please note that", "note that", "i'm sorry, but", "i am sorry, but", "i'm sorry but"),
    *("sorry, but", "sorry but", "i apologise, but", "i apologize, but", "it's important to note that"),
    "it is important to note that",
)
_LEAD = rf"(?:(?:{'|'.join(_SOFTENERS)}),? )?"
_CANNOT = (
    r"(?:do not|don't|cannot|can't|can not|could not|couldn't|am not|'m not|am unable|'m unable|lack|have no|"
    r"must not|mustn't|never|was not|wasn't)\b"
)

_AS_AN_AI = re.compile(rf"{_LEAD}as {_AI}, ", re.IGNORECASE)
_DISCLAIMER = re.compile(
    rf"(?:{_LEAD}as {_AI},? i ?{_CANNOT}|i(?:'m| am) {_AI},? (?:and|so)(?: as such,?)?(?: i)? ?{_CANNOT})"
    r"(?:(?!\b(?:but|however|although|though|yet|instead|whereas)\b|[:;]).)*[.!]",
    re.IGNORECASE,
)
"""The whole sentence says only what the model is not. One that goes on to say something keeps that part."""

_EXCLAIMED = re.compile(
    r"(?:certainly|sure|sure thing|of course|absolutely|"
    r"(?:certainly|sure|of course|absolutely), (?:i can help(?: you)?(?: with that)?|"
    r"i(?:'d| would) be (?:happy|glad|delighted) to(?: help| assist)?(?: you)?(?: with that| out)?))!",
    re.IGNORECASE,
)
_POLITE = re.compile(
    r"(?:(?:that's|that is|what) an? (?:great|good|excellent|interesting|wonderful|fantastic) question|"
    r"(?:great|good|excellent|interesting|wonderful|fantastic) question|"
    r"thank you for (?:your question|asking|reaching out)|thanks for (?:your question|asking|reaching out)|"
    r"(?:i(?:'d| would) be (?:happy|glad|delighted) to|i'm happy to|i am happy to|happy to|glad to|"
    r"i can(?: certainly| definitely)?) (?:help|assist)(?: you)?(?: with (?:that|this)| out)?)[.!]",
    re.IGNORECASE,
)
_HERE_IS = r"here(?:'s| is| are)(?: you go)?\b[^:\n]*"
_SURE_HERE = re.compile(rf"(?:certainly|sure|sure thing|of course|absolutely)[,.!]? {_HERE_IS}[:.!]", re.IGNORECASE)
_ONLY_HERE = re.compile(rf"{_HERE_IS}:", re.IGNORECASE)

_CLOSER = re.compile(
    r"(?:(?:i )?hope (?:this|that|it|these)(?: \w+){0,3} helps?(?: you)?(?: out)?|"
    r"(?:i )?hope you (?:find|found) (?:this|that|it|these) (?:helpful|useful)|"
    r"(?:please )?(?:let me know|feel free to (?:ask|reach out|let me know)|do not hesitate to ask|"
    r"don't hesitate to (?:ask|reach out))(?: (?:me|again|anything))?(?:,? (?:if|should) you [^:;]{1,100})?|"
    r"(?:and )?(?:if|should) you (?:have|need|would like|want|'d like)[^:;]{1,80}?,? (?:please )?"
    r"(?:let me know|feel free to \w+(?: out)?(?: to me)?|just ask|don't hesitate to \w+(?: out)?|"
    r"do not hesitate to \w+(?: out)?|i'm here to help|i am here to help)|"
    r"is there anything else (?:that )?(?:i can|you(?:'d| would)? )[^:;]{1,60}|"
    r"i'm (?:always )?here to help|i am (?:always )?here to help)[.!?]+",
    re.IGNORECASE,
)

_BEGINNINGS = (
    "as ",
    *(f"{subject}hope {thing}" for subject in ("", "i ") for thing in ("this", "that", "it", "these", "you")),
    *(f"{softener}{joint}as " for softener in _SOFTENERS for joint in (" ", ", ")),
    *("i'm a", "i am a", "i'm just a", "i am just a", "i'm only a", "i am only a", "i'm here", "i am here"),
    *("i'm always here", "i am always here", "let me know", "feel free", "do not hesitate"),
    *("don't hesitate", "please let", "please feel", "please do", "and if", "and should", "if you", "should you"),
    "is there any",
)
_OPENING = (
    *("certainly", "sure", "of course", "absolutely", "that's a", "that is a", "what a", "great", "good"),
    *("excellent", "interesting", "wonderful", "fantastic", "thank", "i'd be", "i would be", "happy to", "glad to"),
    *("i'm happy", "i am happy", "i can", "here"),
)
"""What every phrase above begins with: a sentence that begins otherwise need not be waited for."""


def may_begin(words: str, *, at_start: bool) -> bool:
    """Whether a sentence that begins like this can still become one of the phrases.

    ``at_start``: only openers stand before it.
    """
    known = _plain(words).lower()
    beginnings = (*_BEGINNINGS, *_OPENING) if at_start else _BEGINNINGS
    return any(beginning.startswith(known) or known.startswith(beginning) for beginning in beginnings)


def opens(words: str, *, again: bool, alone: bool, at_line_end: bool) -> bool:
    """Whether a sentence at the start of an answer only opens it.

    ``again``: an opener stood before it. ``alone``: it fills its line. White space in ``words`` is single spaces.
    """
    words = _plain(words)
    if _EXCLAIMED.fullmatch(words) or _POLITE.fullmatch(words):
        return True
    if _SURE_HERE.fullmatch(words) and (alone if words[-1] != ":" else at_line_end):
        return True
    return again and at_line_end and _ONLY_HERE.fullmatch(words) is not None


def disclaims(words: str) -> bool:
    """Whether a sentence says only what the model is not or cannot."""
    return _DISCLAIMER.fullmatch(_plain(words)) is not None


def without_disclaimer(sentence: str) -> str | None:
    """A sentence without "As an AI language model," before it; ``None`` when that is not there."""
    found = _AS_AN_AI.match(_plain(sentence))
    rest = sentence[found.end() :] if found else ""
    return rest[0].upper() + rest[1:] if rest else None


def closes(words: str) -> bool:
    """Whether a sentence, at the end of an answer, only closes it."""
    return _CLOSER.fullmatch(_plain(words)) is not None


def _plain(text: str) -> str:
    """With typewriter apostrophes; as long as before."""
    return text.replace("’", "'")
