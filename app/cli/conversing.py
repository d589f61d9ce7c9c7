"""Where the conversation of `playground chat` comes from, and whether it is kept."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from app.chat import Conversation
from app.errors import DiskFullError, PlaygroundError, UnknownSessionError, VaultError
from app.messages import Node, Sampling
from app.playground import Playground
from app.privacy.terminal import clean

from .question import whole
from .unlocking import PROTECTED_BY, existing, unlocked

if TYPE_CHECKING:
    from app.chat.keeping import Keeper
    from app.vault import Session as KeptSession


@dataclass(frozen=True)
class Wanted:
    """Which conversation the person means.

    Attributes:
        latest: go on with the one that was changed last.
        session: go on with this one: an id, the beginning of one, or a title.
        keep: whether what is said now is kept.
    """

    latest: bool
    session: str | None
    keep: bool

    @property
    def resumes(self) -> bool:
        """Whether there is a conversation already."""
        return self.latest or self.session is not None


class Talk:
    """A conversation that is being had.

    Args:
        conversation: what was said so far.
        keeper: keeps what is said from now on; None keeps nothing.
        kept: the conversation's particulars, where it was kept before.
    """

    def __init__(self, conversation: Conversation, keeper: Keeper | None, kept: KeptSession | None = None) -> None:
        self.conversation, self.keeper, self.kept = conversation, keeper, kept

    @property
    def session_id(self) -> str | None:
        """Where it is kept; None when not all of it is."""
        keeper = self.keeper
        return keeper.session.id if keeper is not None and len(self.conversation) and not keeper.unwritten else None

    @property
    def unanswered(self) -> Node | None:
        """The last message, if it is a question without an answer, or an answer that ended before its end."""
        head = self.conversation.head
        if head is None or (head.message.role == "assistant" and head.status == "complete" and head.finish != "length"):
            return None
        return head

    def choose(self, *, model: str, system: str | None, sampling: Sampling, title: str) -> Sampling:
        """Makes what was chosen this time part of the session; gives the sampling that holds now."""
        if system is not None:
            self.conversation.system = system
        chosen = sampling.over(self.kept.sampling if self.kept is not None else Sampling())
        if self.keeper is not None:
            self.keeper.configure(system=system, sampling=chosen, model=model)
            if not self.keeper.session.title:
                self.keeper.rename(title, "nobody")
        return chosen

    async def aclose(self) -> None:
        """Waits until all is kept."""
        if self.keeper is not None:
            await self.keeper.aclose()


class Trouble:
    """What stood in the way of keeping, said when the answer is over, so that it does not fall into its midst."""

    def __init__(self) -> None:
        self.error: PlaygroundError | None = None

    def __call__(self, error: PlaygroundError | None) -> None:
        """See ``app.chat.keeping.Told``."""
        self.error = error

    def tell(self) -> None:
        """One line on standard error, if there was any."""
        if self.error is not None:
            click.echo(clean(f"This conversation is not kept: {self.error}"), err=True)


async def begin(playground: Playground, wanted: Wanted, trouble: Trouble) -> Talk:
    """The conversation that is meant: an earlier one, or a new one, which is kept if that can be done.

    Raises:
        VaultError: when an earlier one is meant and cannot be had.
    """
    if wanted.resumes:
        return await _earlier(playground, wanted, trouble)
    if not wanted.keep:
        return Talk(Conversation(), None)
    from app.chat.keeping import Keeping

    fresh = playground.vault.state == "absent"
    try:
        vault = await unlocked(playground, may_decline=True)
    except (VaultError, DiskFullError) as error:
        # A question needs no vault: it is answered all the same.
        trouble(error)
        return Talk(Conversation(), None)
    if fresh and vault.protection == "file" and sys.stderr.isatty():
        click.echo(f"Conversations are kept from now on, encrypted. {PROTECTED_BY['file']}", err=True)
    conversation, keeper = Keeping(vault, trouble).begin()
    return Talk(conversation, keeper)


async def _earlier(playground: Playground, wanted: Wanted, trouble: Trouble) -> Talk:
    from app.chat.keeping import Keeping

    vault = await existing(playground)
    if wanted.session is not None:
        session_id = (await vault.sessions.find(whole(wanted.session))).id
    else:
        newest = await vault.sessions.newest()
        if newest is None:
            raise UnknownSessionError(
                "There is no conversation to go on with.", "To begin one: playground chat “Hello”"
            )
        session_id = newest
    conversation, keeper = await Keeping(vault, trouble).resume(session_id)
    if wanted.keep:
        return Talk(conversation, keeper, keeper.session)
    aside = Conversation(conversation.path(), conversation.system)
    return Talk(aside, None, keeper.session)
