"""Replaces personal data in texts, and remembers for one exchange what stood there."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from hashlib import blake2b

from app.errors import RedactionError, SettingsError

from .addresses import EmailDetector, IpDetector
from .lettered import IbanDetector, LetteredIdDetector
from .numbers import NumberDetector
from .patterns import PatternDetector
from .restoring import Placeholders
from .secrets import SecretDetector
from .spans import Detector, Span, settled

KINDS = ("email", "phone", "card", "iban", "id", "ip", "key")
"""What is known without the user's own patterns: ``id`` is national numbers, ``key`` keys, tokens and passwords."""

_LEAST_KEPT, _MOST_KEPT = 64, 8192
"""Characters of a text whose search is worth remembering, and how many of them are."""

_TAG_LENGTH = 4
_TAG_LETTERS = "bcdfghjkmnpqrstvwxz23456789"
"""No vowels, so that no tag is a word; nothing that is mistaken for another."""


class Redactor:
    """Finds personal data of the chosen kinds. Safe to be used by several threads.

    Args:
        detectors: look at every text, each of them.
    """

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self._search = Search(detectors)
        self._secret = secrets.token_bytes(32)

    @classmethod
    def chosen(cls, kinds: Sequence[str] = (), patterns: Mapping[str, str] | None = None) -> Redactor:
        """One for the settings ``privacy.redact_kinds`` and ``privacy.redact_patterns``.

        Args:
            kinds: some of ``KINDS`` or of the patterns' names; empty is all.
            patterns: further kinds by name, in RE2's syntax.

        Raises:
            SettingsError: when a kind is not known or a pattern cannot be used.
        """
        own = dict(patterns or {})
        for name in own:
            if name in KINDS:
                raise SettingsError(f"privacy.redact_patterns: {name} is a kind already.", "Give it another name.")
        for kind in kinds:
            if kind not in (*KINDS, *own):
                raise SettingsError(
                    f"privacy.redact_kinds: there is no kind {kind!r}.", f"Known: {', '.join((*KINDS, *own))}."
                )
        wanted = frozenset(kinds or (*KINDS, *own))
        fixed: tuple[Detector, ...] = (EmailDetector(), IbanDetector(), LetteredIdDetector(), IpDetector())
        detectors = [detector for detector in (*fixed, SecretDetector()) if detector.kinds & wanted]
        numbers = wanted & {"card", "phone", "id"}
        if numbers:
            detectors.append(NumberDetector(numbers))
        # Checked even where none of them is wanted: a pattern that cannot be used is never passed over.
        compiled = PatternDetector(own)
        if wanted & compiled.kinds:
            detectors.append(PatternDetector({name: own[name] for name in own if name in wanted}))
        return cls(detectors)

    def memory(self, texts: Sequence[str]) -> RedactionMemory:
        """For one exchange.

        Args:
            texts: all that will be redacted in it. What is in them is not taken for a placeholder of ours; the first
                tells conversations apart, so that one value has one placeholder in all of a conversation's requests
                and different ones in different conversations.
        """
        salt = hmac.digest(self._secret, (texts[0] if texts else "").encode("utf-8", "surrogatepass"), "sha256")
        return RedactionMemory(self._search, salt, texts)


class Search:
    """Looks for everything in a text, once: a conversation's earlier messages come again with each of its requests.

    What is kept of a text is its digest, under a key of this object's own, and the places of what was found.

    Args:
        detectors: look at every text, each of them.
    """

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self._detectors = tuple(detectors)
        self._key = secrets.token_bytes(32)
        self._known: dict[bytes, tuple[Span, ...]] = {}

    def spans(self, text: str) -> tuple[Span, ...]:
        """What is personal, in order and without overlaps.

        Raises:
            Exception: what a detector raises.
        """
        if len(text) < _LEAST_KEPT:
            return self._found(text)
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=32, key=self._key).digest()
        known = self._known.get(digest)
        if known is None:
            known = self._found(text)
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            self._known[digest] = known
        return known

    def _found(self, text: str) -> tuple[Span, ...]:
        return tuple(settled(span for detector in self._detectors for span in detector.find(text)))


class RedactionMemory:
    """What was replaced in one exchange. It lives in memory, as long as the exchange does.

    Args:
        search: the redactor's.
        salt: makes the tags of this conversation.
        texts: in which no placeholder may occur already.
    """

    def __init__(self, search: Search, salt: bytes, texts: Sequence[str]) -> None:
        self._search = search
        self._salt = salt
        self._texts: Sequence[str] | None = texts
        self._taken = ""
        self._names: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}

    def redact(self, text: str) -> str:
        """``text`` with placeholders such as ``[EMAIL_1_k3f9]`` in the place of what is personal.

        Raises:
            RedactionError: when a detector fails; nothing of the text may be sent then.
        """
        try:
            spans = self._search.spans(text)
        except Exception as error:  # noqa: BLE001 - whatever it is: reported, and nothing is sent
            raise RedactionError(
                f"The text could not be searched for personal data ({type(error).__name__}), so nothing was sent.",
                "Report this. Until it is mended, ask a local model.",
            ) from None  # the cause may quote the text
        if not spans:
            return text
        pieces: list[str] = []
        end = 0
        for number, span in enumerate(spans):
            # What stands right beside a placeholder could be read as Markdown's mark of it: it is replaced with it.
            start, most = span.start, spans[number + 1].start if number + 1 < len(spans) else len(text)
            while start > end and text[start - 1] == "\\":
                start -= 1
            before, end = end, span.end
            while end < most and text[end] == "(":
                end += 1
            pieces += (text[before:start], "[", self._name(span.kind, text[start:end]), "]")
        pieces.append(text[end:])
        return "".join(pieces)

    @property
    def placeholders(self) -> Placeholders:
        """Of everything that was replaced so far."""
        return Placeholders({name: value for (_, value), name in self._names.items()})

    @property
    def counts(self) -> Mapping[str, int]:
        """How many different values of each kind were replaced."""
        return dict(self._counts)

    def _name(self, kind: str, value: str) -> str:
        known = self._names.get((kind, value))
        if known is None:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            known = self._free_name(kind, value)
            self._names[(kind, value)] = known
        return known

    def _free_name(self, kind: str, value: str) -> str:
        attempt = 0
        while True:
            said = f"{kind}\0{attempt}\0{value}".encode("utf-8", "surrogatepass")
            name = f"{kind.upper()}_{self._counts[kind]}_{_tag(hmac.digest(self._salt, said, 'sha256'))}"
            if name.lower() not in self._occurring():
                return name
            attempt += 1

    def _occurring(self) -> str:
        """All texts, as placeholders are compared; made only when there is something to replace."""
        if self._texts is not None:
            self._taken = "\n".join(self._texts).replace("\\", "").lower()
            self._texts = None
        return self._taken


def _tag(digest: bytes) -> str:
    number = int.from_bytes(digest[:8])
    letters = []
    for _ in range(_TAG_LENGTH):
        number, letter = divmod(number, len(_TAG_LETTERS))
        letters.append(_TAG_LETTERS[letter])
    return "".join(letters)
