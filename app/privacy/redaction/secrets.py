"""Keys, tokens and passwords: by what providers begin theirs with, and by what is said before them."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections import Counter
from collections.abc import Iterator

from .spans import Span

_PREFIXES: tuple[tuple[str, str], ...] = (
    ("sk-ant-", r"sk-ant-[\w-]{16,}"),
    ("sk-", r"sk-(?:proj-|svcacct-|admin-|or-v1-|lf-)?(?=[\w-]{0,256}\d)[\w-]{16,}"),
    ("sk_", r"sk_(?:live|test)_\w{16,}"),
    ("rk_", r"rk_(?:live|test)_\w{16,}"),
    ("pg-", r"pg-[A-Za-z0-9]{30,}"),
    ("pgr-", r"pgr-[A-Za-z0-9]{30,}"),
    ("whsec_", r"whsec_[\w+/=]{24,}"),
    ("ghp_", r"ghp_[A-Za-z0-9]{30,}"),
    ("gho_", r"gho_[A-Za-z0-9]{30,}"),
    ("ghu_", r"ghu_[A-Za-z0-9]{30,}"),
    ("ghs_", r"ghs_[A-Za-z0-9]{30,}"),
    ("ghr_", r"ghr_[A-Za-z0-9]{30,}"),
    ("github_pat_", r"github_pat_\w{22,}"),
    ("glpat-", r"glpat-[\w-]{20,}"),
    ("xox", r"xox[abeoprs]-[\w-]{10,}"),
    ("xapp-", r"xapp-[\w-]{20,}"),
    ("AKIA", r"AKIA[A-Z0-9]{16}(?![A-Za-z0-9])"),
    ("ASIA", r"ASIA[A-Z0-9]{16}(?![A-Za-z0-9])"),
    ("AIza", r"AIza[\w-]{35}"),
    ("ya29.", r"ya29\.[\w-]{20,}"),
    ("GOCSPX-", r"GOCSPX-[\w-]{20,}"),
    ("npm_", r"npm_[A-Za-z0-9]{36}"),
    ("pypi-", r"pypi-[\w-]{50,}"),
    ("hf_", r"hf_[A-Za-z0-9]{30,}"),
    ("gsk_", r"gsk_[A-Za-z0-9]{20,}"),
    ("xai-", r"xai-[A-Za-z0-9]{20,}"),
    ("r8_", r"r8_[A-Za-z0-9]{30,}"),
    ("pplx-", r"pplx-[A-Za-z0-9]{20,}"),
    ("dop_v1_", r"dop_v1_[a-f0-9]{64}"),
    ("SG.", r"SG\.[\w-]{16,}\.[\w-]{16,}"),
    ("AGE-SECRET-KEY-", r"AGE-SECRET-KEY-1[A-Z0-9]{50,}"),
    ("hooks.slack.com/services/", r"hooks\.slack\.com/services/[\w/]{20,}"),
    (
        "-----BEGIN ",
        r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----)[\s\S])*(?:-----END [^-\n]*-----)?",
    ),
)
_SHAPES = tuple((prefix, re.compile(shape, re.ASCII)) for prefix, shape in _PREFIXES)
_JWT = re.compile(r"(eyJ[\w-]{8,})\.[\w-]{8,}\.[\w-]*", re.ASCII)
_USERINFO = re.compile(r"[^\s/:@\"'<>]{0,128}:([^\s/@\"'<>]{3,256})@")

_WORDS = ("key", "token", "secret", "passw", "pwd", "passphrase", "bearer", "credential", "auth")
_SAID_BEFORE = re.compile(
    r"[\w-]{0,40}[\"'`*]{0,3}(?P<sign>\s{0,4}(?::=|=>|[:=])\s{0,4}|\s{1,4}is:?\s{1,4}|\s{1,4})[\"'`]{0,3}"
    r"(?:(?:Bearer|Basic|Token)\s{1,4})?(?P<value>[^\s\"'`<>,;(){}\[\]]{6,512})",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[A-Za-z0-9+/=_.~:-]+")
_WORD = r"[A-Za-z]+(?:\d{1,2}[A-Za-z]*)?"
_NAME = re.compile(rf"[A-Za-z_.]+|_?{_WORD}(?:[_.]+{_WORD})+")
_WORDS_JOINED = re.compile(rf"_?{_WORD}(?:[_.-]+{_WORD})+")
_EXAMPLES = frozenset(("pass", "password", "passwd", "pwd", "secret", "xxx", "xxxx", "***"))
_LEAST_LENGTH, _LEAST_ENTROPY = 16, 3.0


class SecretDetector:
    """Keys of providers, private keys, web tokens, passwords in addresses, and random values said to be secret."""

    kinds = frozenset(("key",))

    def find(self, text: str) -> Iterator[Span]:
        """See ``Detector.find``."""
        for prefix, shape in _SHAPES:
            at = text.find(prefix)
            while at >= 0:
                found = shape.match(text, at) if _begins(text, at) else None
                if found:
                    yield Span(at, found.end(), "key")
                at = text.find(prefix, found.end() if found else at + 1)
        yield from _web_tokens(text)
        yield from _in_addresses(text)
        yield from _said_to_be(text)


def _begins(text: str, at: int) -> bool:
    return at == 0 or not (text[at - 1].isalnum() or text[at - 1] == "_") or text[at] in "-h"


def _web_tokens(text: str) -> Iterator[Span]:
    at = text.find("eyJ")
    while at >= 0:
        # Not amidst a longer run: each place in it would be read to the run's end.
        found = _JWT.match(text, at) if at == 0 or not (text[at - 1].isalnum() or text[at - 1] in "-_") else None
        if found and _is_json(found[1]):
            yield Span(at, found.end(), "key")
        at = text.find("eyJ", found.end() if found else at + 3)


def _is_json(encoded: str) -> bool:
    try:
        return isinstance(json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))), dict)
    except (ValueError, binascii.Error):
        return False


def _in_addresses(text: str) -> Iterator[Span]:
    """``scheme://name:password@host``."""
    at = text.find("://")
    while at >= 0:
        found = _USERINFO.match(text, at + 3)
        if found and found[1] not in _EXAMPLES:
            yield Span(*found.span(1), "key")
        at = text.find("://", at + 3)


