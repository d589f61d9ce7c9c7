"""Bank accounts and national numbers that have letters in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .numbers import validator
from .spans import Span

_LENGTHS = {
    country: length
    for length, countries in (
        (15, "NO"),
        (16, "BE BI"),
        (18, "DK FI FO GL NL SD"),
        (19, "MK SI"),
        (20, "AT BA EE KZ LT LU MN XK"),
        (21, "CH HR LI LV"),
        (22, "BG BH CR DE GB GE IE ME RS VA"),
        (23, "AE GI IL IQ OM SO TL"),
        (24, "AD CZ ES MD PK RO SA SE SK TN VG"),
        (25, "LY PT ST"),
        (26, "IS TR"),
        (27, "BY DJ FR GR IT MC MR SM"),
        (28, "AL AZ CY DO GT HU LB NI PL SV"),
        (29, "BR EG PS QA UA"),
        (30, "JO KW MU YE"),
        (31, "MT SC"),
        (32, "LC"),
        (33, "RU"),
    )
    for country in countries.split()
}
"""Characters of an account's number by country (ISO 13616, the registry of IBANs)."""

_START = re.compile(r"\b([A-Za-z]{2})\d{2}(?=[ \-]?[A-Za-z0-9]{4})", re.ASCII)
_PIECE = re.compile(r"[ \-]?([A-Za-z0-9])", re.ASCII)
_LETTERS = {letter: str(ord(letter) - 55) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


class IbanDetector:
    """International bank account numbers, by their country's length and the checksum modulo 97."""

    kinds = frozenset(("iban",))

    def find(self, text: str) -> Iterator[Span]:
        """See ``Detector.find``."""
        for found in _START.finditer(text):
            length = _LENGTHS.get(found[1].upper())
            if length is None:
                continue
            number, end = found[0].upper(), found.end()
            while len(number) < length:
                piece = _PIECE.match(text, end)
                if piece is None:
                    break
                number += piece[1].upper()
                end = piece.end()
            if len(number) == length and not text[end : end + 1].isalnum() and _mod_97(number):
                yield Span(found.start(), end, "iban")


def _mod_97(number: str) -> bool:
    """ISO 7064, MOD 97-10, over the number with its first four characters last."""
    moved = number[4:] + number[:4]
    return int("".join(_LETTERS.get(character, character) for character in moved)) % 97 == 1


class _Lettered(NamedTuple):
    shape: str
    module: str


_NUMBERS = (
    _Lettered(r"\d{8}[ -]?[A-Z]", "es.dni"),
    _Lettered(r"[XYZ][ -]?\d{7}[ -]?[A-Z]", "es.nie"),
    _Lettered(r"[A-Z]{6}\d[\dL-V][A-EHLMPR-T][\dL-V]{2}[A-Z][\dL-V]{3}[A-Z]", "it.codicefiscale"),
    _Lettered(r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]", "fi.hetu"),
    _Lettered(r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z\d]\d", "mx.curp"),
    _Lettered(r"\d{17}X", "cn.ric"),
    _Lettered(r"\d{13}[ ]?2[AB][ ]?\d{3}[ ]?\d{2}|[12]\d{4}2[AB]\d{8}", "fr.nir"),
    _Lettered(r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]", ""),
)
_ANY = re.compile(
    r"\b(?=[A-Z\d])(?:" + "|".join(f"({number.shape})" for number in _NUMBERS) + r")(?![A-Za-z0-9])", re.ASCII
)


class LetteredIdDetector:
    """National numbers with letters. The British one has no checksum; its shape and letters are rare enough."""

    kinds = frozenset(("id",))

    def find(self, text: str) -> Iterator[Span]:
        """See ``Detector.find``."""
        for found in _ANY.finditer(text):
            module = _NUMBERS[(found.lastindex or 1) - 1].module
            if not module or validator(module)(found[0]):
                yield Span(*found.span(), "id")
