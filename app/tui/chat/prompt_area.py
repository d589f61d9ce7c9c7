"""Where the prompt is written, with the files that go with it and those that are offered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from app.chat.attaching.aside import aside
from app.messages import Node
from app.privacy.terminal import clean

from .composer import Composer
from .file_finder import FileFinder
from .offered_files import OfferedFiles
from .prompt_files import Read, read_mentioned

_PAUSE = 0.06
"""Seconds that a path must stand before files are looked for."""

_LONG_PAUSE = 0.3
"""Seconds that a prompt must stand before what it mentions is read."""

_PICTURE = 2.0


class PromptArea(Vertical):
    """The composer. Above it stand the files that fit the path being typed, and those that are mentioned.

    Args:
        composer: the text field.
        earlier: gives the prompt of which another version is being written; its files go with that, too.
        finder: knows the files.
    """

    DEFAULT_CSS = """
    PromptArea { height: auto; width: 1fr; margin: 0 1; }
    PromptArea > #attached { height: auto; max-height: 4; padding: 0 1; display: none; }
    """

    def __init__(
        self, composer: Composer, earlier: Callable[[], Node | None] = lambda: None, finder: FileFinder | None = None
    ) -> None:
        super().__init__(id="prompt-area")
        self._composer, self._earlier = composer, earlier
        self._finder = finder or FileFinder()
        self._looking: Timer | None = None
        self._reading: Timer | None = None

    def compose(self) -> ComposeResult:
        """From the top."""
        yield OfferedFiles()
        yield Static(id="attached")
        yield self._composer

    def on_unmount(self) -> None:
        """Nobody looks for files any more."""
        self._finder.close()

    # The path that is being typed

    @on(Composer.PathTyped)
    def _path_typed(self, event: Composer.PathTyped) -> None:
        event.stop()
        if self._looking is not None:
            self._looking.stop()
        if event.path is None:
            self.workers.cancel_group(self, "find-file")
            self._offer(())
        else:
            path = event.path
            self._looking = self.set_timer(_PAUSE, lambda: self._look(path))

    def _look(self, path: str) -> None:
        self.run_worker(self._find(path), group="find-file", exclusive=True, exit_on_error=False)

    async def _find(self, path: str) -> None:
        found = await self._finder.find(path)
        # A path that is written to its end needs no list, and Enter is for sending it.
        self._offer(() if path in found else found)

    def _offer(self, paths: tuple[str, ...]) -> None:
        self.query_one(OfferedFiles).offer(paths)
        self._composer.offer_files(bool(paths))

    @on(Composer.PickMoved)
    def _pick_moved(self, event: Composer.PickMoved) -> None:
        event.stop()
        offered = self.query_one(OfferedFiles)
        if event.step:
            offered.move(event.step)
        elif offered.highlighted is not None:
            self._take(offered.highlighted)

    @on(OfferedFiles.Taken)
    def _clicked(self, event: OfferedFiles.Taken) -> None:
        event.stop()
        self._take(event.path)

    def _take(self, path: str) -> None:
        self._composer.take_path(path)
        self._composer.focus()

    # What was pasted

    @on(Composer.PathPasted)
    def _path_pasted(self, event: Composer.PathPasted) -> None:
        event.stop()
        self.run_worker(self._attach_pasted(event.text, event.path), group="pasted-path", exit_on_error=False)

    async def _attach_pasted(self, text: str, path: str) -> None:
        from app.chat.attaching.files import short_name
        from app.chat.attaching.pictures import kind_of

        def mentioned() -> str:
            with Path(path).expanduser().open("rb") as file:
                return short_name(Path(path)) if kind_of(file.read(32)) is not None else ""

        try:
            found = await aside(mentioned, _PICTURE)
        except (OSError, ValueError, RuntimeError, TimeoutError):
            return  # no path of this machine: it stays the text that it is
        if found and self._composer.mention_instead(text, found):
            self.app.notify("The picture goes with the prompt. ctrl+z makes its path text again.", timeout=4)

    # What goes with the prompt

    @on(Composer.Changed)
    def _text_changed(self) -> None:
        if self._reading is not None:
            self._reading.stop()
        earlier = self._earlier()
        if self._composer.mentions or (earlier is not None and earlier.message.attached):
            self._reading = self.set_timer(_LONG_PAUSE, self._read)
        else:
            self.workers.cancel_group(self, "read-files")
            self._show(Read())

    def _read(self) -> None:
        self.run_worker(self._read_mentioned(), group="read-files", exclusive=True, exit_on_error=False)

    async def _read_mentioned(self) -> None:
        read = await read_mentioned(self._composer.mentions, self._earlier())
        if self.is_mounted:
            self._show(read)

    def _show(self, read: Read) -> None:
        from .chips import chip

        lines = [
            Content.assemble(("▪ ", "$primary"), chip(part), (" · as it was", "$text-muted")) for part in read.kept
        ]
        for file in read.files:
            line = Content.assemble(("▪ ", "$primary"), chip(file.part))
            lines.append(Content.assemble(line, (" · may hold secrets", "$text-warning")) if file.private else line)
        if read.trouble is not None:
            lines.append(Content.styled(f"▪ {clean(read.trouble.message)}", "$text-warning"))
        attached = self.query_one("#attached", Static)
        attached.update(Content("\n").join(lines))
        attached.display = bool(lines)
