"""``playground models``: the models of the catalogue and their files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.errors import UnknownModelError
from app.playground import Playground
from app.privacy.terminal import clean

from .fetching import ProgressLine, megabytes, model_here
from .remote_models import described, details_of, facts_of, line_of, shown
from .session import Session, reporting_errors
from .tables import table

if TYPE_CHECKING:
    from app.engine.catalogues.catalogue import ModelEntry
    from app.engine.window import ContextWindow


@click.group()
def models() -> None:
    """Models on this machine: list, pull, import, verify, info, remove."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@click.option("--check", is_flag=True, help="Ask every remote endpoint whether it can be reached.")
@click.pass_obj
@reporting_errors
def list_models(session: Session, as_json: bool, check: bool) -> None:
    """Show the catalogue: what is here, what can be fetched, what suits this machine, and what is elsewhere."""
    session.run(lambda playground: _list(playground, as_json=as_json, check=check))


async def _list(playground: Playground, *, as_json: bool, check: bool) -> None:
    from app.engine.fitting import need_of, recommended
    from app.engine.hardware import Hardware, cores, memory

    remote = [line for line in await playground.router.listing(check=check) if line.remote]
    if playground.policy.local_only:
        remote = [line.while_local_only() for line in remote]
    here = Hardware(memory=memory(), cores=cores())
    best = recommended(playground.catalogue.entries, here)

    def suits(entry: ModelEntry) -> bool | None:
        need = need_of(entry)
        return None if need is None else need <= here.memory.total * 0.8

    entries = playground.catalogue.entries
    if as_json:
        rows = [
            {
                **_facts(playground, entry),
                "fits_memory": suits(entry),
                "recommended": best is not None and entry.name == best.name,
            }
            for entry in entries
        ]
        click.echo(json.dumps([*rows, *map(facts_of, remote)]))
        return
    lines = [
        (
            entry.name,
            entry.role,
            megabytes(entry.size) if entry.size else "?",
            _state(playground, entry),
            {True: "yes", False: "too large", None: "?"}[suits(entry)],
            entry.licence or "?",
        )
        for entry in entries
    ]
    click.echo(clean(table(("Model", "For", "Size", "Here", "Fits", "Licence"), lines, right=frozenset({2}))))
    if remote:
        click.echo(f"\n{clean(shown(remote))}")
    for warning in playground.warnings:
        click.echo(clean(warning))
    if best is not None:
        click.echo(f"\nRecommended for this machine: {best.name}  (playground models pull {best.name})")


@models.command()
@click.argument("name")
@click.pass_obj
@reporting_errors
def pull(session: Session, name: str) -> None:
    """Fetch a model; goes on where an earlier try ended."""

    async def fetched(playground: Playground) -> None:
        entry = model_here(playground, name)
        line = ProgressLine(f"Fetching {entry.name}")
        try:
            path = await playground.store.fetch(entry, line.show)
        finally:
            line.finish()
        pinned = "" if entry.sha256 else "\nIts digest was not known before; it is pinned from now on."
        click.echo(f"{entry.name} is here: {path}{pinned}")

    session.run(fetched)


@models.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="What to call it; the file's name without its suffix when not given.")
@click.pass_obj
@reporting_errors
def import_model(session: Session, file: Path, name: str | None) -> None:
    """Take a GGUF file of your own into the catalogue."""

    async def imported(playground: Playground) -> None:
        entry = await playground.store.import_file(file, name or file.stem.lower())
        click.echo(f"Imported as {entry.name}. Ask it: playground chat -m {entry.name} “Hello”")

    session.run(imported)


@models.command()
@click.argument("names", nargs=-1)
@click.pass_obj
@reporting_errors
def verify(session: Session, names: tuple[str, ...]) -> None:
    """Read model files again and compare them with their digests: NAMES, or all that are here."""

    async def verified(playground: Playground) -> None:
        chosen = [model_here(playground, name) for name in names] or [
            entry for entry in playground.catalogue.entries if playground.store.path_of(entry)
        ]
        if not chosen:
            click.echo("No model is on this machine yet.")
        for entry in chosen:
            found = await playground.store.verify(entry)
            note = "  (pinned on first download)" if found.pinned_on_first_download else ""
            click.echo(f"{entry.name}  sound  sha256 {found.sha256}{note}")

    session.run(verified)


@models.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
@reporting_errors
def info(session: Session, name: str, as_json: bool) -> None:
    """Show everything that is known of a model."""
    session.run(lambda playground: _info(playground, name, as_json=as_json))


async def _info(playground: Playground, name: str, *, as_json: bool) -> None:
    try:
        entry = playground.catalogue.get(name)
    except UnknownModelError:
        line = await line_of(playground, name)
        if line is None:
            raise
        details = details_of(playground, line)
        click.echo(json.dumps(details) if as_json else clean(described(details, line)))
        return
    facts, window = _facts(playground, entry), _window(playground, entry)
    if as_json:
        click.echo(json.dumps(facts | {"context": window.tokens or None, "context_from": window.reason}))
        return
    facts["context"] = f"{window.tokens:,} tokens. {window.reason}" if window.tokens else None
    facts["sha256"] = facts["sha256"] or "not in the catalogue: the first download is taken as it comes, and pinned"
    for label, value in facts.items():
        if value not in (None, "", {}):
            click.echo(clean(f"{label.replace('_', ' '):<12} {value}"))


@models.command()
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
@reporting_errors
def remove(session: Session, name: str, yes: bool) -> None:
    """Delete a model's file from this machine."""
    playground = session.open()
    entry = model_here(playground, name)
    if playground.store.path_of(entry) is None:
        click.echo(f"{entry.name} is not on this machine.")
        return
    if not yes:
        click.confirm(f"Delete the file of {entry.name}? It can be fetched again.", abort=True)
    playground.store.remove(entry)
    click.echo(f"{entry.name} is removed.")


def _window(playground: Playground, entry: ModelEntry) -> ContextWindow:
    """The context that the model would be opened with now, and who says so."""
    from app.engine.hardware import memory
    from app.engine.window import foreseen

    path, engine = playground.store.path_of(entry), playground.settings.engine
    return foreseen(entry, path, engine, memory().available, set_by=str(playground.loaded.origins["engine.context"]))


def _state(playground: Playground, entry: ModelEntry) -> str:
    if playground.store.path_of(entry) is None:
        return "-"
    return "yes" if entry.sha256 else "pinned"


def _facts(playground: Playground, entry: ModelEntry) -> dict[str, object]:
    path = playground.store.path_of(entry)
    return {
        "name": entry.name,
        "role": entry.role,
        "description": entry.description,
        "source": entry.source,
        "size": entry.size,
        "sha256": entry.sha256 or playground.store.digest_of(entry),
        "digest_from": "catalogue" if entry.sha256 else "first download" if path else None,
        "licence": entry.licence,
        "context": entry.context,
        "installed": path is not None,
        "file": str(path) if path else None,
    }
