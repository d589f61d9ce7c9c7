"""A post's title as the end of an address."""

from __future__ import annotations

import re
import unicodedata

from .records import Post

LONGEST = 80
"""Characters of a slug."""

_LETTERS = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "þ": "th", "ð": "d", "ı": "i"}


def slug_of(title: str, otherwise: str = "post") -> str:
    """Small letters, digits and single hyphens; letters of other scripts stay; ``otherwise`` when nothing is left.

    It is the name of a file too, so it has no dots, no separators, and is none of the names that Windows keeps.
    """
    lowered = "".join(_LETTERS.get(letter, letter) for letter in unicodedata.normalize("NFKC", title).casefold())
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", lowered)
        if not unicodedata.combining(letter) or _needed(letter)
    )
    words = re.findall(r"[^\W_]+", re.sub(r"['’]", "", unicodedata.normalize("NFC", plain)))
    slug = ""
    for word in words:
        longer = f"{slug}-{word}" if slug else word[:LONGEST]
        if len(longer) > LONGEST:
            break
        slug = longer
    return f"{slug}-{otherwise}" if re.fullmatch(r"con|prn|aux|nul|com\d|lpt\d", slug) else slug or otherwise


def address_of(post: Post) -> str:
    """What the address of a post ends in: the slug that it has, else the one that its title makes."""
    return slug_of(post.slug or post.title)


def _needed(mark: str) -> bool:
    # Marks of Latin, Greek and Cyrillic letters can go; elsewhere they are the vowels.
    return not "\u0300" <= mark <= "\u036f"
