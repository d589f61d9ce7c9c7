"""The library for a command: with the person's own prompts where the vault opens, else those of the program alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.chat.prompt_library.library import Library
from app.cli.unlocking import unlocked
from app.errors import VaultLockedError
from app.playground import Playground

if TYPE_CHECKING:
    from app.vault.prompts.prompts import Prompts


async def readable(playground: Playground) -> Library:
    """To look something up in. Makes no vault, and says so where it stays locked.

    Raises:
        VaultError: when the vault is not sound, or the passphrase does not fit.
    """
    if playground.vault.state == "absent":
        return Library(None)
    try:
        vault = await unlocked(playground, may_decline=True)
    except VaultLockedError:
        click.echo("The vault is locked: your own prompts are not looked through.", err=True)
        return Library(None)
    return Library(vault.prompts)


async def writable(playground: Playground) -> tuple[Library, Prompts]:
    """To keep something in, and the person's own in it. Makes a vault where there is none.

    Raises:
        VaultError: when it stays locked, or is not sound.
    """
    own = (await unlocked(playground)).prompts
    return Library(own), own
