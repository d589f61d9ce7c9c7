"""Choosing a prompt or a persona: found by a few letters, seen before it is used, changed and taken back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from app.errors import PlaygroundError, VaultLockedError
from app.privacy.terminal import clean
from app.tui.dialogs.dialog import Dialog
from app.tui.face import Face
from app.tui.later import Later
from app.vault.prompts.records import Prompt, PromptKind, PromptLine

from .preview import previewed
from .ranking import ranked

if TYPE_CHECKING:
    from app.chat.prompt_library.library import Library

_NARROW = 100
_MOST = 200
"""Rows that are shown; who has more types another letter."""

_KEYS = (("⏎", "use"), ("^e", "edit"), ("^n", "new"), ("^d", "delete"), ("^z", "undo"), ("esc", "leave"))
_TITLES: dict[PromptKind, str] = {"prompt": "Prompts", "persona": "Personas"}


class PromptPicker(Dialog[Prompt]):
    """Every prompt, or every persona, filtered as one types; its answer is the chosen one, whole."""

    HELP = """\
Type a few letters of a name. **Enter** uses the prompt: what its variables need is asked, and the text lands in the
composer. What you change or delete here can be taken back. `playground prompts import FOLDER` takes in those of others.
"""
    CSS_PATH: ClassVar[CSSPathType | None] = ["../dialogs/dialogs.tcss", "prompts.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False, priority=True, id="prompts.up"),
        Binding("down", "move(1)", "Down", show=False, priority=True, id="prompts.down"),
        Binding("pageup", "page(-1)", "Preview up", show=False, priority=True, id="prompts.page_up"),
        Binding("pagedown", "page(1)", "Preview down", show=False, priority=True, id="prompts.page_down"),
        Binding("ctrl+e", "edit", "Edit", show=False, priority=True, id="prompts.edit"),
        Binding("ctrl+n", "new", "New", show=False, priority=True, id="prompts.new"),
        Binding("ctrl+d", "delete", "Delete", show=False, priority=True, id="prompts.delete"),
        Binding("ctrl+z", "undo", "Undo", show=False, priority=True, id="prompts.undo"),
    ]

    app = getters.app(Face)

    def __init__(
        self, library: Library, kind: PromptKind, *, model_note: Callable[[str], str] = lambda _model: ""
    ) -> None:
        """``model_note``: what is to be said of a model that a prompt names."""
        super().__init__()
        self._library, self._kind, self._model_note = library, kind, model_note
        self._lines: tuple[PromptLine, ...] = ()
        self._taking_back: list[tuple[str, Callable[[], Awaitable[None]]]] = []
        self._want = ""

    def compose(self) -> ComposeResult:
        """A field to filter, the list, and the highlighted one as it is."""
        with Vertical(classes="dialog"):
            yield Static(Content(_TITLES[self._kind]), classes="title")
            yield Input(placeholder="filter", compact=True)
            with Container(classes="beside"):
                yield OptionList(compact=True)
                with VerticalScroll(can_focus=False):
                    yield Static(classes="preview")
            keys = [piece for key, what in _KEYS for piece in ((key, "bold $primary"), f" {what}   ")]
            yield Static(Content.assemble(*keys), classes="hint")

    async def on_mount(self) -> None:
        """Shows all."""
        self.query_one(OptionList).can_focus = False
        self._fit()
        await self._reload()

    def on_resize(self) -> None:
        """The preview stands beside the list, or below it where there is little room."""
        self._fit()

    def _fit(self) -> None:
        self.set_class(self.app.size.width < _NARROW, "-narrow")

    # What is shown

    async def _reload(self, wanted: str = "") -> None:
        try:
            lines = await self._library.lines(kind=self._kind)
        except VaultLockedError:
            return  # the screen that unlocks takes this one's place
        self._lines = tuple(sorted(lines, key=lambda line: (line.title or line.name).casefold()))
        self._fill(wanted)

    @on(Input.Changed)
    def _filter(self, event: Input.Changed) -> None:
        event.stop()
        self._fill()

    def _fill(self, wanted: str = "") -> None:
        found = ranked(self._lines, self.query_one(Input).value)
        lines = found[:_MOST]
        shown = self.query_one(OptionList)
        shown.clear_options()
        shown.add_options([Option(_row(line), id=line.name) for line in lines])
        if len(found) > _MOST:
            shown.add_option(Option(Content.styled(f"  … and {len(found) - _MOST} more", "$text-muted"), disabled=True))
        names = [line.name for line in lines]
        shown.highlighted = names.index(wanted) if wanted in names else 0 if names else None
        if not names:
            self._show(Content.styled("No such prompt. ^n writes a new one.", "$text-muted"))

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._want = event.option.id or ""
        self.run_worker(Later(partial(self._preview, self._want)), group="preview", exclusive=True, exit_on_error=False)

    async def _preview(self, name: str) -> None:
        prompt = await self._get(name)
        if prompt is not None and self._want == name:
            note = self._model_note(prompt.model) if prompt.model else ""
            self._show(previewed(prompt, own=self._is_own(name), model_note=note))

    def _show(self, words: Content) -> None:
        self.query_one(".preview", Static).update(words)
        self.query_one(VerticalScroll).scroll_home(animate=False)

    def _is_own(self, name: str) -> bool:
        return any(line.own for line in self._lines if line.name == name)

    async def _get(self, name: str) -> Prompt | None:
        """The prompt; ``None`` when it cannot be had, which is said."""
        try:
            return await self._library.get(name, self._kind)
        except PlaygroundError as error:
            if not isinstance(error, VaultLockedError):
                self.app.notify_error(error)
            return None

    # Moving

    def action_move(self, step: int) -> None:
        """Moves the highlight while the filter keeps the keys."""
        options = self.query_one(OptionList)
        if step < 0:
            options.action_cursor_up()
        else:
            options.action_cursor_down()

    def action_page(self, step: int) -> None:
        """Scrolls the preview."""
        preview = self.query_one(VerticalScroll)
        if step < 0:
            preview.scroll_page_up(animate=False)
        else:
            preview.scroll_page_down(animate=False)

    # Deeds

    @on(Input.Submitted)
    async def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        await self._take(self._chosen)

    @on(OptionList.OptionSelected)
    async def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        await self._take(event.option.id or "")

    @property
    def _chosen(self) -> str:
        option = self.query_one(OptionList).highlighted_option
        return (option.id or "") if option is not None else ""

    async def _take(self, name: str) -> None:
        prompt = await self._get(name) if name else None
        if prompt is not None:
            self.dismiss(prompt)

    async def action_edit(self) -> None:
        """Opens the highlighted one to be changed; of one of the program's, a copy is kept."""
        before = await self._get(self._chosen) if self._chosen and self._may_keep() else None
        if before is not None:
            self._write(before, self._is_own(before.name))

    def action_new(self) -> None:
        """Writes a new one."""
        if self._may_keep():
            self._write(Prompt(name="", kind=self._kind), False)

    def _write(self, before: Prompt, own: bool) -> None:
        from .prompt_form import PromptForm

        assert self._library.own is not None
        form = PromptForm(self._library.own, before, own=own)
        self.app.push_screen(form, partial(self._written, before.name if own else ""))

    async def _written(self, before: str, written: Prompt | None) -> None:
        own = self._library.own
        if written is None or own is None:
            return

        async def take_back() -> None:
            if before != written.name:
                await own.delete(written.name)
            if before:
                await own.restore(before)

        self._taking_back.append((before or written.name, take_back))
        with self.prevent(Input.Changed):
            self.query_one(Input).value = ""
        await self._reload(written.name)

    async def action_delete(self) -> None:
        """Puts the highlighted one into the bin."""
        own, name = self._library.own, self._chosen
        if not name or not self._may_keep() or own is None:
            return
        if not self._is_own(name):
            self.app.notify("It comes with Playground and stays. One of your own of its name hides it.", timeout=5)
            return

        async def take_back() -> None:
            await own.restore(name)

        try:
            await own.delete(name)
        except PlaygroundError as error:
            self.app.notify_error(error)
            return
        self._taking_back.append((name, take_back))
        self.app.notify(f"{clean(name)} is in the bin. ^z takes it back.", timeout=5, markup=False)
        await self._reload()

    async def action_undo(self) -> None:
        """Takes back what was changed here last."""
        if not self._taking_back:
            self.app.notify("Nothing was changed here.", timeout=3)
            return
        name, take_back = self._taking_back.pop()
        try:
            await take_back()
        except PlaygroundError as error:
            self.app.notify_error(error)
            return
        self.app.notify(f"{clean(name)} is as it was.", timeout=3, markup=False)
        await self._reload(name)

    def _may_keep(self) -> bool:
        if self._library.own is None:
            self.app.notify("The vault is not open, so nothing can be kept.", severity="warning", timeout=4)
        return self._library.own is not None


def _row(line: PromptLine) -> Content:
    mark = ("● ", "$success") if line.own else ("  ", "")
    return Content.assemble(mark, (clean(line.title or line.name), ""), (f"  {clean(line.description)}", "$text-muted"))
