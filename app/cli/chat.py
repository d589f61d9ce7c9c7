"""``playground chat``: one question, one answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

import click

from app.errors import PlaygroundError
from app.messages import (
    ChatRequest,
    Finished,
    Message,
    Sampling,
    Started,
    TextDelta,
    ThinkingDelta,
    Waiting,
)
from app.playground import Playground
from app.privacy.terminal import StreamCleaner

from .fetching import fetch
from .question import piped_text, question, response_format, whole
from .session import INTERRUPTED, Session, report, reporting_errors


@dataclass
class Answer:
    """What has come of an answer so far."""

    model: str
    text: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)
    started: Started | None = None
    finished: Finished | None = None
    error: PlaygroundError | None = None

    def as_json(self) -> str:
        """One object for programs; everything beyond ASCII is escaped, so a terminal cannot be commanded by it."""
        done = self.finished
        reason = done.reason if done else "error" if self.error else "cancelled"
        found: dict[str, object] = {
            "model": self.model,
            "answer": "".join(self.text),
            "thinking": "".join(self.thinking) or None,
            "finish_reason": reason,
        }
        if done:
            found["usage"] = {
                "prompt_tokens": done.usage.prompt_tokens,
                "completion_tokens": done.usage.completion_tokens,
                "cached_tokens": done.usage.cached_tokens,
            }
            found["timings"] = {
                "time_to_first_token_s": round(done.timings.queued + done.timings.prefill, 4),
                "tokens_per_second": round(done.timings.tokens_per_second(done.usage.completion_tokens), 2),
            }
        if self.error:
            found["error"] = {"code": self.error.code, "message": self.error.message, "remedy": self.error.remedy}
        return json.dumps(found)


@click.command()
@click.argument("prompt", nargs=-1)
@click.option("-m", "--model", help="The model that answers; `playground models list` shows them.")
@click.option("-s", "--system", help="Instructions that hold for the answer.")
@click.option("--temperature", type=click.FloatRange(min=0), help="0 is the likeliest answer; higher is more varied.")
@click.option(
    "--top-p",
    type=click.FloatRange(0, 1, min_open=True),
    help="Choose among the likeliest tokens of this total probability.",
)
@click.option("--max-tokens", type=click.IntRange(min=1), help="End the answer after this many tokens.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="The same seed gives the same answer.")
@click.option("--stop", multiple=True, help="End the answer before this text; may be given more than once.")
@click.option("--json-schema", type=click.Path(path_type=Path), help="A JSON schema that the answer must fit.")
@click.option("--grammar", type=click.Path(path_type=Path), help="A GBNF grammar that the answer must fit.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object when the answer is whole.")
@click.pass_obj
@reporting_errors
def chat(
    session: Session,
    prompt: tuple[str, ...],
    model: str | None,
    system: str | None,
    temperature: float | None,
    top_p: float | None,
    max_tokens: int | None,
    seed: int | None,
    stop: tuple[str, ...],
    json_schema: Path | None,
    grammar: Path | None,
    as_json: bool,
) -> None:
    """Answer PROMPT once. What is piped in is read too: git diff | playground chat "review this"."""
    form = response_format(json_schema, grammar)
    asked = Message.user(question(" ".join(prompt), piped_text()))
    messages = (Message.system(whole(system)), asked) if system else (asked,)
    stops = tuple(map(whole, stop))
    sampling = Sampling(temperature=temperature, top_p=top_p, max_tokens=max_tokens, seed=seed, stop=stops)

    async def ask(playground: Playground) -> int:
        name = model or playground.settings.models.default
        request = ChatRequest(model=name, messages=messages, sampling=sampling, response_format=form)
        return await _answer(playground, request, as_json=as_json)

    sys.exit(session.run(ask))


async def _answer(playground: Playground, request: ChatRequest, *, as_json: bool) -> int:
    answer = Answer(request.model)
    interrupted = False
    try:
        async with _cancelled_by_interrupt():
            await fetch(playground, playground.catalogue.get(request.model))
            await _stream(playground, request, answer, show=not as_json)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        interrupted = True
    except PlaygroundError as error:
        if not as_json:
            _end_line(answer)
            raise
        report(error)
        answer.error = error
    if as_json:
        click.echo(answer.as_json())
    else:
        _end_line(answer)
    return INTERRUPTED if interrupted else 1 if answer.error else 0


async def _stream(playground: Playground, request: ChatRequest, answer: Answer, *, show: bool) -> None:
    cleaner = StreamCleaner()
    waiting = _WaitingLine(enabled=show and sys.stderr.isatty())
    try:
        async with aclosing(playground.router.stream(request)) as deltas:
            async for delta in deltas:
                match delta:
                    case Waiting():
                        waiting.show(delta)
                    case Started():
                        answer.started = delta
                    case ThinkingDelta(text):
                        answer.thinking.append(text)
                    case TextDelta(text):
                        waiting.clear()
                        answer.text.append(text)
                        if show:
                            click.echo(cleaner.feed(text), nl=False)
                    case Finished():
                        answer.finished = delta
    finally:
        waiting.clear()
        if show:
            click.echo(cleaner.finish(), nl=False)


def _end_line(answer: Answer) -> None:
    text = "".join(answer.text)
    if text and not text.endswith("\n"):
        click.echo()


class _WaitingLine:
    """Says on a terminal why nothing has come yet, and leaves no trace."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled
        self._painted = ""

    def show(self, waiting: Waiting) -> None:
        share = f" {waiting.done / waiting.total:.0%}" if waiting.total else ""
        words = {"loading": "Loading the model", "queued": "Waiting", "prefill": "Reading"}[waiting.stage] + share
        if self._enabled and words != self._painted:
            self._painted = words
            click.echo(f"\r\x1b[K{words}…", err=True, nl=False)

    def clear(self) -> None:
        if self._painted:
            self._painted = ""
            click.echo("\r\x1b[K", err=True, nl=False)


@contextlib.asynccontextmanager
async def _cancelled_by_interrupt() -> AsyncIterator[None]:
    """Makes Ctrl-C cancel this task alone, so that what came before can still be told."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    loop.add_signal_handler(signal.SIGINT, task.cancel)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
