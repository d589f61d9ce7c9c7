"""The model that a pane asks: choosing it, fetching it, warming it up, saying how it stands."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from textual.message import Message as TextualMessage

from app.errors import LocalOnlyError, PlaygroundError
from app.tui.bars.status import Status
from app.tui.later import Later

from .composer import Composer
from .putting_away import PuttingAway
from .stage import Stage

if TYPE_CHECKING:
    from app.tui.model_desk import ModelDesk


class ModelInUse(PuttingAway):
    """A pane that asks one model at a time."""

    class StatusChanged(TextualMessage):
        """The figures of the status line changed."""

        def __init__(self, status: Status) -> None:
            super().__init__()
            self.status = status

    class ModelChosen(TextualMessage):
        """Another model answers from now on; the choice is worth remembering."""

        def __init__(self, model: str) -> None:
            super().__init__()
            self.model = model

    def __init__(self, desk: ModelDesk, model: str, *, id: str) -> None:
        super().__init__(id=id)
        self._desk = desk
        self.model = model
        self.status = Status(model=model)

    def begin(self) -> None:
        """Called once after the first paint: fetches the model when it is not here, and prepares what comes next."""
        self.query_one(Composer).highlight_markdown()
        self.refresh_status()
        self._make_ready()
        self.do(self._learn_lines(), "models")
        self.set_interval(0.5, self._follow_download)

    async def _learn_lines(self) -> None:
        await self._desk.learn_lines()
        self.refresh_status()

    def _make_ready(self) -> None:
        if self._desk.missing(self.model):
            self._fetch()
        elif not self._desk.is_remote(self.model):
            self._warm_up()

    def _warm_up(self) -> None:
        """Loads the model before it is asked for, so that the first answer begins at once."""
        load = Later(partial(self._load, self.model))
        self.run_worker(load, group="warm-up", exclusive=True, exit_on_error=False)

    async def _load(self, name: str) -> None:
        if self._desk.state(name) != "idle":
            return
        if not self.answering:
            self.refresh_status(state="loading")
        # What is wrong with the model is said when it is asked: until then nobody waits for it.
        with suppress(PlaygroundError):
            await self._desk.load(name)
        self.refresh_status()

    def refresh_status(self, **changes: object) -> None:
        """Says in the status line what is known of the model now."""
        state = self._desk.state(self.model)
        loaded = self._desk.loaded(self.model)
        known: dict[str, object] = {"model": self.model, "state": state if not self.answering else self.status.state}
        if loaded is not None:
            known |= {"context": loaded.loaded.context, "device": loaded.loaded.device}
        elif self._desk.is_remote(self.model):
            line = self._desk.line(self.model)
            known |= {"context": line.context if line is not None else 0, "device": ""}
        known["sends_to"] = self._desk.sends_to(self.model)
        if self._desk.refused(self.model):
            changes = {**changes, "note": "not asked while local only"}
        self._report(msgspec.structs.replace(self.status, **(known | changes)))

    def _report(self, status: Status) -> None:
        if status.sends_to != self.status.sends_to:
            self.query_one(Stage).say_where(status.sends_to)
        self.status = status
        self.post_message(self.StatusChanged(status))

    def _follow_download(self) -> None:
        download = self._desk.downloads.of(self.model)
        if download is None or download.state != "running":
            return
        progress = download.progress
        share = f" {progress.done * 100 // progress.total} %" if progress is not None and progress.total else ""
        self.say_while_waiting(f"fetching {self.model}{share}, then your message is sent")
        if not self.answering:
            self.refresh_status(note=f"fetching{share}")

    def model_changed(self) -> None:
        """A download began or ended: the card and the status follow."""
        self.refresh_status(note="")
        download = self._desk.downloads.of(self.model)
        if download is not None and download.state == "done":
            self._warm_up()
        if not self._desk.missing(self.model):
            download = None
        if download is not None or self.query("DownloadCard"):
            self.query_one(Stage).show_download(download, self.app.key_of(self, "chat.regenerate", "^r"))
        self.refresh_bindings()

    def _fetch(self) -> None:
        try:
            self._desk.fetch(self.model)
        except PlaygroundError as error:
            self.app.notify_error(error)

    def say_while_waiting(self, words: str) -> None:
        """Says why an answer that was asked for does not begin."""

    def session_shown(self) -> None:
        """The model and the figures of the conversation that is shown now."""
        keeper = self.keeper
        model = keeper.session.model if keeper is not None else ""
        if model and model != self.model and self._desk.known(model):
            self.model = model
            if not self._desk.missing(model) and not self._desk.is_remote(model):
                self._warm_up()
        self.show_figures()

    def show_figures(self) -> None:
        """Says in the status line how much of the context window the shown messages fill."""
        used = next((node.usage.total_tokens for node in reversed(self.conversation.path()) if node.usage), 0)
        self.refresh_status(used=used, speed=0.0, first_token=0.0, note="")

    def action_pick_model(self) -> None:
        """Opens the list of models."""
        from app.tui.dialogs.model_picker import ModelPicker

        def chosen(name: str | None) -> None:
            if name:
                self.use_model(name)

        self.app.push_screen(ModelPicker(self._desk, self.model), chosen)

    def use_model(self, name: str) -> None:
        """Answers with another model from now on, and fetches it when it is not here."""
        try:
            self._desk.require_chat(name)
        except PlaygroundError as error:
            self.app.notify_error(error)
            return
        if self._desk.is_remote(name):
            line = self._desk.line(name)
            name = line.name if line is not None else name
            if reason := self._desk.refused(name):
                self.app.notify_error(LocalOnlyError(reason, "Allow the network first: /local."))
                return
        self.model = name
        if self.keeper is not None:
            self.keeper.configure(model=name)
        self.post_message(self.ModelChosen(name))
        self.refresh_status(context=0, used=0, speed=0.0, first_token=0.0, device="", note="")
        self._make_ready()
        self.model_changed()
