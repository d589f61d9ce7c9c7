"""Cards, telephone numbers and national numbers: chains of digit groups, cut and validated.

A text is scanned once for chains such as ``+49 (0)30 901820`` or ``4111 1111 1111 1111``. Every run of whole groups in
one is a candidate, and its shape (``9999 9999 9999 9999``) says what it may be; a checksum or a numbering plan decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import NamedTuple

from .spans import Span

_CHAIN = re.compile(
    r"(?<![A-Za-z0-9_.#$€£-])(?:\+[ ]?)?\(?\d(?:(?:[ .\-/]| - | / | ?\(|\) ?[-/]?)?\d){6,40}(?![A-Za-z0-9_%])", re.ASCII
)
_GROUP = re.compile(r"\d+")
_MOST_GROUPS = 12
_DIGITS = str.maketrans("012345678", "999999999")


class Run(NamedTuple):
    """Neighbouring groups of a chain: where they stand, how they are written, and their digits alone."""

    start: int
    end: int
    written: str
    digits: str


class NumberDetector:
    """Payment cards, telephone numbers, and national identity, tax and insurance numbers that have a checksum.

    Args:
        kinds: those of ``card``, ``phone`` and ``id`` that are looked for.
    """

    def __init__(self, kinds: frozenset[str] = frozenset(("card", "phone", "id"))) -> None:
        self.kinds = kinds

    def find(self, text: str) -> Iterator[Span]:
        """See ``Detector.find``."""
        for chain in _CHAIN.finditer(text):
            before = text[max(0, chain.start() - 48) : chain.start()]
            runs = list(_runs(chain))
            for run in runs:
                if "card" in self.kinds and _is_card(run):
                    yield Span(run.start, run.end, "card")
                whole = len(run.written) >= len(chain[0]) - 2
                if "id" in self.kinds and _is_national(run, before, whole=whole):
                    yield Span(run.start, run.end, "id")
            if "phone" in self.kinds:
                yield from _phones(chain, runs, before)


def _runs(chain: re.Match[str]) -> Iterator[Run]:
    """Every run of whole groups; where it is cut out of a longer chain, a space or a bracket must stand there."""
    text, offset = chain[0], chain.start()
    groups = [found.span() for found in _GROUP.finditer(text)][:_MOST_GROUPS]
    last = len(groups) - 1
    for first, (start, _) in enumerate(groups):
        if first and not _cuts(text[groups[first - 1][1] : start]):
            continue
        for final in range(first, len(groups)):
            end = groups[final][1]
            if final < last and not _cuts(text[end : groups[final + 1][0]]):
                continue
            digits = "".join(text[begin:stop] for begin, stop in groups[first : final + 1])
            if len(digits) >= 7:
                yield Run(offset + start, offset + end, text[start:end], digits)


def _cuts(separator: str) -> bool:
    return separator[:1] in " ()" or separator[-1:] in " ()"


# Cards

_CARD_SHAPES = re.compile(
    r"\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{1,3})?|\d{4}([ -])\d{6}\2\d{4,5}|\d{4}([ -])\d{4}\3\d{4}\3\d"
)


def _is_card(run: Run) -> bool:
    digits = run.digits
    return (
        13 <= len(digits) <= 19
        and _CARD_SHAPES.fullmatch(run.written) is not None
        and _is_issued(digits)
        and len(set(digits)) > 1
        and _luhn(digits)
    )


def _is_issued(digits: str) -> bool:
    """Whether the first digits are a payment network's, for cards of this length (ISO/IEC 7812)."""
    length, four = len(digits), int(digits[:4])
    two, three = four // 100, four // 10
    if digits[0] == "4":
        return length in (13, 16, 19)
    if two in (34, 37):
        return length == 15
    if two in (36, 38, 39) or 300 <= three <= 305:
        return length == 14 or (length == 16 and two != 36)
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return length == 16
    if four == 6011 or 644 <= three <= 659 or two == 62 or 3528 <= four <= 3589 or two == 60 or two == 81:
        return length in (16, 19)
    if four in (5018, 5020, 5038, 5893, 6304, 6759, 6761, 6762, 6763) or 2200 <= four <= 2204:
        return length in (16, 18, 19)
    return False


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) << (place & 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


# National numbers


class _National(NamedTuple):
    """A module of python-stdnum that validates, and what must be said before the number, if anything.

    It must where chance alone would often pass the checksum, as with one digit of eleven.
    """

    module: str
    said: str = ""


_SSN, _SIN = r"(?i:ssn|social security)", r"SIN\b|(?i:social insurance|assurance sociale)"
_BSN, _TFN = r"(?i:bsn|burgerservice|sofi-?nummer)", r"(?i:tfn|tax file)"
_TAX_DE, _NHS = r"(?i:steuer|idnr|tax id|tin\b)", r"(?i:nhs|national health)"

_NATIONAL: dict[str, tuple[_National, ...]] = {
    "999-99-9999": (_National("us.ssn"),),
    "999 99 9999": (_National("us.ssn", _SSN),),
    "999.999.999-99": (_National("br.cpf"),),
    "999.9999.9999.99": (_National("ch.ssn"),),
    "9 99 99 99 999 999 99": (_National("fr.nir"),),
    "999999999999999": (_National("fr.nir"),),
    "99.99.99-999.99": (_National("be.nn"),),
    "999999-9999": (_National("se.personnummer"),),
    "99999999-9999": (_National("se.personnummer"),),
    "999999 99999": (_National("no.fodselsnummer"),),
    "99999999999": (
        _National("no.fodselsnummer"),
        _National("pl.pesel"),
        _National("tr.tckimlik", r"(?i:tckn?\b|kimlik|t\.c\.)"),
        _National("br.cpf", "(?i:cpf)"),
        _National("de.idnr", _TAX_DE),
        _National("be.nn", "(?i:rijksregister|national number|registre national)"),
    ),
    "99 999 999 999": (_National("de.idnr"),),
    "9999 9999 9999": (_National("in_.aadhaar"),),
    "999999999999999999": (_National("cn.ric"),),
    "999999-9999999": (_National("kr.rrn"),),
    "999 999 999": (_National("ca.sin", _SIN), _National("nl.bsn", _BSN), _National("au.tfn", _TFN)),
    "999-999-999": (_National("ca.sin", _SIN),),
    "999999999": (
        _National("nl.bsn", _BSN),
        _National("ca.sin", _SIN),
        _National("us.ssn", _SSN),
        _National("au.tfn", _TFN),
    ),
    "999 999 9999": (_National("gb.nhs", _NHS),),
    "9999999999": (_National("gb.nhs", _NHS),),
    "9999999999999": (_National("za.idnr", r"(?i:\bid\b|identity)"), _National("ch.ssn")),
}
"""By the shape of a number, what it may be."""


def _is_national(run: Run, before: str, *, whole: bool) -> bool:
    """``whole``: whether the run is all of its chain. Groups with spaces count then only."""
    shapes = _NATIONAL.get(run.written.translate(_DIGITS))
    if shapes is None or (" " in run.written and not whole):
        return False
    return any(
        (not number.said or re.search(number.said, before)) and validator(number.module)(run.written)
        for number in shapes
    )


def validator(module: str) -> Callable[[str], bool]:
    """The ``is_valid`` of a module of python-stdnum, which is imported when it is first needed."""
    found: Callable[[str], bool] = import_module(f"stdnum.{module}").is_valid
    return found


# Telephones

_PHONE_WORDS = re.compile(
    r"\b(?:tel|telephone|telefon\w*|téléphone|teléfono|phone|phones|call|calls|called|calling|ring|mobile|cell|mob"
    r"|handy|fax|whatsapp|sms|text me|dial|hotline|reach (?:me|him|her|us|them)|contact number|celular|móvil"
    r"|portable)\b"
    r"[^\d+]{0,24}\(?\Z"
)
_NORTH_AMERICAN = re.compile(
    r"(?:1[ .-]?)?\(\d{3}\)[ ]?\d{3}[ .-]\d{4}|(?:1-)?\d{3}-\d{3}-\d{4}|(?:1\.)?\d{3}\.\d{3}\.\d{4}"
)
_REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "BE", "CH", "AT", "PT", "PL", "SE", "AU", "IN", "BR")


