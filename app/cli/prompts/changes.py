"""Writing and changing prompts; whatever is done can be taken back by `restore`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import msgspec

from app.chat.markdown_head import read_head
from app.chat.prompt_library.prompt_files import checked, file_of, name_of, prompt_of
from app.cli.asking import confirmed
from app.cli.editing import written_by_hand
from app.cli.question import piped_text, whole
from app.cli.session import Session, reporting_errors
from app.errors import PromptThereError, UnknownPromptError
from app.playground import Playground
from app.privacy.terminal import clean
from app.vault.prompts.records import Prompt

from .opening import writable

if TYPE_CHECKING:
    from app.chat.prompt_library.library import Library

_BEGUN = {
    "prompt": "Write what is asked. {{language:English}} is a variable with a default.\n\n{{input}}",
    "persona": "You are …",
}


@click.command("new")
@click.argument("name")
@click.option("--persona", is_flag=True, help="Instructions for a whole conversation, not a question.")
@click.option("--title", default="", help="What it is called in lists.")
@click.pass_obj
@reporting_errors
def new_prompt(session: Session, name: str, persona: bool, title: str) -> None:
    """Write the prompt NAME in your editor, or keep what is piped in; front matter is read.

    Example: echo "Sum up: {{input}}" | playground prompts new sum-up
    """
    wanted, piped = name_of(whole(name)), piped_text()

    async def made(playground: Playground) -> None:
        library, own = await writable(playground)
        if wanted in [line.name for line in await own.lines()]:
            raise PromptThereError(
                f"There is a prompt {wanted!r} already.", f"Change it: playground prompts edit {wanted}"
            )
        if piped.strip():
            prompt = _named(prompt_of(piped, wanted), wanted, title)
            if persona:
                prompt = msgspec.structs.replace(prompt, kind="persona")
        else:
            kind = "persona" if persona else "prompt"
            begun = Prompt(name=wanted, kind="persona" if persona else "prompt", title=whole(title), text=_BEGUN[kind])
            text = await written_by_hand(file_of(begun), playground.environ)
            if text is None:
                click.echo("Nothing was saved, so nothing is kept.", err=True)
                return
            prompt = prompt_of(text, wanted)
        await own.put(prompt)
        hides = " It hides the program's own of that name." if prompt.name in library.built_in else ""
        click.echo(clean(f"Kept: {prompt.name}.{hides}"))

    session.run(made)


@click.command("edit")
@click.argument("name")
@click.pass_obj
@reporting_errors
def edit_prompt(session: Session, name: str) -> None:
    """Change NAME in your editor, or by what is piped in: a new text, or a whole file with front matter.

    One of the program's is copied first, and yours is used from then on.
    """
    piped = piped_text()

    async def edited(playground: Playground) -> None:
        library, _ = await writable(playground)
        before = await library.get(whole(name))
        if piped.strip():
            has_head = bool(read_head(piped)[0])
            changed = prompt_of(piped, before.name) if has_head else _with_text(before, piped)
        else:
            text = await written_by_hand(file_of(before), playground.environ)
            changed = before if text is None else prompt_of(text, before.name)
        if changed.name == before.name and changed.same_content(before):
            click.echo("Nothing was changed.", err=True)
            return
        await _keep(library, before, changed)
        click.echo(clean(f"Kept: {changed.name}. To take it back: playground prompts restore {before.name}"))

    session.run(edited)


@click.command()
@click.argument("name")
@click.argument("new_name")
@click.pass_obj
@reporting_errors
def rename(session: Session, name: str, new_name: str) -> None:
    """Give the prompt NAME the name NEW_NAME."""

    async def renamed(playground: Playground) -> None:
        _, own = await writable(playground)
        before = await own.get(name_of(whole(name)))
        changed = msgspec.structs.replace(before, name=name_of(whole(new_name)))
        await own.rename(before.name, changed)
        click.echo(clean(f"Its name is now {changed.name}."))

    session.run(renamed)


@click.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--forever", is_flag=True, help="Remove them, and what stood under their names before, for good.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
@reporting_errors
def remove(session: Session, names: tuple[str, ...], forever: bool, yes: bool) -> None:
    """Put each NAME into the bin, from which it can be restored."""

    async def removed(playground: Playground) -> None:
        library, own = await writable(playground)
        wanted = [name_of(whole(name)) for name in names]
        if not forever:
            for name in wanted:
                await _require_own(library, name)
            await own.delete(*wanted)
            click.echo(clean(f"In the bin: {', '.join(wanted)}."))
            return
        there = {prompt.name for prompt in (*await own.all(), *await own.binned())}
        for name in wanted:
            if name not in there:
                await _require_own(library, name)
            if confirmed(clean(f"Remove {name} for good?"), yes=yes):
                await own.purge(name)
                click.echo(clean(f"{name} is gone."))

    session.run(removed)


@click.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.pass_obj
@reporting_errors
def restore(session: Session, names: tuple[str, ...]) -> None:
    """Bring back what stood under each NAME before its last change. Done twice, it changes nothing."""

    async def restored(playground: Playground) -> None:
        _, own = await writable(playground)
        for name in names:
            prompt = await own.restore(name_of(whole(name)))
            click.echo(clean(f"{prompt.name} is as it was."))

    session.run(restored)


async def _keep(library: Library, before: Prompt, changed: Prompt) -> None:
    assert library.own is not None
    is_own = before.name in [line.name for line in await library.own.lines()]
    if is_own and changed.name != before.name:
        await library.own.rename(before.name, changed)
    else:
        await library.own.put(changed)


async def _require_own(library: Library, name: str) -> None:
    assert library.own is not None
    try:
        await library.own.get(name)
    except UnknownPromptError:
        if name in library.built_in:
            raise UnknownPromptError(
                f"{name!r} comes with the program and stays.", "One of your own of that name hides it."
            ) from None
        raise


def _named(prompt: Prompt, name: str, title: str) -> Prompt:
    prompt = msgspec.structs.replace(prompt, name=name)
    return msgspec.structs.replace(prompt, title=whole(title)) if title else prompt


def _with_text(before: Prompt, text: str) -> Prompt:
    return checked(msgspec.structs.replace(before, text=text.replace("\r\n", "\n").strip("\n")))
