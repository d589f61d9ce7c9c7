"""``playground users``: people who may sign in to the server."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, get_args

import click

from app.errors import InvalidRequestError
from app.playground import Playground
from app.privacy.terminal import clean

from .asking import ask_secret, can_ask_secret
from .session import Session, reporting_errors
from .tables import moment, table
from .unlocking import existing, unlocked

if TYPE_CHECKING:
    from app.vault.access.users import User

_STDIN = click.option("--stdin", "from_stdin", is_flag=True, help="Read the password from standard input.")


@click.group()
def users() -> None:
    """People who may sign in to the server: add, list, disable, enable, password."""


@users.command()
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(("admin", "user", "read-only")),
    default="user",
    show_default=True,
    help="admin may do everything, user may chat and embed, read-only may look.",
)
@_STDIN
@click.pass_obj
@reporting_errors
def add(session: Session, name: str, role: str, from_stdin: bool) -> None:
    """Add the user NAME, with a password that is asked for."""

    async def added(playground: Playground) -> None:
        from app.vault.access.users import Role

        password = _password(from_stdin)
        kept = await unlocked(playground)
        chosen = next(one for one in get_args(Role) if one == role)
        await kept.users.add(name, _hashed(password), chosen)
        click.echo(clean(f"The user {name!r} is added, with the role {role}."))

    session.run(added)


@users.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@click.pass_obj
@reporting_errors
def list_users(session: Session, as_json: bool) -> None:
    """List the users."""

    async def listed(playground: Playground) -> tuple[User, ...]:
        if playground.vault.state == "absent":
            return ()
        return await (await existing(playground)).users.list()

    found = session.run(listed)
    if as_json:
        facts = [
            {"name": one.name, "role": one.role, "created_at": one.created_at, "disabled_at": one.disabled_at}
            for one in found
        ]
        click.echo(json.dumps(facts))
    elif not found:
        click.echo("There are no users yet. To add one: playground users add NAME")
    else:
        rows = [
            (one.name, one.role, moment(one.created_at), "disabled" if one.disabled_at else "may sign in")
            for one in found
        ]
        click.echo(clean(table(("NAME", "ROLE", "SINCE", "STATE"), rows)))


@users.command()
@click.argument("name")
@click.pass_obj
@reporting_errors
def disable(session: Session, name: str) -> None:
    """Let NAME sign in no more, and end every sign-in of theirs."""

    async def disabled(playground: Playground) -> None:
        await (await existing(playground)).users.disable(name)
        click.echo(clean(f"The user {name!r} is disabled. A running server obeys within a second."))

    session.run(disabled)


@users.command()
@click.argument("name")
@click.pass_obj
@reporting_errors
def enable(session: Session, name: str) -> None:
    """Let NAME sign in again."""

    async def enabled(playground: Playground) -> None:
        await (await existing(playground)).users.enable(name)
        click.echo(clean(f"The user {name!r} may sign in again."))

    session.run(enabled)


@users.command()
@click.argument("name")
@_STDIN
@click.pass_obj
@reporting_errors
def password(session: Session, name: str, from_stdin: bool) -> None:
    """Set another password for NAME, and end every sign-in of theirs."""

    async def changed(playground: Playground) -> None:
        kept = await existing(playground)
        await kept.users.get(name)
        await kept.users.set_password(name, _hashed(_password(from_stdin)))
        click.echo(clean(f"The password of {name!r} is changed; every sign-in has ended."))

    session.run(changed)


def _hashed(password: str) -> str:
    from app.vault.access.passwords import hashed

    return hashed(password)


def _password(from_stdin: bool) -> str:
    from app.vault.access.passwords import LEAST_CHARACTERS, checked

    if from_stdin:
        line = b"" if sys.stdin is None else sys.stdin.buffer.readline(1 << 16)
        try:
            return checked(line.decode().rstrip("\r\n"))
        except UnicodeDecodeError as error:
            raise InvalidRequestError("The password on standard input is not UTF-8 text.") from error
    if not can_ask_secret():
        raise InvalidRequestError("There is no terminal to ask for a password on.", "Give it by --stdin.")
    return checked(ask_secret(f"Password, {LEAST_CHARACTERS} characters at least", again="The same once more"))
