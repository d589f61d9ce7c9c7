"""Titles of conversations: at once from the first words, better ones from a model when it has time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import aclosing

import msgspec

from app.messages import ChatRequest, Message, Node, Sampling, Text, TextDelta

from .context import messages_for
from .exchange import Answering

LONGEST = 60
"""Characters of a title."""

_ASK = "Give this conversation a title of three to six words. Answer with the title alone, without quotation marks."
_SAMPLING = Sampling(temperature=0.0, max_tokens=24, stop=("\n",))
_MOST_READ = 2_000
_MOST_WORDS = 8
_LABEL = re.compile(r"^(?:#+\s*|\*\*|title\s*[:\-–]\s*|the title (?:is|of this conversation is)\s*[:\-–]?\s*)+", re.I)


def first_words(text: str) -> str:
    """A title from what was asked: its first line, cut at a word."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    line = " ".join(line.split())
    if len(line) <= LONGEST:
        return line
    cut = line[: LONGEST - 1]
    return f"{cut.rpartition(' ')[0] or cut}…"


async def suggest(answering: Answering, path: Sequence[Node], model: str) -> str:
    """A title in the model's words; empty when what it says is no title.

    Args:
        answering: the router.
        path: the conversation; its first question and answer are read.
        model: who is asked.

    Raises:
        PlaygroundError: when the model cannot answer.
    """
    beginning = messages_for([_words_of(node) for node in path[:2]])
    shortened = tuple(Message(message.role, (Text(message.text[:_MOST_READ]),)) for message in beginning)
    request = ChatRequest(model=model, messages=(*shortened, Message.user(_ASK)), sampling=_SAMPLING)
    text = ""
    async with aclosing(answering.stream(request)) as deltas:
        async for delta in deltas:
            if isinstance(delta, TextDelta):
                text += delta.text
    return tidy(text)


def _words_of(node: Node) -> Node:
    """What was said, without the files that were attached: they stand before it, and it would be cut off."""
    return msgspec.structs.replace(node, message=Message(node.message.role, (Text(node.message.text),)))


def tidy(answer: str) -> str:
    """What a model said as a title: one line, without labels, quotation marks and a full stop; empty if
    it is a sentence, or only says that a title is coming.
    """
    line = next((line.strip() for line in answer.splitlines() if line.strip()), "")
    line = " ".join(_LABEL.sub("", line).strip(" .\"'“”‘’*_`«»").split())
    announces = line.endswith(":") or line.lower().startswith(("here is", "here's", "here are", "sure"))
    return line if 0 < len(line) <= LONGEST and len(line.split()) <= _MOST_WORDS and not announces else ""
