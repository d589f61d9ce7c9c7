"""An answer on its way to standard output: shown piece by piece, or gathered into one JSON object."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from app.chat import AnswerEnded, ExchangeEvent, LeftOut, TextArrived, ThinkingArrived
from app.chat.recalling import RecalledNow, RecallFailed
from app.messages import Failure, Node, Rerouted, Waiting
from app.privacy.terminal import StreamCleaner, clean

from .tables import counted, shortened

if TYPE_CHECKING:
    from app.memory.recall import Recalled

_WAITING = {
    "loading": "Loading the model",
    "queued": "Waiting",
    "prefill": "Reading",
    "connecting": "Connecting",
    "retrying": "Trying again",
}


@dataclass
class Answer:
    """What has come of an answer so far."""

    model: str
    text: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)
    node: Node | None = None
    failure: Failure | None = None
    rerouted: Rerouted | None = None

    def as_json(self, session_id: str | None) -> str:
        """One object for programs; everything beyond ASCII is escaped, so a terminal cannot be commanded by it."""
        found: dict[str, object] = {
            "model": (self.node and self.node.model) or self.model,
            "session": session_id,
            "answer": "".join(self.text),
            "thinking": "".join(self.thinking) or None,
            "finish_reason": (self.node and self.node.finish) or ("error" if self.failure else "cancelled"),
        }
        node = self.node
        if node is not None and node.usage is not None and node.timings is not None:
            found["usage"] = {
                "prompt_tokens": node.usage.prompt_tokens,
                "completion_tokens": node.usage.completion_tokens,
                "cached_tokens": node.usage.cached_tokens,
            }
            found["timings"] = {
                "time_to_first_token_s": round(node.timings.queued + node.timings.prefill, 4),
                "tokens_per_second": round(node.timings.tokens_per_second(node.usage.completion_tokens), 2),
            }
        if self.rerouted:
            found["instead_of"] = {"model": self.model, "reason": self.rerouted.reason}
        if self.failure:
            failure = self.failure
            found["error"] = {"code": failure.code, "message": failure.message, "remedy": failure.remedy}
        return json.dumps(found)

    def end_line(self) -> None:
        """Leaves the cursor at the beginning of a line."""
        text = "".join(self.text)
        if text and not text.endswith("\n"):
            click.echo()


async def print_answer(
    events: AsyncIterator[ExchangeEvent], answer: Answer, waiting: WaitingLine, *, show: bool
) -> None:
    """Takes an exchange in, to its end; with ``show`` its text goes to standard output as it comes."""
    cleaner = StreamCleaner()
    try:
        async for event in events:
            match event:
                case Waiting():
                    waiting.show(event)
                case RecalledNow(passages):
                    waiting.clear()
                    recalled = f"Recalled from {_origins(passages)}." if passages else "It stays on this machine."
                    click.echo(clean(recalled), err=True)
                case RecallFailed(reason):
                    waiting.clear()
                    click.echo(clean(f"Nothing is recalled: {reason}"), err=True)
                case LeftOut(messages):
                    waiting.clear()
                    left = counted(messages, "message")
                    click.echo(
                        f"The conversation is longer than the model can read: its first {left} are left out.", err=True
                    )
                case Rerouted(model, next_model, reason):
                    waiting.clear()
                    answer.rerouted = event
                    click.echo(clean(f"{model} cannot answer, so {next_model} is asked: {reason}"), err=True)
                case ThinkingArrived(text):
                    answer.thinking.append(text)
                case TextArrived(text):
                    waiting.clear()
                    answer.text.append(text)
                    if show:
                        click.echo(cleaner.feed(text), nl=False)
                case AnswerEnded(node):
                    answer.node, answer.failure = node, node.error
                case _:
                    pass
    finally:
        waiting.clear()
        if show:
            click.echo(cleaner.finish(), nl=False)


def _origins(passages: Sequence[Recalled]) -> str:
    """The conversations and posts that passages come from, each once."""
    titles = dict.fromkeys(passage.title or "an untitled conversation" for passage in passages)
    return ", ".join(f"“{shortened(title, 40)}”" for title in titles)


class WaitingLine:
    """Says on a terminal why nothing has come yet, and leaves no trace."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled and sys.stderr.isatty()
        self._painted = ""

    def show(self, waiting: Waiting) -> None:
        """What is waited for now."""
        share = f" {waiting.done / waiting.total:.0%}" if waiting.total else ""
        if waiting.stage == "retrying":
            share = f", {waiting.done} of {waiting.total} tries failed"
        words = _WAITING[waiting.stage] + share
        if self._enabled and words != self._painted:
            self._painted = words
            click.echo(f"\r\x1b[K{words}…", err=True, nl=False)

    def clear(self) -> None:
        """Takes it away."""
        if self._painted:
            self._painted = ""
            click.echo("\r\x1b[K", err=True, nl=False)