def _phones(chain: re.Match[str], runs: list[Run], before: str) -> Iterator[Span]:
    text, offset = chain[0], chain.start()
    if text[0] == "+":
        # The longest that is a number: what follows it in the chain may be another thing.
        for run in sorted((run for run in runs if run.start <= offset + 3), key=lambda run: -run.end):
            if 7 <= len(run.digits) <= 16 and _is_phone("+" + run.digits, None):
                yield Span(offset, run.end, "phone")
                return
        return
    said = _PHONE_WORDS.search(before.lower()) is not None
    for run in sorted(runs, key=lambda run: run.start - run.end):
        start = run.start - (chain.string[run.start - 1 : run.start] == "(")
        written = chain.string[start : run.end]
        if not 7 <= len(run.digits) <= 16:
            continue
        if run.digits.startswith("00") and (said or run.written != run.digits):
            found = _is_phone("+" + run.digits[2:], None)
        elif _NORTH_AMERICAN.fullmatch(written):
            found = _is_phone(run.digits, "US")
        else:
            found = said and any(_is_phone(run.digits, region) for region in _REGIONS)
        if found:
            yield Span(start, run.end, "phone")
            return


def _is_phone(digits: str, region: str | None) -> bool:
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(digits, region))
    except phonenumbers.NumberParseException:
        return False
