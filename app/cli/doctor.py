"""``playground doctor``: what works here, and how to mend what does not."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import click

from app import __version__
from app.engine.fitting import place, shape_of
from app.engine.window import planned
from app.errors import IntegrityError, PlaygroundError
from app.playground import Playground
from app.privacy.terminal import clean

from .fetching import megabytes
from .session import Session, reporting_errors
from .tables import counted, moment
from .unlocking import PROTECTED_BY, protection_of

if TYPE_CHECKING:
    from app.engine.catalogues.catalogue import ModelEntry
    from app.engine.hardware import Hardware

_OUTSIDE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses that belong to nobody (RFC 5737, RFC 3849)."""

_SECRET_WORDS = ("key", "token", "password", "secret", "passphrase", "redis")
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
@click.option("--privacy", is_flag=True, help="Try to break out of this machine, and tell what stopped each try.")
@click.option("--target", metavar="HOST:PORT", help="With --privacy: the address to try to reach.  [nobody's]")
@click.pass_obj
@reporting_errors
def doctor(session: Session, as_json: bool, privacy: bool, target: str | None) -> None:
    """Check this machine and show where every setting comes from."""
    if privacy:
        from .privacy_check import check_privacy

        sys.exit(not session.run(lambda playground: check_privacy(playground, target, as_json=as_json)))

    async def examined(playground: Playground) -> tuple[list[Finding], dict[str, dict[str, object]]]:
        findings = [
            *_program(),
            *_folders(playground),
            *await _engine(playground),
            *[found async for found in _models(playground)],
            *(Finding("Remote models", "note", warning) for warning in playground.warnings),
            *_vault(playground),
            await _microphone(playground),
            _network(playground, remote=any(line.remote for line in await playground.router.listing())),
        ]
        return findings, _settings(playground)

    findings, settings = session.run(examined)
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
    memory = hardware.memory
    room = f"{megabytes(memory.available)} of {megabytes(memory.total)} available, {hardware.cores} cores"
    return [
        Finding("Engine", "good", f"llama-cpp-python {hardware.llama_cpp}, {hardware.system_info.strip(' |')}"),
        Finding("Acceleration", "good", "built in" if hardware.gpu_offload else "not built in: models run on the CPU"),
        *(
            Finding("Device", "good", f"{device.name}: {device.description}, {megabytes(device.total_bytes)}")
            for device in hardware.devices
        ),
        await _chosen(playground, hardware),
        Finding("Memory", "good", room),
    ]


async def _chosen(playground: Playground, hardware: Hardware) -> Finding:
    """Where the default model would run, fitted to its own layers when its file is here."""
    engine = playground.settings.engine
    entry = _default(playground)
    path = playground.store.path_of(entry) if entry else None
    shape = None
    if path is not None:
        try:
            shape = await asyncio.to_thread(shape_of, path)
        except (IntegrityError, OSError) as error:
            return Finding("Chosen", "broken", f"{path.name} cannot be read: {error}", "Run: playground models verify")
    layers = entry.gpu_layers if entry and entry.gpu_layers is not None else engine.gpu_layers
    chosen = place(
        hardware,
        shape,
        context=planned(entry, engine, shape.trained_context if shape else 0).tokens if entry else engine.context,
        device=(entry.device if entry else None) or engine.device,
        gpu_layers=layers,
    )
    return Finding("Chosen", "good", f"{chosen.device}: {chosen.reason}")


def _default(playground: Playground) -> ModelEntry | None:
    name = playground.settings.models.default
    return next((entry for entry in playground.catalogue.entries if entry.name == name), None)


async def _models(playground: Playground) -> AsyncIterator[Finding]:
    """The default model and those that are here, each checked as it is before it is loaded."""
    default = playground.settings.models.default
    entry = _default(playground)
    if entry is None:
        yield Finding(
            "Model",
            "broken",
            f"the default model {default!r} is in no catalogue",
            "Set models.default to a name that `playground models list` shows.",
        )
    elif playground.store.path_of(entry) is None:
        yield Finding("Model", "note", f"{default} is not here yet", f"Run: playground models pull {default}")
    for here in playground.store.local_entries(playground.catalogue):
        try:
            await playground.store.ready(here)
        except PlaygroundError as error:
            yield Finding("Model", "broken", error.message, f"Run: playground models pull {here.name}")
        else:
            digest = "its digest is the catalogue's" if here.sha256 else "its digest is that of the first download"
            yield Finding("Model", "good", f"{here.name} is here and sound; {digest}")


