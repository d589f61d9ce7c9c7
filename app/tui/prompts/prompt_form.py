"""Writing a prompt or a persona."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Input, Static, TextArea

from app.chat.prompt_library.prompt_files import checked, name_of
from app.errors import PlaygroundError, PromptThereError, UnknownPromptError
from app.messages import Sampling
from app.privacy.terminal import clean
from app.tui.chat.sampling_words import changed, described
from app.tui.dialogs.dialog import Dialog
from app.tui.face import Face
from app.tui.sessions.tags import split_tags
from app.vault.prompts.records import Prompt

from .kind_field import KindField

if TYPE_CHECKING:
    from app.vault.prompts.prompts import Prompts


class PromptForm(Dialog[Prompt]):
    """A field for each of its particulars, and its text. It closes with what is kept by then."""

    CSS_PATH: ClassVar[CSSPathType | None] = ["../dialogs/dialogs.tcss", "prompts.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+s", "save", "Save", priority=True, id="dialog.save")]
    AUTO_FOCUS = "Input"

    app = getters.app(Face)

    def __init__(self, prompts: Prompts, before: Prompt, *, own: bool) -> None:
        """``own``: whether ``before`` is kept already, so that it is changed; else it is what a new one begins with."""
        super().__init__()
        self._prompts, self._before, self._own = prompts, before, own

    def compose(self) -> ComposeResult:
        """The fields, filled with what holds now."""
        before = self._before
        sampling = described(before.sampling) if before.sampling != Sampling() else ""
        fields = (
            ("title", clean(before.title), "Review code"),
            ("name", clean(before.name), "made from the title"),
            ("about", clean(before.description), "one line for the list"),
            ("tags", clean(", ".join(before.tags)), "code, work"),
            ("model", clean(before.model), "who answers; empty for the model in use"),
            ("sampling", sampling, "temperature 0.3, top_k 40; empty for the model's own"),
        )
        with Vertical(classes="dialog"):
            what = "persona" if before.kind == "persona" else "prompt"
            yield Static(Content(f"A {what} of your own" if before.name else f"A new {what}"), classes="title")
            for name, value, placeholder in fields:
                with Horizontal(classes="row"):
                    yield Static(name, classes="label")
                    yield Input(value, placeholder=placeholder, compact=True, select_on_focus=False, id=f"of-{name}")
            with Horizontal(classes="row"):
                yield Static("kind", classes="label")
                yield KindField()
            yield TextArea(
                clean(before.text),
                tab_behavior="focus",
                compact=True,
                placeholder="What is asked. {{language:English}} is a variable, {{input}} the text that it is about.",
            )
            yield Static(classes="wrong")
            yield Static(
                Content.assemble(
                    ("^s", "bold $primary"), " save    ", ("tab", "bold $primary"), " next field    ",
                    ("esc", "bold $primary"), " leave as it was",
                ),
                classes="hint",
            )  # fmt: skip

    def on_mount(self) -> None:
        """Shows the kind."""
        self.query_one(KindField).kind = self._before.kind

    def _value(self, name: str) -> str:
        return self.query_one(f"#of-{name}", Input).value.strip()

    @on(Input.Changed)
    def _calm(self, event: Input.Changed) -> None:
        event.stop()
        self.query_one(".wrong", Static).update("")
        if event.input.id == "of-title":
            title = self._value("title")
            self.query_one("#of-name", Input).placeholder = name_of(title) if title else "made from the title"

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.app.action_focus_next()

    async def action_save(self) -> None:
        """Keeps it and closes, or says what is wrong."""
        try:
            prompt = self._written()
            await self._keep(prompt)
        except PlaygroundError as error:
            self.query_one(".wrong", Static).update(Content(clean(str(error))))
            return
        self.dismiss(prompt)

    def _written(self) -> Prompt:
        name = self._value("name") or self._value("title")
        if not name:
            raise PlaygroundError("It has no title and no name yet.")
        sampling = msgspec.structs.replace(Sampling(), stop=self._before.sampling.stop)
        for piece in filter(str.strip, self._value("sampling").split(",")):
            sampling = changed(sampling, piece.strip())
        return checked(
            Prompt(
                name=name_of(name),
                kind=self.query_one(KindField).kind,
                title=self._value("title"),
                description=self._value("about"),
                tags=split_tags(self._value("tags")),
                text=self._text(),
                model=self._value("model"),
                sampling=sampling,
            )
        )

    def _text(self) -> str:
        text, shown = self.query_one(TextArea).text, clean(self._before.text)
        # What cannot be shown is shown otherwise; where nothing was changed, nothing is.
        return self._before.text if text == shown else text.strip("\n")

    async def _keep(self, prompt: Prompt) -> None:
        if self._own and prompt.name == self._before.name:
            await self._prompts.put(prompt)
        elif self._own:
            await self._prompts.rename(self._before.name, prompt)
        else:
            await self._require_free(prompt.name)
            await self._prompts.put(prompt)

    async def _require_free(self, name: str) -> None:
        try:
            await self._prompts.get(name)
        except UnknownPromptError:
            return
        raise PromptThereError(f"There is a prompt {name!r} already.", "Choose another name.")
