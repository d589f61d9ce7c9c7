"""``playground compare`` and ``playground debate``: one question, several models."""

from __future__ import annotations

import json
import sys
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from app.messages import ChatRequest, Message, Sampling
from app.playground import Playground
from app.privacy.terminal import clean

from .fetching import chat_model, fetch
from .question import piped_text, question, whole
from .session import Session, report, reporting_errors
from .tables import table
from .unlocking import unlocked

if TYPE_CHECKING:
    from app.lab.debate import Debate, Turn
    from app.lab.lane import Cost, Lane

_PARTS = {"opening": "opens", "criticism": "criticises", "position": "concludes", "judgement": "judges"}


@click.command()
@click.argument("prompt", nargs=-1)
@click.option("-m", "--model", "models", multiple=True, required=True, help="Give it for each model.")
@click.option("--system", help="Instructions that stand before the question.")
@click.option("--temperature", type=click.FloatRange(0, 2))
@click.option("--max-tokens", type=click.IntRange(1))
@click.option("--seed", type=int)
@click.option("--at-once", is_flag=True, help="Let models of this machine answer together, each slower for it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
@reporting_errors
def compare(
    session: Session,
    prompt: tuple[str, ...],
    models: tuple[str, ...],
    system: str | None,
    temperature: float | None,
    max_tokens: int | None,
    seed: int | None,
    at_once: bool,
    as_json: bool,
) -> None:
    """Ask several models PROMPT, and show how each answers: what, how fast, for how much.

    What is piped in is read too. Models of this machine answer one after another, so that each is as fast as it is.
    """
    asked = question(" ".join(prompt), piped_text())
    sampling = Sampling(temperature=temperature, max_tokens=max_tokens, seed=seed)
    messages = (*((Message.system(whole(system)),) if system else ()), Message.user(asked))

    async def compared(playground: Playground) -> int:
        from app.lab.lane import Lane
        from app.lab.side_by_side import side_by_side

        names = tuple(dict.fromkeys(models))
        await _ready(playground, names)
        lanes = [Lane(name, _cost(playground)) for name in names]
        requests = [(lane, ChatRequest(model=lane.model, messages=messages, sampling=sampling)) for lane in lanes]
        async with aclosing(side_by_side(playground.router, requests, in_turn=not at_once)) as changes:
            async for lane in changes:
                if lane.over and not as_json:
                    _show(lane, clean(lane.model))
        if as_json:
            click.echo(json.dumps({"answers": [_as_json(lane) for lane in lanes]}))
        else:
            click.echo(_figures(lanes))
        return 1 if all(lane.error is not None for lane in lanes) else 0

    sys.exit(session.run(compared))


@click.command()
@click.argument("prompt", nargs=-1)
@click.option("-m", "--model", "models", multiple=True, required=True, help="Two to five; give it for each.")
@click.option("--judge", help="Who sums up; the first model when not given.")
@click.option("--rounds", type=click.IntRange(1, 4), default=1, show_default=True, help="Of criticism.")
@click.option("--max-tokens", type=click.IntRange(1), default=300, show_default=True, help="Of each turn.")
@click.option("--no-keep", is_flag=True, help="Do not keep the transcript among the sessions.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
@reporting_errors
def debate(
    session: Session,
    prompt: tuple[str, ...],
    models: tuple[str, ...],
    judge: str | None,
    rounds: int,
    max_tokens: int,
    no_keep: bool,
    as_json: bool,
) -> None:
    """Let two to five models argue PROMPT: each opens, criticises the others, concludes; a judge sums up.

    The transcript is kept as a session, where you can go on asking.
    """
    asked = question(" ".join(prompt), piped_text())

    async def debated(playground: Playground) -> int:
        from app.lab.debate import Debate

        judging = judge or models[0]
        debate = Debate(
            playground.router,
            asked,
            models,
            judging,
            rounds=rounds,
            sampling=Sampling(max_tokens=max_tokens),
            cost=_cost(playground),
        )
        await _ready(playground, tuple(dict.fromkeys((*models, judging))))
        vault = None if no_keep else await unlocked(playground)
        try:
            await _follow(debate, show=not as_json)
        finally:
            kept = None
            if vault is not None and debate.turns:
                from app.lab.transcript import transcript

                kept = (await vault.sessions.add(transcript(debate))).id
        if as_json:
            turns = [{"part": turn.part, "round": turn.round, **_as_json(turn.lane)} for turn in debate.turns]
            click.echo(json.dumps({"question": debate.question, "session": kept, "turns": turns}))
        elif kept is not None:
            click.echo(f"Kept; to go on: playground chat --session {kept[:8]}", err=True)
        return 1 if debate.turns[-1].lane.error is not None else 0

    sys.exit(session.run(debated))


async def _follow(debate: Debate, *, show: bool) -> None:
    async with aclosing(debate.run()) as turns:
        async for turn in turns:
            if turn.lane.over and show:
                _show(turn.lane, _title(turn))


def _title(turn: Turn) -> str:
    again = f", round {turn.round}" if turn.part == "criticism" and turn.round > 1 else ""
    return f"{clean(turn.model)} {_PARTS[turn.part]}{again}"


async def _ready(playground: Playground, names: tuple[str, ...]) -> None:
    """Fetches what is missing, and finds mistakes in names before anybody is asked."""
    here = [chat_model(playground, name) for name in names if not playground.router.is_remote(name)]
    for entry in here:
        await fetch(playground, entry)


def _cost(playground: Playground) -> Cost:
    from app.routing.around import price

    return partial(price, playground.router)


def _show(lane: Lane, title: str) -> None:
    click.secho(f"── {title}", bold=True, fg="green" if sys.stdout.isatty() else None)
    text = clean(lane.text).strip("\n")
    if text:
        click.echo(text)
    if lane.error is not None:
        report(lane.error)
    click.echo()


def _figures(lanes: list[Lane]) -> str:
    head = ("Model", "Tokens", "Tokens/s", "First token", "Cost")
    rows = [
        (
            clean(lane.answered_by),
            str(lane.tokens) if lane.finished is not None else "failed",
            f"{lane.tokens_per_second:.1f}" if lane.tokens_per_second else "-",
            f"{lane.first_token_s:.2f} s" if lane.first_token_s is not None else "-",
            f"${lane.cost:.4f}" if lane.cost is not None else "-",
        )
        for lane in lanes
    ]
    return table(head, rows, right=frozenset({1, 2, 3, 4}))


def _as_json(lane: Lane) -> dict[str, Any]:
    error = lane.error
    return {
        "model": lane.model,
        "answered_by": lane.answered_by,
        "answer": lane.text,
        "thinking": lane.thoughts or None,
        "tokens": lane.tokens or None,
        "tokens_per_second": round(lane.tokens_per_second, 2) or None,
        "first_token_s": None if lane.first_token_s is None else round(lane.first_token_s, 4),
        "cost": lane.cost,
        "error": None if error is None else {"code": error.code, "message": error.message, "remedy": error.remedy},
    }
