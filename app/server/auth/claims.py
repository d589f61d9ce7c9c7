"""What a request presents to be let in."""

from __future__ import annotations

import re
from functools import cached_property

from app.server.gate.heads import Head
from app.server.gate.refusals import KeyRefusedError
from app.vault.access.api_keys import digest

REMEDY = "Send it as `Authorization: Bearer KEY` or as `x-api-key: KEY`."
_BEARER = re.compile(r"[Bb]earer +([\x21-\x7e]+) *")
_MOST_CHARACTERS = 4096


class Claim:
    """A key or a token, as it was sent.

    Attributes:
        text: all of it; shown nowhere.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def digest(self) -> bytes:
        """What is kept of such a key, where it is one of ours."""
        return digest(self.text)


def presented(head: Head) -> Claim | None:
    """The key or token of a request; None when there is none.

    Raises:
        KeyRefusedError: when there are different ones, or it is not written as one can be.
    """
    found: set[str] = set()
    for value in head.all(b"authorization"):
        match = _BEARER.fullmatch(value.decode("latin-1"))
        if match is None:
            raise KeyRefusedError("The Authorization header is not `Bearer` and a key.", REMEDY)
        found.add(match[1])
    found.update(value.decode("latin-1").strip() for value in head.all(b"x-api-key") if value.strip())
    if len(found) > 1:
        raise KeyRefusedError("The request has two different keys.", "Send one of them.")
    text = next(iter(found), None)
    if text is None:
        return None
    if len(text) > _MOST_CHARACTERS:
        raise KeyRefusedError("The API key is not valid.", REMEDY)
    return Claim(text)
