"""How many tokens an answer tells of that passes through unread: found in its bytes, whatever their protocol."""

from __future__ import annotations

import re

from app.messages import Usage

_FIGURE = re.compile(
    rb'"(prompt_tokens|input_tokens|prompt_eval_count|completion_tokens|output_tokens|eval_count|cached_tokens'
    rb'|cache_read_input_tokens|cache_creation_input_tokens)"\s{0,8}:\s{0,8}(\d{1,12})\b'
)
"""Within a text of the answer such words stand between escaped quotation marks, and are not found."""

_OVERLAP = 64


class RawUsage:
    """Reads the pieces of an answer as they pass; a figure that comes twice counts as it came last."""

    def __init__(self) -> None:
        self._figures: dict[bytes, int] = {}
        self._tail = b""

    def feed(self, piece: bytes) -> None:
        """Takes the next piece."""
        text = self._tail + piece
        if b"_tokens" in text or b"eval_count" in text:  # most pieces of a stream have no figures at all
            for found in _FIGURE.finditer(text):
                self._figures[found[1]] = int(found[2])
        self._tail = text[-_OVERLAP:]

    @property
    def so_far(self) -> Usage:
        """The tokens, as far as they are known. Anthropic tells cached ones beside the prompt's, others among them."""
        found = self._figures.get
        cached, made = found(b"cache_read_input_tokens", 0), found(b"cache_creation_input_tokens", 0)
        prompt = (
            found(b"prompt_tokens", 0) or found(b"prompt_eval_count", 0) or found(b"input_tokens", 0) + cached + made
        )
        completion = found(b"completion_tokens", 0) or found(b"output_tokens", 0) or found(b"eval_count", 0)
        return Usage(prompt, completion, cached or found(b"cached_tokens", 0))
