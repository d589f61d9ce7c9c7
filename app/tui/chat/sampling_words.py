"""Sampling as it is typed: ``temperature 0.7``, ``seed 3``, ``temperature default``."""

from __future__ import annotations

import msgspec

from app.chat.sampling_ranges import RANGES, range_words
from app.errors import InvalidRequestError
from app.messages import Sampling

NAMES = ", ".join(RANGES)


def changed(sampling: Sampling, words: str) -> Sampling:
    """``sampling`` with what ``words`` say.

    Raises:
        InvalidRequestError: when they name no parameter, or no value that it takes.
    """
    name, _, value = words.replace("=", " ").partition(" ")
    name, value = name.strip().lower().replace("-", "_"), value.strip().lower()
    if name not in RANGES:
        raise InvalidRequestError(f"There is no sampling parameter {name!r}.", f"There are: {NAMES}.")
    if value in ("", "default", "none"):
        return msgspec.structs.replace(sampling, **{name: None})
    kind, low, high = RANGES[name]
    try:
        number = kind(value)
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        raise InvalidRequestError(f"{name} is {value!r}.", f"It must be {range_words(name)}, or default.")
    return msgspec.structs.replace(sampling, **{name: number})


def described(sampling: Sampling) -> str:
    """What was chosen, as one line; ``defaults`` when nothing was."""
    chosen = [f"{name} {value:g}" for name in RANGES if (value := getattr(sampling, name)) is not None]
    return ", ".join(chosen) or "the model's defaults"
