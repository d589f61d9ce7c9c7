"""What `playground chat` asks when a prompt or a persona of the library is named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from app.chat.prompt_library.variables import INPUT, filled, needs_input, variables
from app.errors import MissingVariablesError
from app.messages import Sampling
from app.playground import Playground
from app.privacy.terminal import clean

from .question import question, whole

if TYPE_CHECKING:
    from app.vault.prompts.records import Prompt


@dataclass(frozen=True)
class Asking:
    """What is asked, of whom, and how.

    Attributes:
        words: written behind the command.
        piped: from standard input.
        model: ``None`` for whoever answers anyway.
        system: ``None`` leaves the conversation's instructions as they are.
        may_be_empty: whether the words may be left out: there is something else to answer.
        title: what a new conversation is called; empty where the words say it.
    """

    words: str
    piped: str
    model: str | None
    system: str | None
    sampling: Sampling
    may_be_empty: bool
    title: str = ""

    @property
    def text(self) -> str:
        """The whole question.

        Raises:
            click.UsageError: when there is none.
        """
        return question(self.words, self.piped, may_be_empty=self.may_be_empty)


@dataclass(frozen=True)
class Named:
    """What was named of the library, and the values for its variables."""

    prompt: str | None
    persona: str | None
    values: dict[str, str]

    async def applied(self, playground: Playground, asking: Asking) -> Asking:
        """``asking`` with what the library says in it.

        Raises:
            UnknownPromptError: when there is no such prompt or persona.
            MissingVariablesError: when a variable has no value, or a value is for no variable.
        """
        if self.prompt is None and self.persona is None:
            return asking
        from .prompts.opening import readable

        library = await readable(playground)
        prompt = await library.get(self.prompt, "prompt") if self.prompt is not None else None
        persona = await library.get(self.persona, "persona") if self.persona is not None else None
        self._require_known(one for one in (prompt, persona) if one is not None)
        for chosen in (prompt, persona):
            if chosen is not None:
                model = asking.model or _usable(playground, chosen)
                asking = replace(asking, model=model, sampling=asking.sampling.over(chosen.sampling))
        if persona is not None:
            asking = replace(asking, system=filled(persona.text, self._of(persona)))
        return asking if prompt is None else self._asked(prompt, asking)

    def _asked(self, prompt: Prompt, asking: Asking) -> Asking:
        values = self._of(prompt)
        if not needs_input(prompt.text):
            words = f"{filled(prompt.text, values)}\n\n{asking.words}"
            return replace(asking, words=words.strip(), title=prompt.called)
        text = question(asking.words, asking.piped, may_be_empty=True)
        if text and INPUT in values:
            raise click.UsageError("The text is given twice: as --var input, and behind the command or by a pipe.")
        default = next(variable.default for variable in variables(prompt.text) if variable.name == INPUT)
        if text or (default is None and INPUT not in values and asking.may_be_empty):
            values[INPUT] = text
        try:
            about = values.get(INPUT, "").strip()
            title = f"{prompt.called}: {about}" if about else prompt.called
            return replace(asking, words=filled(prompt.text, values), piped="", title=title)
        except MissingVariablesError as error:
            raise MissingVariablesError(
                error.message, "Give --var NAME=VALUE; the input is what is piped in, or stands behind the command."
            ) from error

    def _of(self, prompt: Prompt) -> dict[str, str]:
        names = {variable.name for variable in variables(prompt.text)}
        return {name: value for name, value in self.values.items() if name in names}

    def _require_known(self, chosen: Iterable[Prompt]) -> None:
        names = [variable.name for prompt in chosen for variable in variables(prompt.text)]
        strange = [name for name in self.values if name not in names]
        if strange:
            there = f"There are {', '.join(dict.fromkeys(names))}." if names else "It has none."
            raise MissingVariablesError(f"There is no variable {strange[0]!r}.", there)


def named(prompt: str | None, persona: str | None, values: tuple[str, ...], system: str | None) -> Named:
    """What the options say.

    Raises:
        click.UsageError: when they make no sense.
    """
    if persona is not None and system:
        raise click.UsageError("Give --persona or --system, not both.")
    if values and prompt is None and persona is None:
        raise click.UsageError("--var fills in a --prompt or a --persona; neither is given.")
    found: dict[str, str] = {}
    for pair in values:
        name, equals, value = whole(pair).partition("=")
        if not equals or not name.strip():
            raise click.UsageError(f"--var is {clean(pair)!r}; expected NAME=VALUE.")
        found[name.strip()] = value
    return Named(whole(prompt) if prompt else prompt, whole(persona) if persona else persona, found)


def _usable(playground: Playground, chosen: Prompt) -> str | None:
    """The model that the prompt wants, if it is on this machine; says so when it is not.

    A file from elsewhere may name any model: nothing is fetched, and nothing leaves this machine, on its word alone.
    """
    model = chosen.model
    if not model:
        return None
    entry = next((one for one in playground.catalogue.entries if one.name == model and one.role == "chat"), None)
    if entry is not None and playground.store.path_of(entry) is not None:
        return model
    where = "runs elsewhere" if playground.router.is_remote(model) else "is not on this machine"
    click.echo(clean(f"{chosen.name} wants the model {model!r}, which {where}; -m {model} asks it."), err=True)
    return None