def _vault(playground: Playground) -> Iterator[Finding]:
    """What protects what is kept, seen from outside: it is not opened, so nothing is asked."""
    vault = playground.vault
    try:
        protection = protection_of(vault)
    except PlaygroundError as error:
        yield Finding("Vault", "broken", error.message, error.remedy)
        return
    words, _, remedy = PROTECTED_BY[protection].partition(". ")
    if protection is None:
        yield Finding("Vault", "good", "none yet: nothing was kept so far")
        return
    if protection == "file":
        yield Finding("Vault", "note", words, remedy)
    else:
        recovery = "a recovery key was made" if vault.has_recovery_key else "no recovery key was made"
        remedy = "" if vault.has_recovery_key else "Run: playground vault recovery-key"
        yield Finding("Vault", "good", f"{words.rstrip('.')}; {recovery}", remedy)
    made = [one.manifest.created_at for one in vault.backups.list() if one.manifest]
    if made:
        yield Finding(
            "Backups", "good", f"{counted(len(made), 'backup')} in {vault.backups.folder}, the last {moment(max(made))}"
        )
    else:
        yield Finding("Backups", "note", f"none in {vault.backups.folder} yet", "Run: playground backup create")


async def _microphone(playground: Playground) -> Finding:
    """What dictation would listen to. Nothing is recorded, and everything else works without."""
    from app.voice.microphone import Microphone

    wanted = playground.settings.voice.device
    try:
        devices = await Microphone(wanted).devices()
    except PlaygroundError as error:
        return Finding("Microphone", "note", error.message, error.remedy)
    if not devices:
        return Finding("Microphone", "note", "none is known to the system", "Plug one in to dictate.")
    names = ", ".join(device.name for device in devices)
    if wanted:
        chosen = next((device for device in devices if wanted.casefold() in device.name.casefold()), None)
        if chosen is None:
            remedy = "Name one of these in voice.device, or empty it to take the system's own choice."
            return Finding("Microphone", "note", f"there is no {wanted!r}; there is {names}", remedy)
        return Finding("Microphone", "good", f"{chosen.name}, by the setting voice.device")
    chosen = next((device for device in devices if device.default), devices[0])
    more = f", the system's choice of {counted(len(devices), 'device')}" if len(devices) > 1 else ""
    return Finding("Microphone", "good", f"{chosen.name}{more}")


def _network(playground: Playground, *, remote: bool) -> Finding:
    if playground.policy.local_only:
        from app.privacy.sealed import is_sealed

        if is_sealed():
            return Finding("Network", "good", "sealed: the kernel gives this program none")
        return Finding(
            "Network",
            "good",
            "local-only mode: downloads and remote models are refused, connections elsewhere denied",
            "To see it proved: playground --local-only doctor --privacy",
        )
    if not _has_route():
        return Finding("Network", "note", "there is none", "Models that are here work; others cannot be fetched.")
    users = "model downloads and remote models use it, when you ask for them"
    alone = "only model downloads use it, and only when you ask for them"
    return Finding("Network", "good", f"there is one; {users if remote else alone}")


def _has_route() -> bool:
    """Whether packets would find a way out. A datagram socket is pointed outwards; nothing is sent."""
    for family, address in _OUTSIDE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((address, 9))
                return True
        except OSError:
            continue
    return False


def _settings(playground: Playground) -> dict[str, dict[str, object]]:
    """Every effective value with its origin; what may be secret is masked."""
    found: dict[str, dict[str, object]] = {}
    for key, origin in playground.loaded.origins.items():
        section, _, name = key.partition(".")
        value = getattr(getattr(playground.settings, section), name)
        # A number is a limit or a time: nothing is opened by it.
        secret = any(word in name.split("_") for word in _SECRET_WORDS) and not isinstance(value, int | float)
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
