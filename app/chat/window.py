"""Which messages go into a request when the whole conversation is longer than the model's context window.

The oldest turns are left out, the system prompt and the newest turns stay. The lengths are estimates, put right by what
earlier answers are known to have cost; a model that finds the prompt too long after all is asked again with less.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.messages import Node

from .attaching.sending import tokens_of

_BYTES_A_TOKEN = 3.5
_TOKENS_A_MESSAGE = 6
_MOST_RESERVED = 1024
_KEPT_SHARE = 0.7
"""When something must go, more goes than must: each change of where a prompt begins costs its whole KV cache."""


def left_out(
    path: Sequence[Node], system: str, window: int, *, already: frozenset[str] = frozenset(), tightness: float = 1.0
) -> frozenset[str]:
    """The ids of the messages that have no room.

    Args:
        path: the conversation, the question to answer last.
        system: the instructions that stand before it.
        window: the model's context window in tokens; 0 is unknown, and leaves nothing out.
        already: what was left out of the request before this one. It stays out, so that the KV cache holds.
        tightness: how much longer than estimated the prompt has turned out to be.
    """
    if window <= 0:
        return already & {node.id for node in path}
    budget = window - min(_MOST_RESERVED, window // 4)
    scale = tightness * _measured_scale([node for node in path if node.id not in already], system)
    lengths = [_estimate(node) * scale for node in path]
    fixed = len(system.encode()) / _BYTES_A_TOKEN * scale
    first = next((place for place, node in enumerate(path) if node.id not in already), len(path) - 1)
    if fixed + sum(lengths[first:]) > budget:
        while first < len(path) - 1 and fixed + sum(lengths[first:]) > budget * _KEPT_SHARE:
            first += 1
    # A conversation begins with a question: an answer whose question is gone makes no sense to a model.
    while first < len(path) - 1 and path[first].message.role != "user":
        first += 1
    return frozenset(node.id for node in path[:first])


def _estimate(node: Node) -> float:
    return _bytes_of(node) / _BYTES_A_TOKEN + _TOKENS_A_MESSAGE


def _bytes_of(node: Node) -> float:
    words = len(node.message.text.encode("utf-8", "replace"))
    return words + sum(tokens_of(part) for part in node.message.attached) * _BYTES_A_TOKEN


def _measured_scale(path: Sequence[Node], system: str) -> float:
    """How much longer the conversation really was than estimated, by the last answer that told what it cost."""
    for place in range(len(path) - 1, 0, -1):
        usage = path[place].usage
        if usage is None or not usage.prompt_tokens:
            continue
        expected = len(system.encode()) / _BYTES_A_TOKEN + sum(_estimate(node) for node in path[:place])
        # A prompt that held a picture, say, would mislead.
        return min(3.0, max(0.5, usage.prompt_tokens / expected)) if usage.prompt_tokens > 64 else 1.0
    return 1.0
