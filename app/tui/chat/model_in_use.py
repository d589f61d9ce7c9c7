"""The model that is asked: choosing it, fetching it, warming it up, saying how it stands."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from app.errors import LocalOnlyError, PlaygroundError
from app.tui.bars.status import Status
from app.tui.later import Later

from .news import ModelChosen, StatusChanged
from .open_conversation import OpenConversation
from .stage import Stage
from .surroundings import Surroundings

if TYPE_CHECKING:
    from app.tui.model_desk import ModelDesk


class ModelInUse:
    """One model at a time, and the figures of the status line.

    Attributes:
        name: the model's.
        status: what the status line says.
    """

    def __init__(
        self, desk: ModelDesk, name: str, current: OpenConversation, stage: Stage, around: Surroundings
    ) -> None:
        self._desk = desk
        self._current = current
        self._stage = stage
        self._around = around
        self.name = name
        self.status = Status(model=name)

    # Getting it

    @property
    def missing(self) -> bool:
        """Whether it is to be fetched first."""
        return self._desk.missing(self.name)

    @property
    def downloading(self) -> bool:
        """Whether it is on its way."""
        return self._desk.downloading(self.name)

    @property
    def is_remote(self) -> bool:
        """Whether it runs elsewhere."""
        return self._desk.is_remote(self.name)

    def make_ready(self) -> None:
        """Fetches it when it is not here, or loads it before it is asked, so that the first answer begins at once."""
        if self.missing:
            self._fetch()
        elif not self.is_remote:
            self._warm_up()

    def fetch_again(self) -> None:
        """Fetches it when that had failed."""
        if self.missing and not self.downloading:
            self._fetch()

    def stop_fetching(self) -> None:
        """Calls the download off."""
        self._desk.downloads.cancel(self.name)

    def _fetch(self) -> None:
        try:
            self._desk.fetch(self.name)
        except PlaygroundError as error:
            self._around.app.notify_error(error)

    def _warm_up(self) -> None:
        load = Later(partial(self._load, self.name))
        self._around.run_worker(load, group="warm-up", exclusive=True, exit_on_error=False)

    async def _load(self, name: str) -> None:
        if self._desk.state(name) != "idle":
            return
        if not self._current.answering:
            self.refresh(state="loading")
        # What is wrong with the model is said when it is asked: until then nobody waits for it.
        with suppress(PlaygroundError):
            await self._desk.load(name)
        self.refresh()

    async def learn_lines(self) -> None:
        """Learns which models there are elsewhere."""
        await self._desk.learn_lines()
        self.refresh()

    def follow_download(self) -> str:
        """Says how far the download is; gives the words for an answer that waits for it, empty when none does."""
        download = self._desk.downloads.of(self.name)
        if download is None or download.state != "running":
            return ""
        progress = download.progress
        share = f" {progress.done * 100 // progress.total} %" if progress is not None and progress.total else ""
        if not self._current.answering:
            self.refresh(note=f"fetching{share}")
        return f"fetching {self.name}{share}, then your message is sent"

    def download_changed(self) -> None:
        """A download began or ended, or it was said what may leave this machine: the card and the status follow."""
        self.refresh(note="")
        download = self._desk.downloads.of(self.name)
        if download is not None and download.state == "done":
            self._warm_up()
        self._stage.show_download(download if self.missing else None, self._around.key_of("chat.regenerate", "^r"))
        self._around.refresh_bindings()

    # Its figures

    def refresh(self, **changes: object) -> None:
        """Says in the status line what is known of the model now."""
        state = self._desk.state(self.name) if not self._current.answering else self.status.state
        loaded = self._desk.loaded(self.name)
        known: dict[str, object] = {"model": self.name, "state": state, "sends_to": self._desk.sends_to(self.name)}
        if loaded is not None:
            known |= {"context": loaded.loaded.context, "device": loaded.loaded.device}
        elif self.is_remote:
            line = self._desk.line(self.name)
            known |= {"context": line.context if line is not None else 0, "device": ""}
        if self._desk.refused(self.name):
            changes = {**changes, "note": "not asked while local only"}
        self.report(msgspec.structs.replace(self.status, **(known | changes)))

    def report(self, status: Status) -> None:
        """Says this in the status line."""
        if status.sends_to != self.status.sends_to:
            self._stage.say_where(status.sends_to)
        self.status = status
        self._around.post_message(StatusChanged(status))

    def show_figures(self) -> None:
        """Says in the status line how much of the context window the shown messages fill."""
        path = self._current.conversation.path()
        used = next((node.usage.total_tokens for node in reversed(path) if node.usage), 0)
        self.refresh(used=used, speed=0.0, first_token=0.0, note="")

    # Choosing it

    def follow_session(self) -> None:
        """A kept conversation is open: its model answers, and the figures are its own."""
        keeper = self._current.keeper
        name = keeper.session.model if keeper is not None else ""
        if name and name != self.name and self._desk.known(name):
            self.name = name
            if not self.missing and not self.is_remote:
                self._warm_up()
        self.show_figures()

    def pick(self) -> None:
        """Opens the list of models."""
        from app.tui.dialogs.model_picker import ModelPicker

        def chosen(name: str | None) -> None:
            if name:
                self.use(name)

        self._around.app.push_screen(ModelPicker(self._desk, self.name), chosen)

    def use(self, name: str) -> None:
        """Answers with another model from now on, and fetches it when it is not here."""
        try:
            self._desk.require_chat(name)
        except PlaygroundError as error:
            self._around.app.notify_error(error)
            return
        if self._desk.is_remote(name):
            line = self._desk.line(name)
            name = line.name if line is not None else name
            if reason := self._desk.refused(name):
                self._around.app.notify_error(LocalOnlyError(reason, "Allow the network first: /local."))
                return
        self.name = name
        if self._current.keeper is not None:
            self._current.keeper.configure(model=name)
        self._around.post_message(ModelChosen(name))
        self.refresh(context=0, used=0, speed=0.0, first_token=0.0, device="", note="")
        self.make_ready()
        self.download_changed()
