"""What an answer costs: a remote model's price, as its table in the catalogue says."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from app.messages import Usage

Dollars = Annotated[float, Meta(ge=0, le=1_000_000)]

_MILLION = 1_000_000


class Price(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """US dollars for a million tokens.

    Attributes:
        input: tokens of the prompt.
        output: tokens of the answer, thinking included.
        cached: tokens of the prompt that the provider had kept from before; ``None`` costs as ``input``.
    """

    input: Dollars = 0.0
    output: Dollars = 0.0
    cached: Dollars | None = None

    def cost(self, usage: Usage) -> float:
        """US dollars for one answer."""
        kept = min(usage.cached_tokens, usage.prompt_tokens)
        of_kept = self.input if self.cached is None else self.cached
        spent = (usage.prompt_tokens - kept) * self.input + kept * of_kept + usage.completion_tokens * self.output
        return spent / _MILLION
