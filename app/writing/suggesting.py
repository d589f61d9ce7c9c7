"""Ghost text: the few words that may come next, from a model on this machine, while a person pauses."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Protocol

from app.messages import ChatRequest, Delta, Sampling, TextDelta

MOST_TOKENS = 16
"""Of a suggestion: what a person takes in at a glance."""

_CONTEXT = 2400
_STEP = 1200
"""Characters of text that the model reads, and by how many its beginning moves on at a time.

It begins at the same place while the text grows by a step, so that all but the last words lie in the KV cache.
"""

_END = re.compile(r"(?<=[.!?…])[\"'”’)]*(?=\s)")


class Answering(Protocol):
    """Whatever answers requests: the router."""

    def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """See ``app.backends.base.Backend.stream``."""
        ...


class Suggester:
    """Goes on with a text.

    Args:
        answering: the router.
        model: a model of this machine: it is given the text itself, which only the local engine takes.
    """

    def __init__(self, answering: Answering, model: str) -> None:
        self._answering, self._model = answering, model

    async def suggest(self, before: str, after: str = "") -> str:
        """The words that may stand at the cursor; empty when there is nothing to go on from, or nothing sensible comes.

        Cancelling it stops the model within one decoding step.

        Args:
            before: the text up to the cursor.
            after: the text behind it; in the middle of a line nothing is suggested.

        Raises:
            PlaygroundError: when the model cannot answer.
        """
        if not before.strip() or after.partition("\n")[0].strip():
            return ""
        prompt = window(before).rstrip(" \t")
        spaced = not before.endswith(prompt[-1:])
        request = ChatRequest(
            model=self._model,
            messages=(),
            prompt=prompt,
            sampling=Sampling(temperature=0.0, max_tokens=MOST_TOKENS, stop=("\n",), repeat_penalty=1.1),
        )
        text = ""
        async with aclosing(self._answering.stream(request)) as deltas:
            async for delta in deltas:
                if isinstance(delta, TextDelta):
                    text += delta.text
        return tidy(text, spaced=spaced)


def window(before: str) -> str:
    """The end of a text that the model reads; its beginning stays where it is while a person writes on."""
    excess = len(before) - _CONTEXT
    return before if excess <= 0 else before[-(-excess // _STEP) * _STEP :]


def tidy(text: str, *, spaced: bool) -> str:
    """One line of words, cut at the end of a sentence; without the space that stands before the cursor already."""
    line = text.partition("\n")[0]
    end = _END.search(line)
    if end:
        line = line[: end.end()]
    line = line.lstrip() if spaced else line
    return line.rstrip() if line.strip() else ""
