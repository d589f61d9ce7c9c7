"""``playground web``: the terminal interface in a browser on this machine."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

import click

from .session import Session, reporting_errors

if TYPE_CHECKING:
    import socket

    from app.playground import Playground

_PORT = 8138


@click.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=_PORT, show_default=True, help="0 takes a free one.")
@click.pass_obj
@reporting_errors
def web(session: Session, port: int) -> None:
    """Show the terminal interface in a browser on this machine.

    Prints an address. Whoever knows it can use the program, so it is made anew each time, and only this machine can
    reach it; from another, use a tunnel: ssh -L 8138:127.0.0.1:8138 HOST.
    """
    # Opened here, too: its settings decide what the programs in the pages inherit.
    session.run(lambda playground: _show(playground, port))


async def _show(playground: Playground, port: int) -> None:
    from app.server.serving import listen

    listening = listen("127.0.0.1", port)
    try:
        await _answer(playground, listening)
    finally:
        listening.close()


async def _answer(playground: Playground, listening: socket.socket) -> None:
    from app.server.serving import Serving
    from app.server.web.app import WebTerminals

    command = [sys.executable, "-m", "app", *(["--local-only"] if playground.policy.local_only else [])]
    terminals = WebTerminals(command, playground.environ)
    access = playground.settings.access
    serving = Serving(terminals, listening, shutdown_s=1.0, head_s=access.head_s, head_bytes=access.head_bytes)
    # Printed alone: handed to a browser's command line, other people of this machine could read the key there.
    click.echo(serving.address + terminals.path)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, serving.stop)
    await serving.run()
