"""Secrets out of what is written down: known keys wherever they stand, and whatever is shaped like one."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import quote, quote_plus

from app.privacy.characters import whole_characters

MASK = "•••"

_TELLING_NAMES = (
    r"(?i)(?:^|_)(?:API_?KEYS?|KEYS?|TOKENS?|SECRETS?|PASSWORDS?|PASSWD|PASSPHRASE|CREDENTIALS?|DSN|AUTH)(?:_|$)"
)
_LEAST = 6
"""Shorter values than this are words, and would blot out half a text."""
_MOST_NAMES = 256

_SHAPES = (
    # Keys of well-known services, by their beginnings.
    r"\bsk-(?:[a-z0-9]+-){0,3}[A-Za-z0-9_]{16,}[A-Za-z0-9_\-]*",
    r"\b(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{10,}",
    r"\b(?:gh[pousr]|hf|npm)_[A-Za-z0-9]{16,}",
    r"\bgithub_pat_[A-Za-z0-9_]{20,}",
    r"\b(?:glpat|pypi|xox[abeprs])-[A-Za-z0-9_\-]{16,}",
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    r"\bpg-[0-9A-Za-z]{43}\b",
    r"\bAIza[A-Za-z0-9_\-]{30,}",
    r"\bya29\.[A-Za-z0-9_\-]{20,}",
    # Signed tokens, and private keys.
    r"\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*)?",
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)",
)
_AFTER_A_WORD = (
    # The word stays, so that a reader sees what was there.
    r"(?i)(\bbearer\s+)(?:[A-Za-z._~+/\-]*[0-9][A-Za-z0-9._~+/\-]{6,}|[A-Za-z._~+/\-]{6,}[0-9][A-Za-z0-9._~+/\-]*)=*",
    r"(?i)(\b(?:[a-z0-9]+[-_])*(?:api[-_]?key|access[-_]?key|secret|token|password|passwd|passphrase|authorization)"
    r"\\?[\"']?\s*[:=]\s*\\?[\"']?)(?:bearer\s+|basic\s+)?[^\s\"',;&}\\•]{6,}",
    r"(?i)(\b[a-z][a-z0-9+.\-]*://[^\s/:@\"']*:)[^\s/@\"']+(?:@)",
)


class Masker:
    """Takes secrets out of texts.

    Nothing of what it knows is ever given out: its representation is empty.

    Args:
        known: secrets that are known; those added by ``learn`` count from then on.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known: set[str] = set()
        self._forms: tuple[str, ...] = ()
        self._names: dict[str, str] = {}
        self.learn(*known)

    @classmethod
    def of_environment(cls, environ: Mapping[str, str]) -> Masker:
        """Knows every variable whose name says that it holds a secret, and passwords within addresses.

        Lists separated by commas, as ``PLAYGROUND_API_KEYS`` is one, are known part by part too.
        """
        masker = cls()
        masker.learn_environment(environ)
        return masker

    def learn_environment(self, environ: Mapping[str, str]) -> None:
        """Knows its secrets too, as ``of_environment`` does."""
        import re

        names = re.compile(_TELLING_NAMES)
        for name, value in environ.items():
            if names.search(name):
                self.learn(value, *value.split(","))
            if "://" in value and "@" in value:
                self.learn(value.partition("://")[2].rpartition("@")[0].partition(":")[2])

    def learn(self, *secrets: str) -> None:
        """Knows these too. Values of less than six characters are not looked for."""
        new = {secret.strip() for secret in secrets if len(secret.strip()) >= _LEAST} - self._known
        if not new:
            return
        self._known |= new
        self._names = {}
        forms = {form for secret in self._known for form in _forms(secret)}
        self._forms = tuple(sorted(forms, key=len, reverse=True))

    def text(self, text: str) -> str:
        """``text`` with every secret in it replaced by ``•••``, and half characters by U+FFFD: fit to be kept."""
        text = whole_characters(text)
        if len(text) < _LEAST:
            return text
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        raw = changed = text.encode()
        if not self._any_shape.search(raw):
            return text
        for pattern, by in self._shapes:
            if pattern.search(changed):
                changed = pattern.sub(by, changed)
        return text if changed is raw else changed.decode()

    def name(self, name: str) -> str:
        """``text`` of what comes again and again, as names of models do in a log: remembered until more is learnt."""
        names = self._names
        masked = names.get(name)
        if masked is None:
            masked = self.text(name)
            if len(names) < _MOST_NAMES:
                names[name] = masked
        return masked

    def value(self, value: Any) -> Any:
        """A copy of a JSON value with every text in it masked, names of fields too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(name)): self.value(part) for name, part in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(part) for part in value]
        return value

    def error(self, error: BaseException) -> None:
        """Masks an error's words where they stand, its notes too, and those of errors that led to it or lie in it."""
        seen: set[int] = set()
        waiting: list[BaseException | None] = [error]
        while waiting:
            found = waiting.pop()
            if found is None or id(found) in seen:
                continue
            seen.add(id(found))
            self._words_of(found)
            # Both: what a cause stands before is still there for who looks.
            waiting += (found.__cause__, found.__context__)
            if isinstance(found, BaseExceptionGroup):
                waiting += found.exceptions

    def _words_of(self, error: BaseException) -> None:
        error.args = tuple(self._part(part) for part in error.args)
        for name, value in tuple(vars(error).items()):
            if isinstance(value, str):
                setattr(error, name, self.text(value))
        notes = getattr(error, "__notes__", None)
        if isinstance(notes, list):
            notes[:] = [self._part(note) for note in notes]
        if isinstance(error, OSError):
            # These are told instead of the arguments that they were made of.
            for name in ("strerror", "filename", "filename2"):
                value = getattr(error, name, None)
                if value is not None and value != (masked := self._part(value)):
                    setattr(error, name, masked)

    def _part(self, part: Any) -> Any:
        """An argument of an error; one that tells of a secret becomes its text without it."""
        if isinstance(part, str):
            return self.text(part)
        if part is None or isinstance(part, int | float):
            return part
        told = str(part)
        masked = self.text(told)
        return part if masked == told else masked

    @cached_property
    def _shapes(self) -> tuple[tuple[Any, Any], ...]:
        import re2

        mask = MASK.encode()
        options = re2.Options()
        options.log_errors = False
        whole = tuple((re2.compile(shape, options), lambda _match: mask) for shape in _SHAPES)
        after = tuple((re2.compile(shape, options), _keep_first) for shape in _AFTER_A_WORD)
        return (*whole, *after)

    @cached_property
    def _any_shape(self) -> Any:
        """Every shape in one: most texts have none, and are looked through once instead of once for each."""
        import re2

        options = re2.Options()
        options.log_errors = False
        options.never_capture = True
        return re2.compile("|".join(f"(?:{shape})" for shape in (*_SHAPES, *_AFTER_A_WORD)), options)

    def __repr__(self) -> str:
        return "Masker()"


