"""Prompts for code that is missing in the middle, as llama.cpp's server lays them out.

A project's name, the other files, and then: prefix token, what stands before, how the missing part begins, suffix
token, what stands behind, middle token. After https://arxiv.org/abs/2409.12186 (Qwen2.5-Coder), section 3.2, and
``format_infill`` of llama.cpp's ``tools/server``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from app.engine.infill import Gap
from app.errors import NotSupportedError

from .vocabulary import FillTokens

_WINDOW = 2048
_PROJECT, _FILE = "myproject\n", "filename\n"
_BETWEEN = "\n\n--- snippet ---\n\n"
"""What stands between files where the vocabulary has no token for that."""


class Fills(Protocol):
    """What is needed of a vocabulary."""

    bos: int

    @property
    def begins_with_bos(self) -> bool:
        """Whether a sequence is to begin with ``bos``."""
        ...

    @property
    def fill_tokens(self) -> FillTokens:
        """What it has for code in the middle."""
        ...

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> list[int]:
        """Token ids of ``text``."""
        ...


def require_fill(marks: FillTokens) -> None:
    """Makes sure that a model was taught to fill gaps.

    Raises:
        NotSupportedError: when it was not, in llama.cpp's own words.
    """
    named = {"prefix": marks.prefix, "suffix": marks.suffix, "middle": marks.middle}
    missing = [name for name, token in named.items() if token < 0]
    if missing:
        words = " ".join(f"{name} token is missing." for name in missing)
        raise NotSupportedError(f"Infill is not supported by this model: {words}")


def prompt_for(vocabulary: Fills, gap: Gap, context: int) -> list[int]:
    """The tokens that ask for what is missing in a gap.

    Of long code the ends that touch the gap are kept, three quarters before it and one behind it; of the other files
    the last, as far as there is room for them.

    Args:
        vocabulary: the model's.
        gap: the code.
        context: tokens of context window.

    Raises:
        NotSupportedError: when the model was not taught to do it.
    """
    marks = vocabulary.fill_tokens
    require_fill(marks)
    window = min(_WINDOW, max(8, context // 2))
    begun = vocabulary.tokenize(gap.prompt, add_special=False, parse_special=True) if gap.prompt else []
    before = vocabulary.tokenize(gap.prefix, add_special=False, parse_special=False)
    behind = vocabulary.tokenize(gap.suffix, add_special=False, parse_special=False)
    before = before[max(0, len(before) - 3 * (window // 4)) :]
    behind = behind[: max(0, window // 4 - (2 + len(begun)))]
    start = [vocabulary.bos] if vocabulary.begins_with_bos else []
    asked = [*start, marks.prefix, *before, *begun, marks.suffix, *behind, marks.middle]
    extra = list(_other_files(vocabulary, gap, marks))
    # What is missing must find room behind it.
    room = max(0, context - len(asked) - (2 * gap.max_tokens or context // 8))
    return [*extra[max(0, len(extra) - room) :], *asked]


def _other_files(vocabulary: Fills, gap: Gap, marks: FillTokens) -> Iterator[int]:
    def plain(text: str) -> list[int]:
        return vocabulary.tokenize(text, add_special=False, parse_special=False)

    if marks.repository >= 0:
        yield marks.repository
        yield from plain(_PROJECT)
    for snippet in gap.extra:
        if marks.file >= 0:
            yield marks.file
            yield from plain(f"{snippet.filename}\n")
        else:
            yield from plain(_BETWEEN)
        yield from plain(snippet.text)
    if marks.file >= 0:
        yield marks.file
        yield from plain(_FILE)
