"""What an answer costs: a remote model's price, as its table in the catalogue says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.messages import Usage

if TYPE_CHECKING:
    from .remote_models import Price

_MILLION = 1_000_000


def cost(price: Price, usage: Usage) -> float:
    """US dollars for one answer. Cached tokens without a price of their own cost as the rest of the prompt."""
    kept = min(usage.cached_tokens, usage.prompt_tokens)
    of_kept = price.input if price.cached is None else price.cached
    spent = (usage.prompt_tokens - kept) * price.input + kept * of_kept + usage.completion_tokens * price.output
    return spent / _MILLION