class MaskingFilter(logging.Filter):
    """Lets every record pass, its secrets masked. Put it on handlers: a logger's filters miss its children's records.

    Args:
        masker: knows the secrets.
    """

    def __init__(self, masker: Masker) -> None:
        super().__init__()
        self._masker = masker

    def filter(self, record: logging.LogRecord) -> bool:
        """True, always."""
        record.msg, record.args = self._masker.text(record.getMessage()), ()
        if record.exc_info:
            record.exc_text = self._masker.text(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        return True


def _keep_first(match: Any) -> bytes:
    kept: bytes = match.group(1)
    return kept + MASK.encode() + (b"@" if match.group().endswith(b"@") else b"")


def _forms(secret: str) -> Iterable[str]:
    """A secret as it is, and as it is written in addresses, in JSON, in JSON within JSON, in Python, in base64."""
    yield secret
    yield quote(secret, safe="")
    yield quote_plus(secret)
    backslashes = secret.replace("\\", "\\\\")
    for written in (json.dumps(secret)[1:-1], backslashes.replace('"', '\\"'), repr(secret)[1:-1], backslashes):
        yield written
        yield json.dumps(written, ensure_ascii=False)[1:-1]
    raw = secret.encode("utf-8", "surrogatepass")
    for shift in range(3):  # where it begins within base64's groups of three bytes
        coded = base64.b64encode(b"\0" * shift + raw).decode()
        coded = coded[(0, 2, 3)[shift] :]
        whole = len(coded.rstrip("=")) - (1 if coded.endswith("=") else 0)
        if whole >= 10:
            yield coded[:whole]
            yield coded[:whole].translate(str.maketrans("+/", "-_"))
