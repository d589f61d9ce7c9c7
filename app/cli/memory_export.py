"""``playground memory export``: what is remembered, and what was forgotten, as JSON lines."""

from __future__ import annotations

import json
import os
import sys
from array import array
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from app.errors import DiskFullError, InvalidRequestError
from app.playground import Playground

from .session import Session, reporting_errors
from .tables import counted
from .unlocking import existing

if TYPE_CHECKING:
    from app.vault.recall.remembered import RememberedText


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--vectors", is_flag=True, help="With the vectors of each text, as lists of numbers.")
@click.pass_obj
@reporting_errors
def export(session: Session, file: Path | None, vectors: bool) -> None:
    """Write what is remembered to FILE, or to standard output: a JSON object a line.

    What was forgotten stands behind it. The file is not encrypted: it holds what was said.
    """
    if file is not None and file.exists():
        raise InvalidRequestError(f"{file} is there already.", "Choose another name; nothing was written.")

    async def exported(playground: Playground) -> int:
        vault = await existing(playground)
        count = 0
        # Only for its owner, as the vault is.
        with nullcontext(sys.stdout) if file is None else _private(file) as out:
            async for each in vault.remembered.all():
                print(json.dumps(_facts(each, vectors=vectors)), file=out)
                count += 1
        return count

    try:
        count = session.run(exported)
    except OSError as error:
        if file is None:
            raise
        raise DiskFullError(f"{file} could not be written: {error.strerror}.") from error
    if file is not None:
        click.echo(f"{counted(count, 'text')} written to {file}.")


def _private(file: Path) -> TextIO:
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")


def _facts(each: RememberedText, *, vectors: bool) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "id": each.source_id,
        "source": each.source,
        "forgotten": not each.model,
        "model": each.model or None,
        "session": each.session or None,
        "title": each.title,
        "role": each.role or None,
        "date": each.date,
        "text": each.text,
        "remembered_at": each.remembered_at,
    }
    if vectors:
        # As many digits as tell one float32 from the next.
        facts["vectors"] = [[float(f"{one:.9g}") for one in array("f", vector)] for vector in each.vectors]
    return facts
