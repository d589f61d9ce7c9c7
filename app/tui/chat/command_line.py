"""What is written in the composer: commands are offered and done, everything else is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from app.chat.attaching.mentions import Mention

from .commands import Command, command, offered, parse
from .composer import Composer
from .offered_commands import OfferedCommands
from .open_conversation import OpenConversation
from .surroundings import Surroundings

LONGEST = 40
"""Characters of a line for which commands are looked up."""

_OF_THE_SESSION = frozenset({"set", "system", "title", "memory", "persona"})

Deed = Callable[[str], Awaitable[None] | None]


class CommandLine:
    """Offers commands while one is being written, and does what a line says.

    Args:
        ask: asks a question.
        deeds: what is done with the argument of a command, by its name.
    """

    def __init__(
        self,
        current: OpenConversation,
        composer: Composer,
        list_: OfferedCommands,
        ask: Callable[[str, Sequence[Mention]], Awaitable[None]],
        deeds: Mapping[str, Deed],
        around: Surroundings,
    ) -> None:
        self._current = current
        self._composer = composer
        self._list = list_
        self._ask = ask
        self._deeds = deeds
        self._around = around

    def follow_text(self) -> None:
        """The text changed: offers what it may become."""
        text = self._composer.text
        alone = self._composer.document.line_count == 1 and len(text) < LONGEST
        self._offer(offered(text) if alone else ())

    def close(self) -> None:
        """Closes the list; what is written stays."""
        self._offer(())

    def _offer(self, commands: tuple[Command, ...]) -> None:
        self._list.offer(commands)
        if self._composer.offering != bool(commands):
            self._composer.offering = bool(commands)
            self._around.refresh_bindings()

    async def move(self, step: int) -> None:
        """Moves the highlight; 0 takes what it is on."""
        if step:
            self._list.move(step)
        elif self._list.highlighted is not None:
            await self.take(self._list.highlighted)

    async def take(self, taken: Command) -> None:
        """Does what was chosen from the list, or begins its line where it needs more."""
        self.close()
        if taken.argument == "NAME":
            self._composer.put(f"/{taken.name} ")
        else:
            self._composer.put("")
            await self.run(taken, "")

    async def sent(self, text: str, mentioned: Sequence[Mention] = ()) -> None:
        """A line or more was sent: a command is done, else it is asked; what cannot be done now is given back."""
        parsed = parse(text.strip())
        known = command(parsed[0]) if parsed else None
        if parsed is not None and known is None:
            words = f"There is no command /{parsed[0]}. Two slashes send the line as it is."
            self._around.app.notify(words, severity="warning", markup=False)
            self._composer.give_back(text)
        elif known is None and self._current.answering:
            self._around.app.notify("The answer is still coming; esc stops it.", markup=False)
            self._composer.give_back(text)
        else:
            self._composer.prompts.add(text)
            if known is not None and parsed is not None:
                await self.run(known, parsed[1])
            else:
                await self._ask(text[1:] if text.startswith("//") else text, mentioned)

    async def run(self, known: Command, argument: str) -> None:
        """Does what a command says."""
        if known.name in _OF_THE_SESSION:
            await self._current.attached()
        deed = self._deeds.get(known.name) if argument else None
        if deed is None or (known.argument == "TURNS" and not argument.isdecimal()):
            await self._around.act(known.action)
        elif (done := deed(argument)) is not None:
            await done
