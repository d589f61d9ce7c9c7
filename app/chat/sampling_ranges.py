"""The parameters of sampling that a person writes down, and which values each takes."""

from __future__ import annotations

RANGES: dict[str, tuple[type[int] | type[float], float, float]] = {
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
"""By the name of a field of ``Sampling``: a number's kind, the least and the greatest."""


def range_words(name: str) -> str:
    """What is expected, as ``a whole number from 1 to 10``."""
    kind, low, high = RANGES[name]
    return f"{'a whole number' if kind is int else 'a number'} from {low:.10g} to {high:.10g}"
