"""``playground serve``: other programs' way to the models."""

from __future__ import annotations

import asyncio
import signal

import click

from app.errors import SettingsError
from app.playground import Playground

from .session import Session, reporting_errors


@click.command()
@click.option("--host", help="The address to listen on; 127.0.0.1 lets in programs on this machine alone.")
@click.option("--port", type=click.IntRange(0, 65_535), help="0 takes a free one.  [8137]")
@click.option("--no-auth", is_flag=True, help="Ask for no key. For this machine alone.")
@click.pass_obj
@reporting_errors
def serve(session: Session, host: str | None, port: int | None, no_auth: bool) -> None:
    """Answer programs written for OpenAI, Anthropic, Ollama or llama.cpp by your own models."""
    session.run(lambda playground: _serve(playground, host, port, no_auth))


async def _serve(playground: Playground, host: str | None, port: int | None, no_auth: bool) -> None:
    from app.server.app import build
    from app.server.services import Services
    from app.server.serving import Serving, listen, loopback

    chosen = playground.settings.server
    host = host or chosen.host
    if no_auth and not loopback(host):
        raise SettingsError(
            f"Without keys the server listens on this machine alone, and {host} is open to others.",
            "Leave out --no-auth, or --host.",
        )
    app = build(Services.of(playground))
    serving = Serving(app, listen(host, chosen.port if port is None else port), shutdown_s=chosen.shutdown_s)
    for line in _lines(serving.address, "none"):
        click.echo(line)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, serving.stop)
    await serving.run()


def _lines(address: str, key: str) -> tuple[str, ...]:
    """What a person pastes into a shell."""
    return (
        f"OPENAI_BASE_URL={address}/v1",
        f"OPENAI_API_KEY={key}",
        f"ANTHROPIC_BASE_URL={address}",
        f"ANTHROPIC_API_KEY={key}",
    )
