"""Looking at prompts: the list, and one of them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click
import msgspec

from app.chat.prompt_library.importing import hidden_in
from app.chat.prompt_library.prompt_files import file_of
from app.chat.prompt_library.variables import variables
from app.cli.question import whole
from app.cli.session import Session, reporting_errors
from app.cli.tables import shortened, table
from app.playground import Playground
from app.privacy.terminal import clean
from app.vault.prompts.records import has_words, line_of

from .opening import readable

if TYPE_CHECKING:
    from app.vault.prompts.records import Prompt, PromptKind, PromptLine

_ABOUT_WIDTH = 60


@click.command("list")
@click.argument("words", nargs=-1)
@click.option("--kind", type=click.Choice(["prompt", "persona"]), help="Prompts alone, or personas alone.")
@click.option("--bin", "deleted", is_flag=True, help="Those that were removed and can be restored.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@click.pass_obj
@reporting_errors
def list_prompts(
    session: Session, words: tuple[str, ...], kind: PromptKind | None, deleted: bool, as_json: bool
) -> None:
    """Show the prompts and personas that there are, your own and those of the program, by name.

    With WORDS those that have every one of them, be it in the text.
    """
    sought = whole(" ".join(words))

    async def listed(playground: Playground) -> None:
        library = await readable(playground)
        if deleted:
            binned = await library.own.binned() if library.own is not None else ()
            lines: tuple[PromptLine, ...] = tuple(line_of(one) for one in binned if has_words(one, sought))
        else:
            lines = await library.lines(sought, kind)
        if as_json:
            click.echo(json.dumps([msgspec.to_builtins(line) for line in lines]))
        elif lines:
            click.echo(_table(lines))
        else:
            click.echo("No prompt has these words." if sought else "The bin is empty.")

    session.run(listed)


def _table(lines: tuple[PromptLine, ...]) -> str:
    rows = [
        (
            clean(line.name),
            line.kind,
            "yours" if line.own else "",
            shortened(clean(line.description), _ABOUT_WIDTH),
            clean(", ".join(line.tags)),
        )
        for line in lines
    ]
    return table(("Name", "Kind", "Whose", "About", "Tags"), rows)


@click.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@click.pass_obj
@reporting_errors
def show(session: Session, name: str, as_json: bool) -> None:
    """Print NAME as a Markdown file, as `import` takes it."""

    async def shown(playground: Playground) -> None:
        prompt = await (await readable(playground)).get(whole(name))
        if as_json:
            there = [msgspec.to_builtins(variable) for variable in variables(prompt.text)]
            click.echo(json.dumps({**msgspec.to_builtins(prompt), "variables": there}))
            return
        text = file_of(prompt)
        click.echo(clean(text) if sys.stdout.isatty() else text, nl=False)
        warn_of_hidden(prompt)

    session.run(shown)


def warn_of_hidden(prompt: Prompt) -> None:
    """A line on standard error when a model would read of the prompt what a person cannot see."""
    if count := hidden_in(prompt):
        click.echo(
            clean(f"{prompt.name}: {count} characters of the text cannot be seen. A model reads them; look closely."),
            err=True,
        )
