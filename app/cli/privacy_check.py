"""``playground doctor --privacy``: tries to break out and tells what stopped each try."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from app.engine.process.worker_process import WORKER_COMMAND
from app.playground import Playground
from app.privacy.terminal import clean

if TYPE_CHECKING:
    from app.privacy.breakout import Attempt

_BY = {
    "router": "stopped by the router",
    "guard": "stopped by the guard",
    "kernel": "stopped by the kernel",
    "library": "stopped by the library's own setting",
    "no network": "not stopped; there is no way out here",
    "nothing": "not stopped",
}


async def check_privacy(playground: Playground, target: str | None, *, as_json: bool) -> bool:
    """Prints every try; gives whether all that should hold does.

    Args:
        playground: the open program.
        target: ``HOST:PORT`` with a number for the host, instead of an address that is nobody's.
        as_json: prints one JSON object.

    Raises:
        click.BadParameter: when the target is none.
    """
    from app.privacy.breakout import Target, break_out
    from app.privacy.sealed import is_sealed

    try:
        host, _, port = (target or "").rpartition(":")
        where = Target(host, int(port)) if target else Target()
    except ValueError:
        raise click.BadParameter(f"{target!r} is not HOST:PORT") from None
    local_only, sealed = playground.policy.local_only, is_sealed()
    attempts = await break_out(playground.policy, WORKER_COMMAND, where)
    if as_json:
        told = [{**asdict(attempt), "holds": attempt.holds} for attempt in attempts]
        click.echo(json.dumps({"local_only": local_only, "sealed": sealed, "attempts": told}))
    else:
        click.echo(_heading(local_only=local_only, sealed=sealed))
        for attempt in attempts:
            _print(attempt)
        click.echo(_closing(attempts, local_only=local_only, sealed=sealed))
    return all(attempt.holds for attempt in attempts)


def _heading(*, local_only: bool, sealed: bool) -> str:
    mode = "Local-only mode is on" if local_only else "Local-only mode is off: what is tried below may go out"
    return f"{mode}{', and the program is sealed' if sealed else ''}.\n"


def _print(attempt: Attempt) -> None:
    stopped = attempt.by not in ("nothing", "no network")
    mark, colour = ("✓", "green") if stopped else ("·", "yellow") if attempt.holds else ("✗", "red")
    click.secho(mark, fg=colour, nl=False)
    click.echo(clean(f" {attempt.what:<44}  {_BY[attempt.by]}"))
    click.echo(clean(f"    {attempt.found}"))


def _closing(attempts: list[Attempt], *, local_only: bool, sealed: bool) -> str:
    broken = sum(not attempt.holds for attempt in attempts)
    if broken:
        return f"\n{broken} of {len(attempts)} tries got through what should have stopped them. Please report this."
    if not local_only:
        return "\nTry it again with --local-only: playground --local-only doctor --privacy"
    if sealed:
        return "\nNothing got out, and the kernel gives this program and all that it starts no network."
    return (
        "\nNothing of ours got out. Other programs that are started from here, such as your editor, and native code"
        "\nthat makes sockets past Python are kept in by the kernel alone: playground --sealed doctor --privacy"
    )
