"""All prompts and personas that there are: those that come with the program, and the person's own."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from msgspec import Struct

from app.errors import PlaygroundError, UnknownPromptError
from app.vault.prompts.prompts import Prompts, unknown
from app.vault.prompts.records import Prompt, PromptKind, PromptLine, has_words, line_of

from .prompt_files import name_of, prompt_of

MOST_OWN = 5_000
"""Prompts of the person's own: every list and search looks through all of them."""

_BUILT_IN = Path(__file__).parent / "built_in"


class Taken(Struct, frozen=True):
    """What became of prompts that were to be taken in, by their names.

    Attributes:
        same: were there already, word for word.
        left: are there with another text, and were left as they are.
    """

    added: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


class Library:
    """Looks up prompts by name. One of the person's own hides the program's of that name.

    Args:
        own: the person's own; ``None`` while the vault cannot be read.
    """

    def __init__(self, own: Prompts | None) -> None:
        self.own = own

    @cached_property
    def built_in(self) -> dict[str, Prompt]:
        """What comes with the program, by name."""
        prompts = (prompt_of(file.read_text("utf-8"), file.stem) for file in sorted(_BUILT_IN.glob("*.md")))
        return {prompt.name: prompt for prompt in prompts}

    async def lines(self, words: str = "", kind: PromptKind | None = None) -> tuple[PromptLine, ...]:
        """Every prompt by name, or those that have every word; the text is looked through, too."""
        own = await self.own.all() if self.own is not None else ()
        hidden = {prompt.name for prompt in own}
        lines = [line_of(prompt) for prompt in own if has_words(prompt, words)]
        lines += [
            line_of(prompt, own=False)
            for prompt in self.built_in.values()
            if prompt.name not in hidden and has_words(prompt, words)
        ]
        return tuple(sorted((line for line in lines if kind in (None, line.kind)), key=lambda line: line.name))

    async def get(self, name: str, kind: PromptKind | None = None) -> Prompt:
        """The prompt of this name, or of the one that these words make: ``Review code`` is ``review-code``.

        Raises:
            UnknownPromptError: when there is none, or it is of another kind.
        """
        prompt = await self._get(name.strip())
        if kind is not None and prompt.kind != kind:
            a = {"prompt": "a prompt", "persona": "a persona"}
            raise UnknownPromptError(
                f"{prompt.name!r} is {a[prompt.kind]}, not {a[kind]}.", f"Use it as {a[prompt.kind]}."
            )
        return prompt

    async def _get(self, name: str) -> Prompt:
        for wanted in dict.fromkeys((name, name_of(name))):
            if self.own is not None:
                try:
                    return await self.own.get(wanted)
                except UnknownPromptError:
                    pass  # it may be one of the program's
            if wanted in self.built_in:
                return self.built_in[wanted]
        raise unknown(name, (line.name for line in await self.lines()))

    async def take_in(self, prompts: Iterable[Prompt], *, replace: bool) -> Taken:
        """Keeps prompts, all or none. One whose name is in use with another text replaces that only with ``replace``.

        Raises:
            PlaygroundError: when there would be too many.
        """
        assert self.own is not None
        known = {prompt.name: prompt for prompt in await self.own.all()}
        wanted: dict[str, list[Prompt]] = {"added": [], "replaced": [], "same": [], "left": []}
        for prompt in prompts:
            there = known.get(prompt.name)
            if there is None:
                wanted["added"].append(prompt)
            elif there.same_content(prompt):
                wanted["same"].append(prompt)
            else:
                wanted["replaced" if replace else "left"].append(prompt)
        if len(known) + len(wanted["added"]) > MOST_OWN:
            raise PlaygroundError(
                f"There would be {len(known) + len(wanted['added'])} prompts; at most {MOST_OWN} are kept.",
                "Remove some: `playground prompts remove NAME`. Nothing was taken in.",
            )
        await self.own.put(*wanted["added"], *wanted["replaced"])
        return Taken(**{what: tuple(prompt.name for prompt in some) for what, some in wanted.items()})
