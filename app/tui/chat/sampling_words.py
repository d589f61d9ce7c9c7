"""Sampling as it is typed: ``temperature 0.7``, ``seed 3``, ``temperature default``."""

from __future__ import annotations

import msgspec

from app.errors import InvalidRequestError
from app.messages import Sampling

_NUMBERS: dict[str, tuple[type[int] | type[float], float, float]] = {
    "temperature": (float, 0, 100),
    "top_p": (float, 0, 1),
    "top_k": (int, 0, 1_000_000),
    "min_p": (float, 0, 1),
    "repeat_penalty": (float, 0.01, 100),
    "frequency_penalty": (float, -100, 100),
    "presence_penalty": (float, -100, 100),
    "seed": (int, 0, 2**32 - 1),
    "max_tokens": (int, 1, 2**31 - 1),
}

NAMES = ", ".join(_NUMBERS)


def changed(sampling: Sampling, words: str) -> Sampling:
    """``sampling`` with what ``words`` say.

    Raises:
        InvalidRequestError: when they name no parameter, or no value that it takes.
    """
    name, _, value = words.replace("=", " ").partition(" ")
    name, value = name.strip().lower().replace("-", "_"), value.strip().lower()
    if name not in _NUMBERS:
        raise InvalidRequestError(f"There is no sampling parameter {name!r}.", f"There are: {NAMES}.")
    if value in ("", "default", "none"):
        return msgspec.structs.replace(sampling, **{name: None})
    kind, low, high = _NUMBERS[name]
    try:
        number = kind(value)
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        what = "a whole number" if kind is int else "a number"
        raise InvalidRequestError(f"{name} is {value!r}.", f"It must be {what} from {low:g} to {high:g}, or default.")
    return msgspec.structs.replace(sampling, **{name: number})


def described(sampling: Sampling) -> str:
    """What was chosen, as one line; ``defaults`` when nothing was."""
    chosen = [f"{name} {value:g}" for name in _NUMBERS if (value := getattr(sampling, name)) is not None]
    return ", ".join(chosen) or "the model's defaults"
