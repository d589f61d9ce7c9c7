"""Prompts and personas of the library, used in the conversation that is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.chat.attaching.mentions import mentions
from app.chat.prompt_library.variables import INPUT, ends_with_input, filled, needs_input, variables
from app.errors import PlaygroundError
from app.messages import Sampling
from app.privacy.terminal import clean

from .commands import as_typed
from .composer import Composer
from .model_in_use import ModelInUse
from .open_conversation import OpenConversation
from .sampling_words import described
from .surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.chat.prompt_library.library import Library
    from app.chat.prompt_library.variables import Variable
    from app.tui.model_desk import ModelDesk
    from app.vault.prompts.records import Prompt, PromptKind

NO_PERSONA = "off"
"""What is written in the place of a persona's name to have none."""


class FromLibrary:
    """Puts a prompt into the composer, lets a persona answer, and keeps what is written as a prompt."""

    def __init__(
        self, current: OpenConversation, composer: Composer, model: ModelInUse, desk: ModelDesk, around: Surroundings
    ) -> None:
        self._current = current
        self._composer = composer
        self._model = model
        self._desk = desk
        self._around = around

    @property
    def _library(self) -> Library:
        from app.chat.prompt_library.library import Library

        keeping = self._current.keeping
        return Library(keeping.vault.prompts if keeping is not None else None)

    # A prompt

    def pick_prompt(self) -> None:
        """Opens the prompts; the chosen one lands in the composer."""
        self._pick("prompt", self._fill_in)

    def use_prompt(self, name: str) -> None:
        """Puts the prompt of this name into the composer."""
        self._around.do(self._named(name, "prompt", self._fill_in), "library")

    def _fill_in(self, prompt: Prompt) -> None:
        draft = self._composer.prompt
        wanted = variables(prompt.text)
        if draft.strip() or ends_with_input(prompt.text):
            # What it is about is written already, or is written below, in the composer itself.
            wanted = tuple(variable for variable in wanted if variable.name != INPUT)

        def fill(values: dict[str, str]) -> None:
            if needs_input(prompt.text):
                text = filled(prompt.text, {INPUT: draft, **values})
            else:
                text = filled(prompt.text, values)
                text = f"{text}\n\n{draft}" if draft.strip() else text
            # What would be a command is a question here, whoever wrote it.
            self._composer.put(as_typed(text))
            self._composer.focus()
            if mentioned := mentions(prompt.text):
                named = clean(", ".join(f"@{one.paths[0]}" for one in mentioned[:3]))
                self._around.app.notify(f"The prompt itself attaches files: {named}.", severity="warning", markup=False)

        self._ask_values(prompt, wanted, fill)

    # A persona

    def pick_persona(self) -> None:
        """Opens the personas; the chosen one answers from now on."""
        self._pick("persona", self._appoint)

    def use_persona(self, name: str) -> None:
        """Lets the persona of this name answer; none with ``off``."""
        if name.strip().lower() == NO_PERSONA:
            self._set("", Sampling())
            self._around.app.notify("No persona answers here any more.", timeout=4)
        else:
            self._around.do(self._named(name, "persona", self._appoint), "library")

    def _appoint(self, persona: Prompt) -> None:
        def appoint(values: dict[str, str]) -> None:
            self._set(filled(persona.text, values), persona.sampling)
            chosen = f" Sampling: {described(persona.sampling)}." if persona.sampling != Sampling() else ""
            words = f"{clean(persona.called)} answers here from now on.{chosen} /persona off ends it."
            self._around.app.notify(words, timeout=6, markup=False)
            if persona.model and persona.model != self._model.name:
                self._ask_model(persona)

        self._ask_values(persona, variables(persona.text), appoint)

    def _set(self, system: str, sampling: Sampling) -> None:
        self._current.conversation.system = system.strip()
        if self._current.keeper is not None:
            self._current.keeper.configure(system=system.strip(), sampling=sampling)

    def _ask_model(self, persona: Prompt) -> None:
        """Uses the persona's model. What is to be fetched, or would send what is said elsewhere, is asked first."""
        from app.tui.dialogs.confirm import ConfirmScreen

        model = persona.model
        if not self._desk.known(model):
            words = f"Its model {clean(model)} is in no catalogue; {self._model.name} answers."
            self._around.app.notify(words, severity="warning", timeout=6, markup=False)
            return
        note = self._model_note(model)
        if not note:
            self._model.use(model)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._model.use(model)

        question = f"{clean(persona.called)} wants to answer with {clean(model)}{note} Use it?"
        self._around.app.push_screen(ConfirmScreen("Another model", question), answered)

    def _model_note(self, model: str) -> str:
        """What is to be known before a model is used; nothing of one that is on this machine."""
        if self._desk.is_remote(model):
            return ", which runs elsewhere: what is said here leaves this machine then."
        if not self._desk.known(model):
            return ", which is in no catalogue."
        return ", which has to be fetched first." if self._desk.missing(model) else ""

    # Keeping

    def save_prompt(self) -> None:
        """Keeps what stands in the composer, or else the last question, as a prompt."""
        from app.tui.prompts.prompt_form import PromptForm
        from app.vault.prompts.records import Prompt

        own = self._library.own
        text = self._composer.prompt.strip() or self._current.last_asked.strip()
        if own is None or not text:
            words = "Write something first." if own is not None else "The vault is not open, so nothing can be kept."
            self._around.app.notify(words, timeout=4)
            return

        def kept(prompt: Prompt | None) -> None:
            if prompt is not None:
                words = f"Kept. /{prompt.kind} {clean(prompt.name)} uses it."
                self._around.app.notify(words, timeout=5, markup=False)

        self._around.app.push_screen(PromptForm(own, Prompt(name="", text=text), own=False), kept)

    # Asking

    def _pick(self, kind: PromptKind, use: Callable[[Prompt], None]) -> None:
        from app.tui.prompts.picker import PromptPicker

        def chosen(prompt: Prompt | None) -> None:
            if prompt is not None:
                use(prompt)

        self._around.app.push_screen(PromptPicker(self._library, kind, model_note=self._model_note), chosen)

    async def _named(self, name: str, kind: PromptKind, use: Callable[[Prompt], None]) -> None:
        try:
            prompt = await self._library.get(name, kind)
        except PlaygroundError as error:
            self._around.app.notify_error(error)
            return
        use(prompt)

    def _ask_values(self, prompt: Prompt, wanted: tuple[Variable, ...], done: Callable[[dict[str, str]], None]) -> None:
        """Asks for values where there are variables."""
        if not wanted:
            done({})
            return
        from app.tui.prompts.variables_form import VariablesForm

        def filled_in(values: dict[str, str] | None) -> None:
            if values is not None:
                done(values)

        self._around.app.push_screen(VariablesForm(prompt.called, wanted), filled_in)
