"""Rolls a summary on: the model itself sums up what no longer has room in its context window."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing

from app.messages import ChatRequest, Message, Node, Sampling, TextDelta

from .exchange import Answering
from .summary import Summary

_SAMPLING = Sampling(temperature=0.2, max_tokens=220)
_MOST_READ = 6_000
_MOST_KEPT = 1_600
_ASK = (
    "Summarise the conversation below in at most 120 words, for somebody who goes on with it: who wants what, what was"
    " decided, names and numbers. Write the summary alone."
)


async def roll(answering: Answering, summary: Summary, left_out: Sequence[Node], model: str) -> Summary:
    """The summary with the messages that it does not cover yet.

    Args:
        answering: the router.
        summary: what there is.
        left_out: every message that is no longer sent, in order.
        model: who summarises.

    Raises:
        PlaygroundError: when the model cannot answer.
    """
    fresh = [node for node in left_out if node.id not in summary.covers and node.message.text.strip()]
    if not fresh:
        return summary
    said = [f"Summary so far: {summary.text}"] if summary.text else []
    said += map(_said, fresh)
    conversation = "\n\n".join(said)
    if len(conversation) > _MOST_READ:
        half = _MOST_READ // 2
        conversation = f"{conversation[:half]}\n…\n{conversation[-half:]}"
    request = ChatRequest(model=model, messages=(Message.user(f"{_ASK}\n\n{conversation}"),), sampling=_SAMPLING)
    text = ""
    async with aclosing(answering.stream(request)) as deltas:
        async for delta in deltas:
            if isinstance(delta, TextDelta):
                text += delta.text
    text = text.strip()[:_MOST_KEPT] or summary.text
    return Summary(text, summary.covers | {node.id for node in left_out})


def _said(node: Node) -> str:
    """Who said what; of files that were attached the names alone, for they would fill what is read."""
    files = ", ".join(part.name for part in node.message.attached)
    speaker = "Person" if node.message.role == "user" else "Model"
    return f"{speaker}: {node.message.text.strip()}{f' (attached: {files})' if files else ''}"
