"""The Models pane: what there is, what is here, what fits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from app.errors import PlaygroundError
from app.privacy.terminal import clean
from app.tui.later import Later
from app.tui.model_desk import ModelDesk, ModelRow
from app.tui.pane import Pane

from .words import detail_words, row_words

if TYPE_CHECKING:
    from app.engine.files.store import Verification


class ModelsPane(Pane):
    """The catalogue as a list; keys act on the highlighted model."""

    HELP = """\
Models that can run on this machine. **Enter** uses one in the chat, and fetches it first when it is not here.
A model whose digest the catalogue does not name is pinned when it is first fetched: a later download that differs is
refused.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("u", "use", "Use", key_display="⏎", id="models.use"),
        Binding("p", "pull", "Fetch", id="models.pull"),
        Binding("escape", "cancel", "Cancel", key_display="esc", id="models.cancel"),
        Binding("l", "load", "Load", id="models.load"),
        Binding("x", "unload", "Unload", id="models.unload"),
        Binding("v", "verify", "Verify", id="models.verify"),
        Binding("d,delete", "remove", "Remove", id="models.remove"),
    ]

    class Used(Message):
        """The person wants to chat with this model."""

        def __init__(self, model: str) -> None:
            super().__init__()
            self.model = model

    def __init__(self, desk: ModelDesk) -> None:
        super().__init__(id="models")
        self._desk = desk
        self._rows: dict[str, ModelRow] = {}
        self._busy: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """Heading, list, detail."""
        yield Static(Content("Models"), classes="heading")
        yield OptionList(compact=True)
        yield Static(id="model-detail")

    def on_mount(self) -> None:
        """Fills the list, and again when the machine is known."""
        self.refresh_rows()
        self.set_interval(0.25, self._follow)
        self.run_worker(Later(self._learn), group="learn", exit_on_error=False)

    def shown(self) -> None:
        """Shows what is here now."""
        self.refresh_rows()

    def model_changed(self) -> None:
        """Shows what is here now."""
        self.refresh_rows()

    def take_focus(self) -> None:
        """Puts the keys to the list."""
        self.query_one(OptionList).focus()

    async def _learn(self) -> None:
        await self._desk.learn_machine()
        self.refresh_rows(highlight_first=True)

    def _follow(self) -> None:
        if self.display:
            self.refresh_rows()

    def on_resize(self) -> None:
        """The columns follow the width."""
        self.refresh_rows()

    def refresh_rows(self, *, highlight_first: bool = False) -> None:
        """Shows where every model stands now; the highlight stays on its model."""
        rows = {row.entry.name: row for row in self._desk.rows()}
        options = self.query_one(OptionList)
        width = max(60, (self.size.width or 80) - 5)
        if list(rows) == list(self._rows):
            for name, row in rows.items():
                if row != self._rows[name] or row.state == "fetching" or self._width != width:
                    options.replace_option_prompt(name, self._words(row, width))
        else:
            current = None if highlight_first else self.chosen
            options.clear_options()
            options.add_options([Option(self._words(row, width), id=name) for name, row in rows.items()])
            names = list(rows)
            options.highlighted = names.index(current) if current in rows else 0 if names else None
        self._rows, self._width = rows, width
        here = sum(row.installed for row in rows.values())
        self.query_one(".heading", Static).update(Content(f"{len(rows)} models, {here} here"))
        self._show_detail()
        self.refresh_bindings()

    _width = 0

    def _words(self, row: ModelRow, width: int) -> Content:
        words = row_words(row, width)
        doing = self._busy.get(row.entry.name)
        return Content.assemble(words, (f" · {doing}", "$text-warning")) if doing else words

    @property
    def chosen(self) -> str | None:
        """The name of the highlighted model."""
        option = self.query_one(OptionList).highlighted_option
        return option.id if option is not None else None

    @on(OptionList.OptionHighlighted)
    def _show_detail(self) -> None:
        row = self._rows.get(self.chosen or "")
        detail = detail_words(row, max(40, (self.size.width or 80) - 6)) if row is not None else Content("")
        self.query_one("#model-detail", Static).update(detail)
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only keys that would do something to the highlighted model."""
        row = self._rows.get(self.chosen or "") if self.is_mounted else None
        if row is None:
            return action not in ("use", "pull", "cancel", "load", "unload", "verify", "remove")
        fetching = row.state == "fetching"
        return {
            "use": row.entry.role == "chat",
            "pull": not row.installed and not fetching,
            "cancel": fetching,
            "load": row.installed and row.loaded is None and row.entry.role == "chat",
            "unload": row.loaded is not None,
            "verify": row.installed,
            "remove": row.installed,
        }.get(action, True)

    # Actions

    @on(OptionList.OptionSelected)
    def action_use(self) -> None:
        """Chats with it."""
        if self.chosen is not None and self._rows[self.chosen].entry.role == "chat":
            self.post_message(self.Used(self.chosen))

    def action_pull(self) -> None:
        """Fetches it."""
        if self.chosen is not None:
            try:
                self._desk.fetch(self.chosen)
            except PlaygroundError as error:
                self.app.notify_error(error)
            self.refresh_rows()

    def action_cancel(self) -> None:
        """Stops its download; what came is kept."""
        if self.chosen is not None:
            self._desk.downloads.cancel(self.chosen)

    def action_load(self) -> None:
        """Brings it into memory."""
        self._do(self._desk.load, "loading", lambda _: None)

    def action_unload(self) -> None:
        """Frees its memory."""
        self._do(self._desk.unload, "unloading", lambda _: None)

    def action_verify(self) -> None:
        """Compares the whole file with its digest."""
        self._do(self._desk.verify, "verifying", self._verified)

    def _verified(self, found: Verification) -> None:
        self.app.notify("The file is whole: its digest is the expected one.", title="Verified", markup=False)

    def action_remove(self) -> None:
        """Deletes its file, after a question."""
        from app.tui.dialogs.confirm import ConfirmScreen

        name = self.chosen
        if name is None:
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._do(self._desk.remove, "removing", lambda _: None, name)

        source = self._rows[name].entry.source
        again = (
            f"It can be taken in again from {clean(source.removeprefix('path:'))}, as long as that file is there."
            if source.startswith("path:")
            else "It can be fetched again."
        )
        question = f"{clean(name)} is deleted from this machine. {again}"
        self.app.push_screen(ConfirmScreen("Remove the model?", question), answered)

    def _do(
        self,
        work: Callable[[str], Awaitable[object]],
        doing: str,
        done: Callable[..., None],
        name: str | None = None,
    ) -> None:
        name = name or self.chosen
        if name is None or name in self._busy:
            return
        self._busy[name] = doing
        self._rows = {}
        self.refresh_rows()
        work_later = Later(partial(self._work, name, work, done))
        self.run_worker(work_later, group=f"models-{name}", exit_on_error=False)

    async def _work(self, name: str, work: Callable[[str], Awaitable[object]], done: Callable[..., None]) -> None:
        try:
            done(await work(name))
        except PlaygroundError as error:
            self.app.notify_error(error)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 (the boundary that reports)
            self.app.report_fault(error)
        finally:
            self._busy.pop(name, None)
            if self.is_mounted:
                self._rows = {}
                self.refresh_rows()
