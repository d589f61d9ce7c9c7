"""``playground serve``: other programs' way to the models."""

from __future__ import annotations

import asyncio
import shlex
import signal
import time
from typing import TYPE_CHECKING

import click

from app.errors import VaultError, VaultLockedError
from app.playground import Playground
from app.privacy.terminal import clean

from .session import Session, reporting_errors
from .unlocking import unlocked

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

_KEY_NAME = "playground serve"


@click.command()
@click.option("--host", help="The address to listen on; 127.0.0.1 lets in programs on this machine alone.")
@click.option("--port", type=click.IntRange(0, 65_535), help="0 takes a free one.  [8137]")
@click.option("--no-auth", is_flag=True, help="Ask for no key. For this machine alone.")
@click.pass_obj
@reporting_errors
def serve(session: Session, host: str | None, port: int | None, no_auth: bool) -> None:
    """Answer programs written for OpenAI, Anthropic, Ollama or llama.cpp by your own models.

    Prints what to paste into a shell: addresses, and a key. `playground keys` makes keys for good.
    """
    session.run(lambda playground: _serve(playground, host, port, no_auth))


async def _serve(playground: Playground, host: str | None, port: int | None, no_auth: bool) -> None:
    from app.server.serving import listen

    chosen = playground.settings.server
    host = host or chosen.host
    # First: a key that is made for a server which cannot listen would never be shown.
    listening = listen(host, chosen.port if port is None else port)
    try:
        await _answer(playground, listening, host, no_auth)
    finally:
        listening.close()


async def _answer(playground: Playground, listening: socket.socket, host: str, no_auth: bool) -> None:
    from app.server.app import build
    from app.server.auth.keys import VARIABLE
    from app.server.gate.gate import GateParts
    from app.server.observing.parts import Observing
    from app.server.services import Services
    from app.server.serving import Serving, settle_memory

    chosen = playground.settings.server
    playground.pool.gives_way = False  # nobody types here, and who asks should not wait for a lesser process
    key, environ = ("none", playground.environ) if no_auth else await _key(playground)
    if no_auth:
        await _open_for_notes(playground)
    gate = GateParts.of(playground.vault, playground.settings, environ, policy=playground.policy, no_auth=no_auth)
    services = Services.of(playground)
    fixed = playground.environ.get(VARIABLE, "").strip(", ")
    observing = Observing.start(services, playground.folders.logs, needs_vault=not (no_auth or fixed), environ=environ)
    try:
        await gate.require_safe(host)
        app = build(services, gate=gate.around, observing=observing)
        access = playground.settings.access
        serving = Serving(
            app,
            listening,
            shutdown_s=chosen.shutdown_s,
            head_s=access.head_s,
            head_bytes=access.head_bytes,
        )
        for line in _lines(serving.address, key):
            click.echo(line)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, serving.stop)
        settle_memory()
        await serving.run()
    finally:
        await gate.aclose()
        await observing.aclose()


async def _open_for_notes(playground: Playground) -> None:
    """Opens the vault where it opens by itself: nobody's key needs it, but what was asked is noted there."""
    if playground.vault.state != "locked":
        return
    try:
        await playground.vault.open()
    except VaultError as error:
        click.echo(f"Requests are not noted while the vault is closed: {clean(error.message)}", err=True)


async def _key(playground: Playground) -> tuple[str, Mapping[str, str]]:
    """A key to show, and the environment that the gate is to see.

    The first key is kept, hashed, so it can be shown once only. Where there is one already, another is made that opens
    until the server ends: what is printed can always be pasted.
    """
    from app.server.auth.keys import VARIABLE
    from app.vault.access.api_keys import new_secret

    fixed = playground.environ.get(VARIABLE, "")
    try:
        vault = await unlocked(playground)
    except VaultLockedError as error:
        if not fixed:
            raise
        click.echo(f"Keys of the vault do not open until it does: {clean(error.message)}", err=True)
    else:
        now = time.time()
        if not fixed and not any(key.valid_at(now) for key in await vault.api_keys.list()):
            _kept, made = await vault.api_keys.create(_KEY_NAME, scopes=("chat", "embed"))
            click.echo(
                "This key is new and stays valid. It is shown this once; `playground keys` makes more.", err=True
            )
            return made, playground.environ
    made = new_secret()
    click.echo("This key opens until the server ends; your other keys open too.", err=True)
    return made, {**playground.environ, VARIABLE: ",".join(filter(None, (fixed, made)))}


def _lines(address: str, key: str) -> tuple[str, ...]:
    """What a person pastes into a shell; exported, since a program started there sees nothing else."""
    told = {
        "OPENAI_BASE_URL": f"{address}/v1",
        "OPENAI_API_KEY": key,
        "ANTHROPIC_BASE_URL": address,
        "ANTHROPIC_API_KEY": key,
    }
    return tuple(f"export {name}={shlex.quote(value)}" for name, value in told.items())
