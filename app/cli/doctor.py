"""``playground doctor``: what works here, and how to mend what does not."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

import click

from app import __version__
from app.engine.fitting import place
from app.playground import Playground
from app.privacy.terminal import clean

from .fetching import megabytes
from .session import Session, reporting_errors

_SECRET_WORDS = ("key", "token", "password", "secret", "passphrase")
_LEAST_FREE_BYTES = 1_000_000_000
_MARKS = {"good": ("✓", "green"), "note": ("·", "yellow"), "broken": ("✗", "red")}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``remedy`` says how to mend it."""

    subject: str
    state: Literal["good", "note", "broken"]
    found: str
    remedy: str = ""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
@reporting_errors
def doctor(session: Session, as_json: bool) -> None:
    """Check this machine and show where every setting comes from."""

    async def examined(playground: Playground) -> list[Finding]:
        return [
            *_program(),
            *_folders(playground),
            *await _engine(playground),
            *_models(playground),
            _network(playground),
        ]

    findings = session.run(examined)
    settings = _settings(session.open())
    if as_json:
        click.echo(json.dumps({"findings": [asdict(finding) for finding in findings], "settings": settings}))
    else:
        _print(findings, settings)
    sys.exit(any(finding.state == "broken" for finding in findings))


def _program() -> Iterator[Finding]:
    yield Finding("Playground", "good", f"{__version__} on Python {platform.python_version()}, {platform.platform()}")
    terminal = os.environ.get("TERM", "")
    if terminal in ("", "dumb"):
        yield Finding("Terminal", "note", f"TERM is {terminal!r}", "Use a terminal with colours for the interface.")
    else:
        colours = os.environ.get("COLORTERM") or "16 to 256 colours"
        yield Finding("Terminal", "good", f"{terminal}, {colours}")


def _folders(playground: Playground) -> Iterator[Finding]:
    folders = playground.folders
    for name, folder in (("Settings", folders.config), ("Data", folders.data), ("Models", folders.models)):
        free = shutil.disk_usage(folder).free
        words = f"{folder}, {megabytes(free)} free"
        if not os.access(folder, os.W_OK):
            yield Finding(name, "broken", f"{folder} cannot be written", "Give yourself the right, or move it.")
        elif free < _LEAST_FREE_BYTES:
            yield Finding(name, "note", words, "Make room before you fetch another model.")
        else:
            yield Finding(name, "good", words)


async def _engine(playground: Playground) -> list[Finding]:
    hardware = await playground.pool.hardware()
    if hardware.problem:
        return [Finding("Engine", "broken", hardware.problem, "Run scripts/playground again to build it afresh.")]
    engine = playground.settings.engine
    chosen = place(hardware, None, context=engine.context, device=engine.device, gpu_layers=engine.gpu_layers)
    memory = hardware.memory
    return [
        Finding("Engine", "good", f"llama-cpp-python {hardware.llama_cpp}, {hardware.system_info.strip(' |')}"),
        *(
            Finding("Device", "good", f"{device.name}: {device.description}, {megabytes(device.total_bytes)}")
            for device in hardware.devices
        ),
        Finding("Chosen", "good", f"{chosen.device}: {chosen.reason}"),
        Finding(
            "Memory",
            "good",
            f"{megabytes(memory.available)} of {megabytes(memory.total)} available, {hardware.cores} cores",
        ),
    ]


def _models(playground: Playground) -> Iterator[Finding]:
    default = playground.settings.models.default
    entry = playground.catalogue.get(default)
    if playground.store.path_of(entry) is None:
        yield Finding("Model", "note", f"{default} is not here yet", f"Run: playground models pull {default}")
    else:
        yield Finding("Model", "good", f"{default} is here")
    others = [e.name for e in playground.catalogue.entries if e.name != default and playground.store.path_of(e)]
    if others:
        yield Finding("Models", "good", f"also here: {', '.join(others)}")


def _network(playground: Playground) -> Finding:
    if playground.settings.privacy.local_only:
        return Finding("Network", "good", "local-only mode: downloads and remote models are refused")
    return Finding("Network", "note", "downloads are allowed; nothing else leaves the machine", "")


def _settings(playground: Playground) -> dict[str, dict[str, object]]:
    """Every effective value with its origin; what may be secret is masked."""
    found: dict[str, dict[str, object]] = {}
    for key, origin in playground.loaded.origins.items():
        section, _, name = key.partition(".")
        value = getattr(getattr(playground.settings, section), name)
        secret = any(word in name.split("_") for word in _SECRET_WORDS)
        found[key] = {"value": "••••" if secret and value else value, "from": str(origin)}
    return found


def _print(findings: list[Finding], settings: dict[str, dict[str, object]]) -> None:
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        mark, colour = _MARKS[finding.state]
        click.secho(mark, fg=colour, nl=False)
        click.echo(clean(f" {finding.subject:<{width}}  {finding.found}"))
        if finding.remedy:
            click.echo(f"  {'':<{width}}  {finding.remedy}")
    click.echo("\nSettings")
    widest = max(map(len, settings))
    for key, entry in settings.items():
        click.echo(clean(f"  {key:<{widest}}  {entry['value']!s:<18}  {entry['from']}"))