def _said_to_be(text: str) -> Iterator[Span]:
    """A value behind a word that says that it is secret."""
    # Only ASCII is lowered, so that places stay where they are: a few letters grow when they are lowered.
    lowered = text.lower() if text.isascii() else text.translate(_LOWER)
    for word in _WORDS:
        at = lowered.find(word)
        while at >= 0:
            found = _SAID_BEFORE.match(text, at + len(word))
            if found and _is_secret(word, found["sign"], found["value"], quoted=_is_quoted(found)):
                yield Span(found.start("value"), found.start("value") + len(_without_full_stop(found)), "key")
            at = lowered.find(word, at + len(word))


def _without_full_stop(found: re.Match[str]) -> str:
    """The value; what ends the sentence is not part of it, unless a quotation mark closes the value itself."""
    value: str = found["value"]
    return value if _is_quoted(found) else value.rstrip(".")


def _is_quoted(found: re.Match[str]) -> bool:
    return found.string[found.end() : found.end() + 1] in ('"', "'", "`")


_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def _is_secret(word: str, sign: str, value: str, *, quoted: bool) -> bool:
    value = value.rstrip(".!?:")
    said = not sign.isspace()
    if word in ("passw", "pwd", "passphrase"):
        # `password = get_password` is code: words, dots and underscores without quotation marks name something.
        named = not quoted and _NAME.fullmatch(value) is not None
        return said and not named and _classes(value) >= 2 and not value.startswith(("$", "http"))
    if not (said or word == "bearer"):
        return False
    if len(value) < _LEAST_LENGTH or not _TOKEN.fullmatch(value) or "://" in value or _WORDS_JOINED.fullmatch(value):
        return False
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value)) and _entropy(value) >= _LEAST_ENTROPY


def _classes(value: str) -> int:
    """Of how many sorts its characters are: small and capital letters, digits, others."""
    return len({2 if c.isdigit() else 0 if c.islower() else 1 if c.isupper() else 3 for c in value})


def _entropy(value: str) -> float:
    """Bits a character, by how often each occurs."""
    counts = Counter(value)
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts.values())
