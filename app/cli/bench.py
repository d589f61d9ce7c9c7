"""``playground bench``: how fast a model answers on this machine."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import aclosing
from dataclasses import asdict, dataclass

import click

from app.errors import EngineError
from app.messages import ChatRequest, Finished, Message, Sampling
from app.playground import Playground

from .fetching import chat_model, fetch
from .session import Session, reporting_errors
from .tables import table

_ANSWER_TOKENS = 64
_STREAMS = (1, 4)
_LONG_PROMPT = "The keeper of the lighthouse wrote down what the sea brought in. " * 30


@dataclass(frozen=True)
class Speed:
    """Answers side by side, and what they reached together."""

    streams: int
    tokens_per_second: float
    seconds_to_first_token: float


@click.command()
@click.option("-m", "--model", help="The model to measure; `playground models list` shows them.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
@reporting_errors
def bench(session: Session, model: str | None, as_json: bool) -> None:
    """Measure a model on this machine: reading a prompt, and writing one and four answers at once."""

    async def measure(playground: Playground) -> None:
        name = model or playground.settings.models.default
        await fetch(playground, chat_model(playground, name))
        began = time.perf_counter()
        loaded = (await playground.pool.load(name)).loaded
        load_seconds = time.perf_counter() - began
        first = await _ask(playground, name, _LONG_PROMPT, 1)
        prompt_speed = first.usage.prompt_tokens / first.timings.prefill if first.timings.prefill else 0.0
        speeds = [await _side_by_side(playground, name, streams) for streams in _STREAMS]
        if as_json:
            facts = {"model": name, "device": loaded.device, "load_seconds": round(load_seconds, 3)}
            speed = {"prompt_tokens_per_second": round(prompt_speed, 1), "streams": [asdict(speed) for speed in speeds]}
            click.echo(json.dumps(facts | speed))
            return
        click.echo(f"{name} on {loaded.device}, loaded in {load_seconds:.1f} s")
        click.echo(f"Reads {prompt_speed:.0f} tokens a second\n")
        rows = [
            (str(speed.streams), f"{speed.tokens_per_second:.1f}", f"{speed.seconds_to_first_token * 1000:.0f} ms")
            for speed in speeds
        ]
        click.echo(table(("Answers at once", "Tokens/s", "First token"), rows, right=frozenset({0, 1, 2})))

    session.run(measure)


async def _ask(playground: Playground, model: str, prompt: str, tokens: int) -> Finished:
    request = ChatRequest(
        model=model, messages=(Message.user(prompt),), sampling=Sampling(temperature=0.8, seed=1, max_tokens=tokens)
    )
    async with aclosing(playground.router.stream(request)) as deltas:
        async for delta in deltas:
            if isinstance(delta, Finished):
                return delta
    raise EngineError("The answer ended without its last word.")


async def _side_by_side(playground: Playground, model: str, streams: int) -> Speed:
    began = time.perf_counter()
    answers = await asyncio.gather(
        *(
            _ask(playground, model, f"Write a long story about the number {number}.", _ANSWER_TOKENS)
            for number in range(streams)
        )
    )
    took = time.perf_counter() - began
    tokens = sum(answer.usage.completion_tokens for answer in answers)
    first = max(answer.timings.queued + answer.timings.prefill for answer in answers)
    return Speed(streams, round(tokens / took, 2), round(first, 4))
