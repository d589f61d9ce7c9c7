"""Passwords, kept as Argon2id (RFC 9106) in the PHC string format, which says its own cost."""

from __future__ import annotations

import secrets
import unicodedata

from app.errors import InvalidRequestError

LEAST_CHARACTERS = 8
MOST_CHARACTERS = 1024
_PASSES, _MEMORY_KIB = 3, 64 * 1024
_LANES = 1
"""OpenSSL's Argon2 with several lanes never returns when two threads are in it at once (seen with OpenSSL in
cryptography 50.0.2); with one lane it needs no threads of its own, and several sign-ins can be checked side by side."""


def checked(password: str) -> str:
    """The password, when it is one that can be set.

    Raises:
        InvalidRequestError: when it is too short or too long; it is not repeated.
    """
    if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        raise InvalidRequestError(
            f"The password has {len(password)} characters; it needs {LEAST_CHARACTERS} to {MOST_CHARACTERS}.",
            "A few unusual words are easy to remember and hard to guess.",
        )
    return password


def hashed(password: str) -> str:
    """What is kept of a password. Takes about 0.2 s and 64 MiB: run it in a thread."""
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    return Argon2id(
        salt=secrets.token_bytes(16), length=32, iterations=_PASSES, lanes=_LANES, memory_cost=_MEMORY_KIB
    ).derive_phc_encoded(_bytes(password))


def fits(password: str, kept: str) -> bool:
    """Whether the password is the one that was kept; as long and in constant time, whatever it is."""
    from cryptography.exceptions import InvalidKey
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    try:
        Argon2id.verify_phc_encoded(_bytes(password), kept)
    except InvalidKey:
        return False
    return True


def _bytes(password: str) -> bytes:
    """The same bytes however the keyboard put its accents together."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
